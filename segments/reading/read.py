"""Reads the rows of a model or a segment: a preview, a count, the SQL behind them, or a stream of all rows."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from segments.contract import ColumnType, Reader, Skipped
from segments.reading.prefetch import do_nothing, prefetch
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

    from segments.models import DataModel, Source

EXTRA_VALUES = 20
"""How many more values are read than shown, because some may be the same value in different spellings."""
MAX_LISTS = 1_000
"""How many different lists are searched for their elements."""
_NESTED = (ColumnType.LIST, ColumnType.OBJECT)


@dataclass(frozen=True)
class Stream:
    """All rows of a selection, once. `zone` applies to times without a time zone; see `values.natural`.

    `skipped` is complete once all batches have been read.
    """

    types: dict[str, ColumnType]
    zone: ZoneInfo
    batches: Iterator[pa.RecordBatch]
    skipped: Skipped


@dataclass(frozen=True)
class Examined:
    """The first rows of a selection, and how many rows there are.

    Args:
        rows: the first rows.
        left_out: the computed fields that the rows lack, because the selection does not use them.
        count: how many rows the selection has.
        total: how many rows its model has, or None if that was not requested.
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
    check: Callable[[], None] = do_nothing,
) -> list[dict[str, Any]]:
    """The first rows as natural Python values.

    Args:
        columns: the columns to read, or none for all.
        check: as in `stream`.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(selection, reader, now)
        refuse_missing(selection, columns, query.types)
        (rows,) = run(reader, [(query.select(columns or list(query.types)), query.most(limit))], check)
    return natural_rows(rows, query, selection.model.source)


def examine(
    selection: Selection, *, now: datetime, limit: int, total: bool, check: Callable[[], None] = do_nothing
) -> Examined:
    """The first rows and how many there are, in one session.

    Args:
        total: whether to count all rows of the model too.
        check: as in `stream`.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(selection, reader, now)
        # Built here and not in the other thread, because building a statement queries our own database.
        shown = query.preview_columns()
        requests = [
            (query.select(shown), query.most(limit)),
            (query.count(), 1),
            *([(query.everything(), 1)] if total else []),
        ]
        rows, *counts = run(reader, requests, check)
    counted = [int(row["rows"]) for (row,) in counts]
    left_out = [name for name in query.types if name not in shown]
    return Examined(
        natural_rows(rows, query, selection.model.source), left_out, counted[0], counted[1] if total else None
    )


def values(
    model: DataModel, column: str, search: str, *, limit: int, check: Callable[[], None] = do_nothing
) -> list[tuple[Any, int]]:
    """The most frequent values of a column, or elements of its lists, that contain `search`, with their counts.

    Args:
        check: as in `stream`.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(Selection(model, {}), reader, timezone.now())
        refuse_missing(Selection(model, {}), [column], query.types)
        table, column_type = query.table([column]), query.types[column]
        where = statements.containing(table.source, table.infos[column], search)
        matching = statements.select(table.source, table.infos, [column], where)
        max_rows = MAX_LISTS if column_type in _NESTED else limit + EXTRA_VALUES
        (rows,) = run(reader, [(statements.frequent(matching, column_type), max_rows)], check)
    if column_type in _NESTED:
        return elements([(row["value"], int(row["rows"])) for row in rows], search)[:limit]
    counted = _values(rows, column_type, zone(model.source))
    return [(value, count) for value, count in counted if value is not None][:limit]


def breakdown(selection: Selection, column: str, *, now: datetime, limit: int) -> list[tuple[Any, int]]:
    """The most frequent values of a column in the selected rows, including null, with how many rows have each.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(selection, reader, now)
        refuse_missing(selection, [column], query.types)
        rows = reader.rows(statements.frequent(query.select([column]), query.types[column]), limit + EXTRA_VALUES)
    return _values(rows, query.types[column], zone(selection.model.source))[:limit]


def count(selection: Selection, *, now: datetime) -> int:
    """How many rows there are.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return _counted(ready(selection, reader, now).count(), reader)


def sql(selection: Selection, *, now: datetime, columns: Sequence[str] = ()) -> str:
    """The statement that reads the selection, with values written out, for people. It is never run in this form.

    Args:
        columns: the columns to read, or none for those that `examine` shows.

    Raises:
        Misconfigured, Unavailable
    """
    if stored(selection.model):
        return _shown(ready(selection, None, now), selection, columns)
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return _shown(ready(selection, reader, now), selection, columns)


@contextmanager
def stream(
    selection: Selection,
    columns: Sequence[str],
    *,
    now: datetime,
    check: Callable[[], None] = do_nothing,
    optional: Sequence[str] = (),
) -> Iterator[Stream]:
    """All rows once, in bounded memory, in batches with exactly these columns in this order.

    A batch can raise a Problem as well, after others have been read. Those must not be mistaken for the complete rows.

    Args:
        check: called several times a second while waiting for the source. If it raises, the stream ends.
        optional: columns that follow the others if the source has them; `Stream.types` tells which it has.

    Raises:
        Misconfigured: for example `column_missing`, if the source no longer has a column. Unavailable: no answer.
    """
    with opened(selection.model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        query = ready(selection, reader, now)
        refuse_missing(selection, columns, query.types)
        present = [*columns, *(name for name in optional if name in query.types)]
        pending = prefetch(reader.batches(query.select(present)), check=check, interrupt=reader.interrupt)
        with closing(pending) as batches:
            types = {name: query.types[name] for name in present}
            yield Stream(types, zone(selection.model.source), batches, reader.skipped)


def run(
    reader: Reader, requests: Sequence[tuple[Select[Any], int]], check: Callable[[], None]
) -> list[list[dict[str, Any]]]:
    """The rows of statements, each with its limit, from another thread, so that `check` can end them."""
    pending = (reader.rows(statement, limit) for statement, limit in requests)
    with closing(prefetch(pending, check=check, interrupt=reader.interrupt)) as results:
        return list(results)


def natural_rows(rows: list[dict[str, Any]], query: Query, source: Source) -> list[dict[str, Any]]:
    """Rows of a query as natural Python values."""
    source_zone = zone(source)
    return [{name: natural(value, query.types[name], source_zone) for name, value in row.items()} for row in rows]


def _values(rows: list[dict[str, Any]], column_type: ColumnType, source_zone: ZoneInfo) -> list[tuple[Any, int]]:
    """Each value once, whatever its spelling in the source: `t` and `1` are true, NaN and infinity are null."""
    counts: Counter[Any] = Counter()
    for row in rows:
        value = natural(row["value"], column_type, source_zone)
        counts[json.dumps(value) if isinstance(value, list | dict) else value] += int(row["rows"])
    return counts.most_common()


def _counted(query: Select[Any], reader: Reader) -> int:
    return int(reader.rows(query, 1)[0]["rows"])


def _shown(query: Query, selection: Selection, columns: Sequence[str]) -> str:
    source_engine = engine(selection.model.source)
    statement = statements.literal_sql(query.select(columns or query.preview_columns()), source_engine.dialect)
    added = [name for name in source_engine.functions if f"{name}(" in statement]
    note = f"-- {', '.join(added)}: added by this application, and unknown to other programs\n" if added else ""
    return note + statement


__all__ = ["Examined", "Selection", "Stream", "breakdown", "count", "examine", "preview", "selection", "sql", "stream"]
