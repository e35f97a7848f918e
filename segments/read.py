"""Reads the rows of a model or a segment: a preview, a count, the SQL behind them, or one stream of all."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.conf import settings
from django.utils import timezone
from sqlalchemy import Select

from core.errors import Misconfigured
from segments import computed, conditions, limits
from segments import sql as statements
from segments.ahead import ahead, nothing
from segments.comparing import Clock
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.layers import computing
from segments.models import Column, DataModel, Segment
from segments.sources import engine, opened, zone
from segments.tree import Group, fields
from segments.values import natural
from segments.where import Builder, First, Narrowing, Reach, Table
from segments.world import facts


@dataclass(frozen=True)
class Selection:
    """What to read: the rows of a model that meet a tree of conditions."""

    model: DataModel
    where: Mapping[str, Any]
    limit: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    """Of the segment, which its conditions must not come back to."""
    computed: Sequence[Column] | None = None
    """The computed fields of the model, where they are about to be others."""


@dataclass(frozen=True)
class Stream:
    """All rows of a selection, once. `zone` is that of times without one; see `values.natural`."""

    types: dict[str, ColumnType]
    zone: ZoneInfo
    batches: Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class Examined:
    """What a person sees of a selection: its first rows, how many it has, and how many its model has (where that was asked)."""

    rows: list[dict[str, Any]]
    count: int
    total: int | None


@dataclass(frozen=True)
class _Query:
    """A selection made ready for its source. Computed fields are worked out only where a statement needs them."""

    types: dict[str, ColumnType]
    reach: Reach
    model: str
    tree: Group
    first: First | None
    clock: Clock

    def select(self, columns: Sequence[str]) -> Select[Any]:
        order = [self.first.limit.order_by] if self.first else []
        table, where = self._narrowed([*columns, *order])
        return statements.select(table.source, table.infos, columns, where, self.first)

    def count(self) -> Select[Any]:
        table, where = self._narrowed([])
        return statements.count(table.source, where, self.first.limit.rows if self.first else None)

    def everything(self) -> Select[Any]:
        return statements.count(self.table([]).source)

    def table(self, columns: Sequence[str]) -> Table:
        return self.reach(self.model, columns)

    def _narrowed(self, columns: Sequence[str]) -> tuple[Table, Narrowing | None]:
        table = self.table([*columns, *fields(self.tree)])
        return table, Builder(table, self.clock, self.reach).narrowing(self.tree)


def selection(of: Segment | DataModel) -> Selection:
    """All rows of a model, or those of a segment; saved or not."""
    return Selection(of.model, of.where or {}, of.limit or {}, of.name) if isinstance(of, Segment) else Selection(of, {})


def preview(selection: Selection, *, now: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """The first rows in natural Python values, with every column.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = _query(selection, reader, now)
        rows = _first_rows(query, reader, limit)
    return _natural(rows, query, selection)


def examine(selection: Selection, *, now: datetime, limit: int, total: bool, look: Callable[[], None] = nothing) -> Examined:
    """The first rows and how many there are, in one session. `look` is called as in `stream`, and can end it.

    Args:
        total: whether to count the rows of the whole model too.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = _query(selection, reader, now)
        asked: list[Callable[[], Any]] = [lambda: _first_rows(query, reader, limit), lambda: _counted(query.count(), reader)]
        if total:
            asked.append(lambda: _counted(query.everything(), reader))
        with closing(ahead((ask() for ask in asked), look=look, interrupt=reader.interrupt)) as answers:
            rows, count, *more = answers
    return Examined(_natural(rows, query, selection), count, more[0] if more else None)


def values(model: DataModel, column: str, search: str, *, limit: int, look: Callable[[], None] = nothing) -> list[tuple[Any, int]]:
    """The most frequent values of a column whose text contains `search`, with how often they occur.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = _query(Selection(model, {}), reader, timezone.now())
        _refuse_missing(Selection(model, {}), [column], query.types)
        table = query.table([column])
        found = statements.containing(table.source, table.infos[column], search)
        chosen = statements.select(table.source, table.infos, [column], found)
        asked = (reader.rows(one, limit) for one in [statements.frequent(chosen)])
        with closing(ahead(asked, look=look, interrupt=reader.interrupt)) as answers:
            (rows,) = answers
    return _values(rows, query.types[column], zone(model.source))


def breakdown(selection: Selection, column: str, *, now: datetime, limit: int) -> list[tuple[Any, int]]:
    """The most frequent values of a column among the selected rows, null among them, with how many rows have each.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = _query(selection, reader, now)
        _refuse_missing(selection, [column], query.types)
        rows = reader.rows(statements.frequent(query.select([column])), limit)
    return _values(rows, query.types[column], zone(selection.model.source))


def count(selection: Selection, *, now: datetime) -> int:
    """How many rows there are.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return _counted(_query(selection, reader, now).count(), reader)


def sql(selection: Selection, *, now: datetime) -> str:
    """The statement that reads the selection, values written out, for people. It is never run in this form.

    Raises:
        Misconfigured, Unavailable
    """
    if _stored(selection.model):
        return _shown(_query(selection, None, now), selection)
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return _shown(_query(selection, reader, now), selection)


