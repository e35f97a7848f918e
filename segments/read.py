"""Reads the rows of a model or a segment: a preview, a count, the SQL behind them, or one stream of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.conf import settings
from sqlalchemy import ColumnElement, FromClause

from core.errors import Misconfigured
from segments import conditions
from segments import sql as statements
from segments.ahead import ahead, nothing
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.models import DataModel, Segment
from segments.sources import engine, opened, zone
from segments.values import natural


@dataclass(frozen=True)
class Selection:
    """What to read: the rows of a model that meet a tree of conditions."""

    model: DataModel
    where: Mapping[str, Any]


@dataclass(frozen=True)
class Stream:
    """All rows of a selection, once. `zone` is that of times without one; see `values.natural`."""

    types: dict[str, ColumnType]
    zone: ZoneInfo
    batches: Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class _Query:
    """A selection made ready for its source."""

    columns: dict[str, ColumnInfo]
    source: FromClause
    where: ColumnElement[bool] | None


def selection(of: Segment | DataModel) -> Selection:
    """All rows of a model, or those of a segment; saved or not."""
    return Selection(of.model, of.where or {}) if isinstance(of, Segment) else Selection(of, {})


def preview(selection: Selection, *, now: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """The first rows in natural Python values, with every column.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = _query(selection, _columns(selection.model, reader), now)
        rows = reader.rows(statements.select(query.source, query.columns, list(query.columns), query.where), limit)
    home = zone(selection.model.source)
    return [{name: natural(value, query.columns[name].type, home) for name, value in row.items()} for row in rows]


def count(selection: Selection, *, now: datetime) -> int:
    """How many rows there are.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = _query(selection, _columns(selection.model, reader), now)
        return int(reader.rows(statements.count(query.source, query.where), 1)[0]["rows"])


def sql(selection: Selection, *, now: datetime) -> str:
    """The statement that reads the selection, values written out, for people. It is never run in this form.

    Raises:
        Misconfigured, Unavailable
    """
    columns = _stored(selection.model)
    if not columns:
        with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
            columns = _columns(selection.model, reader)
    query = _query(selection, columns, now)
    chosen = statements.select(query.source, query.columns, list(query.columns), query.where)
    return statements.shown(chosen, engine(selection.model.source).dialect)


def check(selection: Selection, columns: Sequence[str]) -> None:
    """Whether `stream` could begin: the source answers and has the columns.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(selection.model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        _refuse_missing(selection, [selection.model.primary_key, *columns], _columns(selection.model, reader))


@contextmanager
def stream(selection: Selection, columns: Sequence[str], *, now: datetime, look: Callable[[], None] = nothing) -> Iterator[Stream]:
    """All rows once, in bounded memory: batches with exactly `columns`, in that order.

    `look` is called several times a second while the source is waited for; what it raises ends the stream.

    A Problem may also come out of the batches, in mid-stream; what was read until then must not be taken for the whole.

    Raises:
        Misconfigured: e.g. `column_missing`, a column is not in the source any more. Unavailable: no answer.
    """
    with opened(selection.model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        known = _columns(selection.model, reader)
        _refuse_missing(selection, columns, known)
        query = _query(selection, known, now)
        chosen = statements.select(query.source, query.columns, columns, query.where)
        types = {name: known[name].type for name in columns}
        with closing(ahead(reader.batches(chosen), look=look, interrupt=reader.interrupt)) as batches:
            yield Stream(types, zone(selection.model.source), batches)


def _columns(model: DataModel, reader: Reader) -> dict[str, ColumnInfo]:
    """The columns that the source has now, of the types that the model was given: a file's types follow its values,
    and one odd value must not turn a number into text for all rows."""
    stored = _stored(model)
    natives = reader.natives(table=model.table, sql=model.sql)
    if natives.keys() <= stored.keys():
        return {name: ColumnInfo(name, stored[name].type, native) for name, native in natives.items()}
    found = reader.columns(table=model.table, sql=model.sql)
    return {info.name: ColumnInfo(info.name, stored[info.name].type, info.native) if info.name in stored else info for info in found}


def _stored(model: DataModel) -> dict[str, ColumnInfo]:
    if model.pk is None:
        return {}
    rows = model.columns.values_list("name", "type", "native")
    return {name: ColumnInfo(name, ColumnType(type), native) for name, type, native in rows}


def _query(selection: Selection, columns: dict[str, ColumnInfo], now: datetime) -> _Query:
    model = selection.model
    tree = conditions.parse(selection.where)
    _refuse_missing(selection, [leaf.field for leaf in conditions.leaves(tree)], columns)
    tree = conditions.validate(tree, {name: info.type for name, info in columns.items()})
    dialect = engine(model.source).dialect
    source = statements.relation(list(columns.values()), dialect, table=model.table, sql=model.sql)
    return _Query(columns, source, statements.where(tree, source, columns, now=now, zone=zone(model.source)))


def _refuse_missing(selection: Selection, wanted: Sequence[str], columns: Mapping[str, ColumnInfo]) -> None:
    for name in wanted:
        if name not in columns:
            raise Misconfigured(
                "column_missing",
                f"The model {selection.model.name!r} has no column {name!r} (any more). Bring it back in the source, "
                "or take it out of the segment or the mapping that uses it.",
                where=name,
            )
