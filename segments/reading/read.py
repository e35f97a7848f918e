"""Reads the rows of a model or a segment: a preview, a count, the SQL behind them, or one stream of all."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from segments.contract import ColumnType, Reader
from segments.reading.prefetch import ahead, nothing
from segments.session import engine, opened, zone
from segments.sql import statements
from segments.sql.query import Query, Selection, ready, refuse_missing, selection, stored
from segments.values import elements, natural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import pyarrow as pa
    from sqlalchemy import Select

    from segments.models import DataModel

SPELLINGS = 20
"""So many more values are asked for than shown, since several may be the same one."""
MOST_LISTS = 1_000
"""So many different lists are looked at for their elements."""
_NESTED = (ColumnType.LIST, ColumnType.OBJECT)


@dataclass(frozen=True)
class Stream:
    """All rows of a selection, once. `zone` is that of times without one; see `values.natural`."""

    types: dict[str, ColumnType]
    zone: ZoneInfo
    batches: Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class Examined:
    """What a person sees of a selection.

    Args:
        rows: the first ones.
        left_out: the computed fields that they lack, since the selection does not name them.
        count, total: how many rows it has, and its model (where that was asked).
    """

    rows: list[dict[str, Any]]
    left_out: list[str]
    count: int
    total: int | None


def preview(
    selection: Selection,
    *,
    now: datetime,
    limit: int = 20,
    columns: Sequence[str] = (),
    look: Callable[[], None] = nothing,
) -> list[dict[str, Any]]:
    """The first rows in natural Python values, with these columns, or with every one. `look` is called as in `stream`, and can end it.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(selection, reader, now)
        refuse_missing(selection, columns, query.types)
        asked = (reader.rows(one, query.most(limit)) for one in [query.select(columns or list(query.types))])
        with closing(ahead(asked, look=look, interrupt=reader.interrupt)) as answers:
            (rows,) = answers
    return _natural(rows, query, selection)


def examine(
    selection: Selection, *, now: datetime, limit: int, total: bool, look: Callable[[], None] = nothing
) -> Examined:
    """The first rows and how many there are, in one session. `look` is called as in `stream`, and can end it.

    Args:
        total: whether to count the rows of the whole model too.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(selection, reader, now)
        # Made before another thread asks them: to make one, models are looked up.
        shown = query.preview_columns()
        asked = [
            (query.select(shown), query.most(limit)),
            (query.count(), 1),
            *([(query.everything(), 1)] if total else []),
        ]
        answering = (reader.rows(statement, most) for statement, most in asked)
        with closing(ahead(answering, look=look, interrupt=reader.interrupt)) as answers:
            rows, *counts = answers
    counted = [int(one["rows"]) for (one,) in counts]
    left_out = [name for name in query.types if name not in shown]
    return Examined(_natural(rows, query, selection), left_out, counted[0], counted[1] if total else None)


def values(
    model: DataModel, column: str, search: str, *, limit: int, look: Callable[[], None] = nothing
) -> list[tuple[Any, int]]:
    """The most frequent values of a column whose text contains `search`, with how often they occur; of lists, their elements.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(Selection(model, {}), reader, timezone.now())
        refuse_missing(Selection(model, {}), [column], query.types)
        table, column_type = query.table([column]), query.types[column]
        found = statements.containing(table.source, table.infos[column], search)
        chosen = statements.select(table.source, table.infos, [column], found)
        most = MOST_LISTS if column_type in _NESTED else limit + SPELLINGS
        asked = (reader.rows(one, most) for one in [statements.frequent(chosen, column_type)])
        with closing(ahead(asked, look=look, interrupt=reader.interrupt)) as answers:
            (rows,) = answers
    if column_type in _NESTED:
        return elements([(row["value"], int(row["rows"])) for row in rows], search)[:limit]
    return [(value, count) for value, count in _values(rows, column_type, zone(model.source)) if value is not None][
        :limit
    ]


def breakdown(selection: Selection, column: str, *, now: datetime, limit: int) -> list[tuple[Any, int]]:
    """The most frequent values of a column among the selected rows, null among them, with how many rows have each.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(selection, reader, now)
        refuse_missing(selection, [column], query.types)
        rows = reader.rows(statements.frequent(query.select([column]), query.types[column]), limit + SPELLINGS)
    return _values(rows, query.types[column], zone(selection.model.source))[:limit]


def count(selection: Selection, *, now: datetime) -> int:
    """How many rows there are.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return _counted(ready(selection, reader, now).count(), reader)


def sql(selection: Selection, *, now: datetime, columns: Sequence[str] = ()) -> str:
    """The statement that reads the selection, or these columns of it, values written out, for people. It is never run in this form.

    Without `columns` it is the one whose rows `examine` shows.

    Raises:
        Misconfigured, Unavailable
    """
    if stored(selection.model):
        return _shown(ready(selection, None, now), selection, columns)
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return _shown(ready(selection, reader, now), selection, columns)


@contextmanager
def stream(
    selection: Selection, columns: Sequence[str], *, now: datetime, look: Callable[[], None] = nothing
) -> Iterator[Stream]:
    """All rows once, in bounded memory: batches with exactly `columns`, in that order.

    `look` is called several times a second while the source is waited for; what it raises ends the stream.

    A Problem may also come out of the batches, in mid-stream; what was read until then must not be taken for the whole.

    Raises:
        Misconfigured: e.g. `column_missing`, a column is not in the source any more. Unavailable: no answer.
    """
    with opened(selection.model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        query = ready(selection, reader, now)
        refuse_missing(selection, columns, query.types)
        types = {name: query.types[name] for name in columns}
        with closing(ahead(reader.batches(query.select(columns)), look=look, interrupt=reader.interrupt)) as batches:
            yield Stream(types, zone(selection.model.source), batches)


def _natural(rows: list[dict[str, Any]], query: Query, selection: Selection) -> list[dict[str, Any]]:
    home = zone(selection.model.source)
    return [{name: natural(value, query.types[name], home) for name, value in row.items()} for row in rows]


def _values(rows: list[dict[str, Any]], column_type: ColumnType, home: ZoneInfo) -> list[tuple[Any, int]]:
    """Each value once, however the source spells it: `t` and `1` are true, NaN and infinity are null."""
    counts: Counter[Any] = Counter()
    for row in rows:
        value = natural(row["value"], column_type, home)
        counts[json.dumps(value) if isinstance(value, list | dict) else value] += int(row["rows"])
    return counts.most_common()


def _counted(query: Select[Any], reader: Reader) -> int:
    return int(reader.rows(query, 1)[0]["rows"])


def _shown(query: Query, selection: Selection, columns: Sequence[str]) -> str:
    of = engine(selection.model.source)
    said = statements.literal_sql(query.select(columns or query.preview_columns()), of.dialect)
    ours = [name for name in of.functions if f"{name}(" in said]
    return f"-- {', '.join(ours)}: added by this application, and unknown to other programs\n{said}" if ours else said


__all__ = [
    "Examined",
    "Selection",
    "Stream",
    "breakdown",
    "count",
    "examine",
    "preview",
    "selection",
    "sql",
    "stream",
    "values",
]
