"""A selection of rows made ready for its source: its statements, against the columns that the source has now."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions import computed_fields, limits, parsing
from segments.conditions.scope_from_db import facts
from segments.conditions.tree import Group, fields
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.models import Column, DataModel, Segment
from segments.session import engine, zone
from segments.sql import statements
from segments.sql.comparisons import Clock
from segments.sql.computed_columns import computing
from segments.sql.where import Builder, First, Infos, Narrowing, Reach, Table

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select


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
class Query:
    """A selection made ready for its source. Computed fields are worked out only where a statement needs them."""

    types: dict[str, ColumnType]
    reach: Reach
    model: str
    tree: Group
    first: First | None
    clock: Clock
    computed: Container[str] = ()
    """Which columns are worked out."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        order = [self.first.limit.order_by] if self.first else []
        table, where = self._narrowed([*columns, *order])
        return statements.select(table.source, table.infos, columns, where, self.first)

    def count(self) -> Select[Any]:
        table, where = self._narrowed([])
        return statements.count(table.source, where, self.first.limit.rows if self.first else None)

    def everything(self) -> Select[Any]:
        return statements.count(self.table([]).source)

    def shown(self) -> list[str]:
        """The columns that a person who builds it sees: its conditions and its limit name those that are worked out, or they are left out,
        so that a preview reads no related rows for nothing."""
        named = {*fields(self.tree), *([self.first.limit.order_by] if self.first else [])}
        return [name for name in self.types if name in named or name not in self.computed]

    def most(self, rows: int) -> int:
        """So many rows, or fewer where the size limit says so."""
        return min(rows, self.first.limit.rows) if self.first else rows

    def table(self, columns: Sequence[str]) -> Table:
        return self.reach(self.model, columns)

    def _narrowed(self, columns: Sequence[str]) -> tuple[Table, Narrowing | None]:
        table = self.table([*columns, *fields(self.tree)])
        return table, Builder(table, self.clock, self.reach).narrowing(self.tree)


def selection(of: Segment | DataModel) -> Selection:
    """All rows of a model, or those of a segment; saved or not."""
    return (
        Selection(of.model, of.where or {}, of.limit or {}, of.name) if isinstance(of, Segment) else Selection(of, {})
    )


def ready(selection: Selection, reader: Reader | None, now: datetime) -> Query:
    """The selection against the columns that its source has now, or without a reader against those that are stored.

    Raises:
        Misconfigured: its conditions can't be understood, or name what the source does not have.
    """
    model = selection.model
    clock, infos = Clock(now, zone(model.source)), _columns(model, reader)
    about = facts(model, {name: info.type for name, info in infos.items()}, computed=selection.computed)

    @cache
    def read(name: str) -> tuple[DataModel, Infos]:
        other = model if name == about.name else DataModel.objects.get(source=model.source, name=name)
        return other, infos if other is model else _columns(other, reader)

    def reach(name: str, columns: Iterable[str]) -> Table:
        known = about if name == about.name else about.world[name]
        # A table of its own each time: one statement may read a model in several places.
        return computing(
            _table(*read(name)), computed_fields.formulas(known, columns), engine(model.source).computed, clock, reach
        )

    tree = parsing.parse(selection.where)
    refuse_missing(selection, [leaf.field for leaf in parsing.leaves(tree)], about.types)
    tree = parsing.validate(tree, about, name=selection.name)
    limit = limits.parse(selection.limit, about.types)
    types = {name: ColumnType(column_type) for name, column_type in about.types.items()}
    first = First(limit, model.primary_key, clock.zone) if limit else None
    return Query(types, reach, about.name, tree, first, clock, about.computed)


def refuse_missing(selection: Selection, wanted: Sequence[str], columns: Container[str]) -> None:
    """Raises Misconfigured where a wanted column is not among `columns`."""
    for name in wanted:
        if name not in columns:
            raise Misconfigured(
                "column_missing",
                f"The model {selection.model.name!r} has no column {name!r} (any more). Bring it back in the source, "
                "or take it out of the segment or the mapping that uses it.",
                where=name,
            )


def _table(model: DataModel, infos: Infos) -> Table:
    source = statements.relation(list(infos.values()), engine(model.source).dialect, table=model.table, sql=model.sql)
    return Table(source, infos, model.primary_key)


def _columns(model: DataModel, reader: Reader | None) -> dict[str, ColumnInfo]:
    """The columns that the source has now, under the names and of the types that the model gave them: a file's types follow
    its values, and one odd value must not turn a number into text for all rows."""
    if reader is None:
        return stored(model)
    known = model.source_columns() if model.pk else {}
    natives = reader.natives(table=model.table, sql=model.sql, expected=known)
    if natives.keys() <= known.keys():
        present = [(known[name], native) for name, native in natives.items()]
        return {column.name: _info(column, native) for column, native in present if column.used}
    found = reader.columns(table=model.table, sql=model.sql)
    columns = {known[info.name].name: _info(known[info.name], info.native) for info in found if info.name in known}
    hidden = {column.name for column in known.values() if not column.used}
    return {
        **{info.name: info for info in found if info.name not in known},
        **{n: i for n, i in columns.items() if n not in hidden},
    }


def stored(model: DataModel) -> dict[str, ColumnInfo]:
    """The columns of the source as they are stored, under the names that the model gives them."""
    if model.pk is None:
        return {}
    return {column.name: _info(column, column.native) for column in model.source_columns().values() if column.used}


def _info(column: Column, native: str) -> ColumnInfo:
    return ColumnInfo(column.source_name, ColumnType(column.type), native)
