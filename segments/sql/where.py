"""PURE. A validated condition tree as what narrows a table: joins, and one condition over them.

A condition on related rows joins them grouped by their key, so that a row is never found twice, in whatever group of
conditions it stands, and without an index in the source. It is true or false and never null, so it can be denied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, literal_column, or_, true

from core.errors import Misconfigured
from segments.conditions.tree import EVERYTHING, Group, Item, Member, Related, fields
from segments.contract import ColumnInfo, ColumnType
from segments.sql.comparisons import ZERO, Clock, bound, comparable, compared, measured, sortable
from segments.sql.terms import Aggregate

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from segments.conditions.limits import Limit

Infos = Mapping[str, ColumnInfo]
"""The columns of a model by the names that the model gives them; the name inside is the source's."""
Join = tuple[FromClause, ColumnElement[bool]]
ONE: ColumnElement[Any] = literal_column("1")


@dataclass(frozen=True)
class Table:
    """What a model reads, as a statement names it."""

    source: FromClause
    infos: Infos
    primary_key: str = ""

    def column(self, name: str) -> tuple[ColumnElement[Any], ColumnInfo]:
        """Raises Misconfigured where the source has no such column any more."""
        info = self.infos.get(name)
        if info is None:
            raise Misconfigured(
                "column_missing",
                f"There is no column {name!r} in the source any more. Bring it back there.",
                where=name,
            )
        return self.source.c[info.name], info


@dataclass(frozen=True)
class Narrowing:
    """A condition, and the tables that it needs beside the one it narrows."""

    condition: ColumnElement[bool]
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True)
class First:
    """The first rows by a limit; ties by the primary key. `zone` is that of times without one."""

    limit: Limit
    primary_key: str
    zone: ZoneInfo


Reach = Callable[[str, Iterable[str]], Table]
"""(model, the columns of it that are needed) → its table."""


def nothing(model: str, _columns: Iterable[str]) -> Table:
    """Reaches no other model."""
    raise ValueError(f"The table of {model!r} is out of reach here.")


def narrowed(query: Select[Any], source: FromClause, where: Narrowing | None) -> Select[Any]:
    """The query over `source`, narrowed."""
    if where is None:
        return query.select_from(source)
    return query.select_from(joined(source, where.joins)).where(where.condition)


def joined(source: FromClause, joins: Iterable[Join]) -> FromClause:
    """Every row of `source`, beside what is found of the others."""
    for other, on in joins:
        source = source.outerjoin(other, on)
    return source


def ordered(query: Select[Any], table: Table, first: First) -> Select[Any]:
    """The first rows of the query: empty ones last, on every engine."""
    column, info = table.column(first.limit.order_by)
    value = sortable(column, info, first.zone)
    key = table.column(first.primary_key)[0]
    missing = case((value.is_(None), ONE), else_=ZERO)
    return query.order_by(missing, value.desc() if first.limit.descending else value.asc(), key).limit(first.limit.rows)


class Builder:
    """Builds the condition of one table, and gathers the joins that it needs."""

    def __init__(self, table: Table, clock: Clock, reach: Reach) -> None:
        self.table = table
        self.clock = clock
        self.reach = reach
        self.joins: list[Join] = []

    def narrowing(self, tree: Group) -> Narrowing | None:
        """None where the tree means all rows."""
        return Narrowing(self.group(tree), tuple(self.joins)) if tree.items else None

    def group(self, tree: Group) -> ColumnElement[bool]:
        parts = [self.item(item) for item in tree.items]
        if not parts:
            return true()
        return and_(*parts) if tree.combine == "all" else or_(*parts)

    def item(self, item: Item) -> ColumnElement[bool]:
        if isinstance(item, Group):
            return self.group(item)
        if isinstance(item, Member):
            return self.member(item)
        if isinstance(item, Related):
            return self.related(item)
        column, info = self.table.column(item.field)
        return compared(column, info, item, self.clock)

    def member(self, item: Member) -> ColumnElement[bool]:
        assert item.tree is not None
        within = self.group(item.tree) if item.limit is None else self.among_first(item, item.limit)
        # What is unknown of a row does not make it a member.
        return within if item.operator == "member" else case((within, ZERO), else_=ONE) == ONE

    def among_first(self, item: Member, limit: Limit) -> ColumnElement[bool]:
        """Whether the row is one of the first rows of a segment with a size limit."""
        tree = item.tree or EVERYTHING
        other = self.reach(item.model, [limit.order_by, *fields(tree)])
        inner = Builder(other, self.clock, self.reach)
        key = other.column(other.primary_key)[0]
        chosen = narrowed(sqlalchemy.select(key.label("key")), other.source, inner.narrowing(tree))
        first = ordered(chosen, other, First(limit, other.primary_key, self.clock.zone)).subquery("first")
        found = self.join(sqlalchemy.select(first.c.key).group_by(first.c.key), self.table.column(other.primary_key)[0])
        return found.c.key.is_not(None)

    def related(self, item: Related) -> ColumnElement[bool]:
        rows, own, info = self.found(item)
        if item.measure == "count":
            return self.counted(item, rows, own)
        measure = Aggregate(item.measure, rows.c.value, info)
        found = self.join(sqlalchemy.select(rows.c.key, measure.label("value")).group_by(rows.c.key), own)
        return measured(found.c.value, info, item, self.clock)

    def found(self, item: Related) -> tuple[FromClause, ColumnElement[Any], ColumnInfo]:
        """The related rows that count, as `key` and the `value` that is measured; what equals the key here; and what the value is."""
        assert item.link is not None
        other = self.reach(item.model, [item.column, *fields(item.where)])
        own, theirs = comparable(self.table.column(item.link.own), other.column(item.link.other))
        chosen = [theirs.label("key")]
        info = ColumnInfo("", ColumnType.INTEGER)
        if item.measure != "count":
            column, info = other.column(item.column)
            chosen.append(sortable(column, info, self.clock.zone).label("value"))
        inner = Builder(other, self.clock, self.reach)
        # Grouped by a column and not by an expression, whose parameters would differ from one place to the other.
        return (
            narrowed(sqlalchemy.select(*chosen), other.source, inner.narrowing(item.where)).subquery("found"),
            own,
            info,
        )

    def counted(self, item: Related, rows: FromClause, own: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether enough rows share the key: databases know how to join those that are there, or those that are not."""
        if item.operator == "at_least" and item.value == 0:
            return true()
        wanted, having = _keys_that(item)
        grouped = sqlalchemy.select(rows.c.key).group_by(rows.c.key)
        found = self.join(grouped if having is None else grouped.having(having), own)
        return found.c.key.is_not(None) if wanted else found.c.key.is_(None)

    def join(self, grouped: Select[Any], own: ColumnElement[Any]) -> FromClause:
        """Joins rows with a `key` each, where it equals `own`."""
        found = grouped.subquery(f"related_{len(self.joins) + 1}")
        self.joins.append((found, found.c.key == own))
        return found


def _keys_that(item: Related) -> tuple[bool, ColumnElement[bool] | None]:
    """Which keys to look for, and whether a row must have one of them or none."""
    count = func.count()
    if item.operator == "at_least":
        return True, count >= bound(item.value) if item.value > 1 else None
    if item.operator == "exactly" and item.value:
        return True, count == bound(item.value)
    return False, count > bound(item.value) if item.operator == "at_most" and item.value else None
