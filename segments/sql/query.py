"""Prepares a selection of rows for its source: the statements, built against the columns that the source has now."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import case

from core.errors import Misconfigured
from segments.conditions import computed_fields, limits, parsing
from segments.conditions.scope_from_db import model_scope
from segments.conditions.tree import Group, Item, fields
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.models import Column, DataModel, Segment
from segments.session import engine, zone
from segments.sql import profiles, statements
from segments.sql.comparisons import ZERO, Clock
from segments.sql.computed_columns import with_computed
from segments.sql.where import ONE, Builder, Filter, First, Infos, Reach, Table, first_rows, joined, rows_where

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select


@dataclass(frozen=True)
class Selection:
    """What to read: the rows of a model that match a condition tree."""

    model: DataModel
    where: Mapping[str, Any]
    limit: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    """The name of the segment, so that a reference back to it is detected."""
    computed: Sequence[Column] | None = None
    """The computed fields of the model, if they are about to change."""


@dataclass(frozen=True)
class Query:
    """A selection prepared for its source. Each statement calculates only the computed fields that it needs."""

    types: dict[str, ColumnType]
    reach: Reach
    model: str
    tree: Group
    first: First | None
    clock: Clock
    computed: Container[str] = ()
    """The columns that are computed fields."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The rows of the selection, with these columns."""
        order = [self.first.limit.order_by] if self.first else []
        table, where = self._filtered([*columns, *order])
        return statements.select(table.source, table.infos, columns, where, self.first)

    def some(self, columns: Sequence[str], most: int) -> Select[Any]:
        """At most this many rows of the selection, with these columns in the source's types, named by their place."""
        order = [self.first.limit.order_by] if self.first else []
        table, where = self._filtered([*columns, *order])
        query = rows_where(profiles.select(table.source, self._of(table, columns)), table.source, where)
        return (first_rows(query, table, self.first) if self.first else query).limit(self.most(most))

    def infos(self, columns: Sequence[str]) -> list[ColumnInfo]:
        """The columns as the source describes them now."""
        return self._of(self.table(columns), columns)

    def _of(self, table: Table, columns: Sequence[str]) -> list[ColumnInfo]:
        return [table.column(name)[1] for name in columns]

    def count(self) -> Select[Any]:
        """The number of rows of the selection."""
        table, where = self._filtered([])
        return statements.count(table.source, where, self.first.limit.rows if self.first else None)

    def verdicts(self, items: Sequence[Item]) -> Select[Any]:
        """The rows of the selection, with 1 or 0 for each of these conditions: `met_0`, `met_1` …"""
        table = self.table([*fields(self.tree), *fields(Group("all", tuple(items)))])
        builder = Builder(table, self.clock, self.reach)
        met = [case((builder.item(item), ONE), else_=ZERO).label(f"met_{place}") for place, item in enumerate(items)]
        where = builder.group(self.tree)
        return sqlalchemy.select(*met).select_from(joined(table.source, builder.joins)).where(where)

    def everything(self) -> Select[Any]:
        """The number of rows of the whole model."""
        return statements.count(self.table([]).source)

    def preview_columns(self) -> list[str]:
        """The columns of a preview: all source columns, and the computed fields that conditions or the limit name.

        The other computed fields are left out, so that a preview does not read related rows for nothing.
        """
        named = {*fields(self.tree), *([self.first.limit.order_by] if self.first else [])}
        return [name for name in self.types if name in named or name not in self.computed]

    def most(self, rows: int) -> int:
        """This number of rows, or the size limit if it is lower."""
        return min(rows, self.first.limit.rows) if self.first else rows

    def table(self, columns: Sequence[str]) -> Table:
        """The table of the model, with the computed fields among `columns`."""
        return self.reach(self.model, columns)

    def _filtered(self, columns: Sequence[str]) -> tuple[Table, Filter | None]:
        table = self.table([*columns, *fields(self.tree)])
        return table, Builder(table, self.clock, self.reach).filter(self.tree)


