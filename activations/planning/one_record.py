"""The plan of a run that sends one record, as a test: only its row is read, and nothing is decided about any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from activations import digests, reasons
from activations.models import MatchValue, Record
from activations.planning.writer import SettledRow
from core.errors import Misconfigured
from segments.contract import ColumnType
from segments.reading.read import Selection, selection
from segments.values import natural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from activations.models import Activation
    from activations.planning.source_scan import SourceScan
    from activations.planning.writer import ChangeWriter

MATCH_HELD = "match_held"
COMPARED = (ColumnType.TEXT, ColumnType.INTEGER, ColumnType.NUMBER)
"""The types of keys by which the source finds a row. With a key of any other type, all rows are read."""


def rows(activation: Activation, key: str, zone: ZoneInfo) -> Selection:
    """The row with this key, if it is among the rows of the activation. Rows with similar keys may come with it.

    Raises:
        Misconfigured: no row can have this key.
    """
    model, segment = activation.data_model, activation.segment
    kind = ColumnType(model.column_types().get(model.primary_key, ColumnType.TEXT))
    if kind not in COMPARED:
        return selection(segment or model)
    value = natural(key, kind, zone)
    if kind != ColumnType.TEXT and not isinstance(value, int | float):
        raise absent(key)
    # A member of the segment, and not the conditions of the segment: its size limit counts all of its rows.
    member = [{"segment": segment.name, "is": "member"}] if segment else []
    where = {"all": [{"field": model.primary_key, "is": "equals", "value": value}, *member]}
    return Selection(model, where)


def only(batch: pa.RecordBatch, key: str) -> pa.RecordBatch:
    """The rows of a batch that have exactly this key."""
    keys = digests.of_texts(digests.as_texts([batch.column(0)])["0"])
    return batch.take(pa.array(np.flatnonzero(keys == digests.of_text(key))))


def absent(key: str) -> Misconfigured:
    """The problem of a key that no row has."""
    return Misconfigured(
        "record_absent",
        f"The data of this activation has no record with the key “{key}”. Check the key, and whether the record is in "
        "the segment.",
    )


def refuse_held(scan: SourceScan, writer: ChangeWriter) -> None:
    """Lists the record as invalid if its match value belongs to the record of a different row.

    A run of all records knows whether that row still has the value. This one does not, and must not overwrite it.
    """
    keys, matches = scan.with_further_matches(scan.sent_matches())
    if not len(keys):
        return
    holder = _holder(writer, int(keys[0]), sorted({int(match) for match in matches if match}))
    if holder is None:
        return
    writer.unpack([int(keys[0])])
    pending = writer.changes_of([int(keys[0])]).filter(state="pending")
    held = [
        SettledRow(change.key, change.key_digest, _held(holder), is_new=change.is_new, name=change.name)
        for change in pending
    ]
    with writer.lease.fenced():
        pending.delete()
        for row in held:
            writer.list_row(row)
    writer.flush()


def _holder(writer: ChangeWriter, key: int, matches: Sequence[int]) -> str | None:
    """The key of the other row whose accepted record is found by one of these match values; None if there is none."""
    others = writer.records.filter(accepted_at__isnull=False, left_at=None).exclude(key_digest=key)
    also = MatchValue.objects.filter(generation=writer.generation, match_digest__in=matches).values("key_digest")
    found: Record | None = others.filter(match_digest__in=matches).first() or others.filter(key_digest__in=also).first()
    return found.key if found else None


def _held(holder: str) -> reasons.Settled:
    message = (
        f"Its match value belongs to the record of “{holder}”, a different row. A test can't tell which of the two has "
        "it now, so it sends nothing. A run of all records decides it."
    )
    return reasons.Settled("invalid", MATCH_HELD, message)
