"""Reads the people of a few records from the source, in bounded memory, as candidates for the destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from activations import digests
from core.errors import Misconfigured, Rejected
from segments.conditions import operands
from segments.contract import ColumnType
from segments.reading import read
from segments.reading.read import Selection
from segments.session import zone
from segments.values import natural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from activations.models import AttachContacts, HiddenRecord
    from destinations.contract import Candidate, Field, Service
    from segments.reading.read import Stream

MOST_CANDIDATES = 50
"""How many people of one record are tried at most."""


def candidates(
    setting: AttachContacts,
    service: Service,
    records: Sequence[HiddenRecord],
    *,
    now: datetime,
    check: Callable[[], None],
) -> dict[int, list[Candidate]]:
    """The people of these records by key digest, each with the wire values that may find them at the destination.

    People without any such value are left out.

    Args:
        check: as in `read.stream`.

    Raises:
        Misconfigured, Unavailable: the source can't be read.
    """
    assert service.reveals is not None
    fields = [field for field in service.reveals.found_by if field.name in setting.found_by]
    found: dict[int, list[Candidate]] = {record.key_digest: [] for record in records}
    keys = list(_keys(setting, records))
    if not keys:
        return found
    where = {"all": [{"field": setting.company_column, "is": "one_of", "value": keys}]}
    # The same column may find people in two ways.
    columns = list(dict.fromkeys([setting.company_column, *(setting.found_by[field.name] for field in fields)]))
    with read.stream(Selection(setting.model, where), columns, now=now, check=check) as stream:
        for batch in stream.batches:
            for digest, row in _rows(batch, stream, found):
                _add(found[digest], _candidate(service, fields, setting.found_by, row))
            if all(len(people) >= MOST_CANDIDATES for people in found.values()):
                break
    return found


def _keys(setting: AttachContacts, records: Sequence[HiddenRecord]) -> Iterator[Any]:
    """The keys as values of the column that holds them. Those that it can't hold are left out."""
    kind = ColumnType(setting.model.column_types().get(setting.company_column, ColumnType.TEXT))
    for record in records:
        value = natural(record.key, kind, zone(setting.model.source))
        if _is_possible(setting.company_column, kind, value):
            yield value


def _is_possible(column: str, kind: ColumnType, value: Any) -> bool:
    """Whether a condition can ask for the value: a number has limits, and text no characters that can't be stored."""
    try:
        operands.read(column, kind, "equals", value)
    except Misconfigured:
        return False
    return True


def _rows(
    batch: pa.RecordBatch, stream: Stream, wanted: Mapping[int, Sequence[Candidate]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of wanted records, each with the digest of its key. Keys are compared as a run compares them."""
    digests_wanted = np.fromiter(wanted, np.int64)
    whole = digests.with_whole_keys(batch, stream.types, lambda keys: np.isin(keys, digests_wanted))
    keys = digests.of_texts(digests.as_texts([whole.column(0)])["0"])
    places = np.flatnonzero(np.isin(keys, digests_wanted))
    rows = batch.take(places).to_pylist()
    for place, row in zip(places.tolist(), rows, strict=True):
        if len(wanted[int(keys[place])]) < MOST_CANDIDATES:
            yield (
                int(keys[place]),
                {name: natural(value, stream.types[name], stream.zone) for name, value in row.items()},
            )


def _candidate(
    service: Service, fields: Sequence[Field], columns: Mapping[str, str], row: Mapping[str, Any]
) -> Candidate:
    """The wire values of one person. A value that the destination can't have finds nobody, so it is left out."""
    wires = {}
    for field in fields:
        value = row[columns[field.name]]
        try:
            if value is not None and value != "":
                wires[field.name] = service.convert(field, value)
        except Rejected:
            continue
    return {name: wire for name, wire in wires.items() if wire not in (None, "")}


def _add(people: list[Candidate], candidate: Candidate) -> None:
    if candidate and candidate not in people:
        people.append(candidate)