def selection(rows: Segment | DataModel) -> Selection:
    """All rows of a model, or those of a segment, saved or not."""
    if isinstance(rows, Segment):
        return Selection(rows.model, rows.where or {}, rows.limit or {}, rows.name)
    return Selection(rows, {})


def ready(selection: Selection, reader: Reader | None, now: datetime) -> Query:
    """The query of a selection, built against the columns that its source has now; without a reader, the stored ones.

    Raises:
        Misconfigured: its conditions are not valid, or name columns that the source does not have.
    """
    model = selection.model
    clock, infos = Clock(now, zone(model.source)), _columns(model, reader)
    scope = model_scope(model, {name: info.type for name, info in infos.items()}, computed=selection.computed)

    @cache
    def source_columns(name: str) -> tuple[DataModel, Infos]:
        other = model if name == scope.name else DataModel.objects.get(source=model.source, name=name)
        return other, infos if other is model else _columns(other, reader)

    def reach(name: str, columns: Iterable[str]) -> Table:
        other = scope if name == scope.name else scope.models[name]
        formulas = computed_fields.formulas(other, columns)
        # A new table each time, with an alias of its own: one statement may read a model in several places.
        return with_computed(_table(*source_columns(name)), formulas, engine(model.source).computed, clock, reach)

    tree = parsing.parse(selection.where)
    refuse_missing(selection, [leaf.field for leaf in parsing.leaves(tree)], scope.types)
    tree = parsing.validate(tree, scope, name=selection.name)
    limit = limits.parse(selection.limit, scope.types)
    types = {name: ColumnType(column_type) for name, column_type in scope.types.items()}
    first = First(limit, model.primary_key, clock.zone) if limit else None
    return Query(types, reach, scope.name, tree, first, clock, scope.computed)


def other_spelling(name: str, columns: Iterable[str]) -> str:
    """PURE. The column whose name differs only in case, whitespace, hyphens or underscores; "" unless there is one."""
    similar = [other for other in columns if _letters(other) == _letters(name) and other != name]
    return similar[0] if len(similar) == 1 else ""


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold() or name


def refuse_missing(selection: Selection, wanted: Sequence[str], columns: Collection[str]) -> None:
    """Raises Misconfigured if a wanted column is not among `columns`."""
    for name in wanted:
        if name not in columns:
            other = other_spelling(name, columns)
            guess = f"perhaps it is called “{other}” now" if other else "it may have been removed or renamed"
            raise Misconfigured(
                "column_missing",
                f"The model “{selection.model.name}” has no column “{name}”; {guess}. "
                "Restore it in the source, or remove it from the segment or mapping that uses it.",
                where=name,
            )


def _table(model: DataModel, infos: Infos) -> Table:
    source = statements.relation(list(infos.values()), engine(model.source).dialect, table=model.table, sql=model.sql)
    return Table(source, infos, model.primary_key)


def _columns(model: DataModel, reader: Reader | None) -> dict[str, ColumnInfo]:
    """The columns that the source has now, with the names and types that are stored in the model.

    The stored type takes precedence, because some engines infer types from values: a single "n/a" in a CSV file would
    otherwise turn a column of numbers into text for all rows.
    """
    if reader is None:
        return stored(model)
    known = model.source_columns() if model.pk else {}
    natives = reader.natives(table=model.table, sql=model.sql, expected=known)
    if natives.keys() <= known.keys():
        present = [(known[name], native) for name, native in natives.items()]
        return {column.name: _info(column, native) for column, native in present if column.used}
    current = reader.columns(table=model.table, sql=model.sql)
    columns = {known[info.name].name: _info(known[info.name], info.native) for info in current if info.name in known}
    unused = {column.name for column in known.values() if not column.used}
    return {
        **{info.name: info for info in current if info.name not in known},
        **{name: info for name, info in columns.items() if name not in unused},
    }


def stored(model: DataModel) -> dict[str, ColumnInfo]:
    """The stored columns of the source, by the names that the model gives them."""
    if model.pk is None:
        return {}
    return {column.name: _info(column, column.native) for column in model.source_columns().values() if column.used}


def _info(column: Column, native: str) -> ColumnInfo:
    return ColumnInfo(column.source_name, ColumnType(column.type), native)