def check(selection: Selection, columns: Sequence[str]) -> None:
    """Whether `stream` could begin: the source answers and has the columns.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        query = _query(replace(selection, where={}, limit={}), reader, timezone.now())
        wanted = [selection.model.primary_key, *columns]
        _refuse_missing(selection, wanted, query.types)
        query.table(wanted)


@contextmanager
def stream(selection: Selection, columns: Sequence[str], *, now: datetime, look: Callable[[], None] = nothing) -> Iterator[Stream]:
    """All rows once, in bounded memory: batches with exactly `columns`, in that order.

    `look` is called several times a second while the source is waited for; what it raises ends the stream.

    A Problem may also come out of the batches, in mid-stream; what was read until then must not be taken for the whole.

    Raises:
        Misconfigured: e.g. `column_missing`, a column is not in the source any more. Unavailable: no answer.
    """
    with opened(selection.model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        query = _query(selection, reader, now)
        _refuse_missing(selection, columns, query.types)
        types = {name: query.types[name] for name in columns}
        with closing(ahead(reader.batches(query.select(columns)), look=look, interrupt=reader.interrupt)) as batches:
            yield Stream(types, zone(selection.model.source), batches)


def _columns(model: DataModel, reader: Reader) -> dict[str, ColumnInfo]:
    """The columns that the source has now, under the names and of the types that the model gave them: a file's types follow
    its values, and one odd value must not turn a number into text for all rows."""
    known = model.source_columns() if model.pk else {}
    natives = reader.natives(table=model.table, sql=model.sql)
    if natives.keys() <= known.keys():
        present = [(known[name], native) for name, native in natives.items()]
        return {column.name: _info(column, native) for column, native in present if column.used}
    found = reader.columns(table=model.table, sql=model.sql)
    columns = {known[info.name].name: _info(known[info.name], info.native) for info in found if info.name in known}
    hidden = {column.name for column in known.values() if not column.used}
    return {**{info.name: info for info in found if info.name not in known}, **{n: i for n, i in columns.items() if n not in hidden}}


def _stored(model: DataModel) -> dict[str, ColumnInfo]:
    if model.pk is None:
        return {}
    return {column.name: _info(column, column.native) for column in model.source_columns().values() if column.used}


def _info(column: Column, native: str) -> ColumnInfo:
    return ColumnInfo(column.source_name, ColumnType(column.type), native)


def _query(selection: Selection, reader: Reader | None, now: datetime) -> _Query:
    """The selection against the columns that its source has now, or without a reader against those that are stored."""
    model = selection.model
    clock = Clock(now, zone(model.source))
    own = _table(model, reader)
    about = facts(model, {name: info.type for name, info in own.infos.items()}, computed=selection.computed)

    def reach(name: str, columns: Iterable[str]) -> Table:
        known = about if name in ("", model.name) else about.world[name]
        table = own if known is about else _table(DataModel.objects.get(source=model.source, name=name), reader)
        return computing(table, computed.formulas(known, columns), engine(model.source).computed, clock, reach)

    tree = conditions.parse(selection.where)
    _refuse_missing(selection, [leaf.field for leaf in conditions.leaves(tree)], about.types)
    tree = conditions.validate(tree, about, name=selection.name)
    limit = limits.parse(selection.limit, about.types)
    types = {name: ColumnType(type) for name, type in about.types.items()}
    return _Query(types, reach, about.name, tree, First(limit, model.primary_key) if limit else None, clock)


def _table(model: DataModel, reader: Reader | None) -> Table:
    columns = _columns(model, reader) if reader else _stored(model)
    source = statements.relation(list(columns.values()), engine(model.source).dialect, table=model.table, sql=model.sql)
    return Table(source, columns, model.primary_key)


def _first_rows(query: _Query, reader: Reader, limit: int) -> list[dict[str, Any]]:
    return reader.rows(query.select(list(query.types)), min(limit, query.first.limit.rows) if query.first else limit)


def _natural(rows: list[dict[str, Any]], query: _Query, selection: Selection) -> list[dict[str, Any]]:
    home = zone(selection.model.source)
    return [{name: natural(value, query.types[name], home) for name, value in row.items()} for row in rows]


def _values(rows: list[dict[str, Any]], type: ColumnType, home: ZoneInfo) -> list[tuple[Any, int]]:
    return [(natural(row["value"], type, home), int(row["rows"])) for row in rows]


def _counted(query: Select[Any], reader: Reader) -> int:
    return int(reader.rows(query, 1)[0]["rows"])


def _shown(query: _Query, selection: Selection) -> str:
    return statements.shown(query.select(list(query.types)), engine(selection.model.source).dialect)


def _refuse_missing(selection: Selection, wanted: Sequence[str], columns: Container[str]) -> None:
    for name in wanted:
        if name not in columns:
            raise Misconfigured(
                "column_missing",
                f"The model {selection.model.name!r} has no column {name!r} (any more). Bring it back in the source, "
                "or take it out of the segment or the mapping that uses it.",
                where=name,
            )
