"""PURE. A validated condition tree as a filter on a table: joins, and one condition over them.

A condition on related rows joins a subquery in which they are grouped by key. So it never duplicates a row, works in
any group of conditions, and needs no index in the source. It is always true or false, never null, so it can be negated.
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
from segments.sql.aggregates import Aggregate
from segments.sql.comparisons import ZERO, Clock, bound, comparable, compare, compare_measure, sortable

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from segments.conditions.limits import Limit

Infos = Mapping[str, ColumnInfo]
"""The columns of a model, by the names that the model gives them; `ColumnInfo.name` is the name in the source."""
Join = tuple[FromClause, ColumnElement[bool]]
ONE: ColumnElement[Any] = literal_column("1")


@dataclass(frozen=True)
class Table:
    """The table or subquery that a model reads, in a statement."""

    source: FromClause
    infos: Infos
    primary_key: str = ""

    def column(self, name: str) -> tuple[ColumnElement[Any], ColumnInfo]:
        """Raises Misconfigured if the source no longer has the column."""
        info = self.infos.get(name)
        if info is None:
            raise Misconfigured(
                "column_missing",
                f"The source no longer has the column “{name}”. Restore it in the source.",
                where=name,
            )
        return self.source.c[info.name], info


@dataclass(frozen=True)
class Filter:
    """A condition, and the additional tables that it needs."""

    condition: ColumnElement[bool]
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True)
class First:
    """The first rows by a limit, with ties broken by the primary key. `zone` applies to times that have none."""

    limit: Limit
    primary_key: str
    zone: ZoneInfo


Reach = Callable[[str, Iterable[str]], Table]
"""(model, its columns that are needed) → its table."""


def no_other_model(model: str, _columns: Iterable[str]) -> Table:
    """A `Reach` for conditions that refer to no other model."""
    raise ValueError(f"The table of {model!r} is not available here.")


def rows_where(query: Select[Any], source: FromClause, where: Filter | None) -> Select[Any]:
    """The query over the rows of `source` that match `where`."""
    if where is None:
        return query.select_from(source)
    return query.select_from(joined(source, where.joins)).where(where.condition)


def joined(source: FromClause, joins: Iterable[Join]) -> FromClause:
    """Every row of `source`, with the matching rows of the other tables."""
    for other, on in joins:
        source = source.outerjoin(other, on)
    return source


def first_rows(query: Select[Any], table: Table, first: First) -> Select[Any]:
    """The first rows of the query. Rows without a value come last on every engine."""
    column, info = table.column(first.limit.order_by)
    value = sortable(column, info, first.zone)
    key = table.column(first.primary_key)[0]
    missing = case((value.is_(None), ONE), else_=ZERO)
    return query.order_by(missing, value.desc() if first.limit.descending else value.asc(), key).limit(first.limit.rows)


class Builder:
    """Builds the condition on one table, and collects the joins that it needs."""

    def __init__(self, table: Table, clock: Clock, reach: Reach) -> None:
        self.table = table
        self.clock = clock
        self.reach = reach
        self.joins: list[Join] = []

    def filter(self, tree: Group) -> Filter | None:
        """The tree as a filter; None if it matches all rows."""
        return Filter(self.group(tree), tuple(self.joins)) if tree.items else None

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
        return compare(column, info, item, self.clock)

    def member(self, item: Member) -> ColumnElement[bool]:
        assert item.tree is not None
        belongs = self.group(item.tree) if item.limit is None else self.among_first(item, item.limit)
        # A condition that is null for a row does not make the row a member. NOT would keep the null, CASE does not.
        return belongs if item.operator == "member" else case((belongs, ZERO), else_=ONE) == ONE

    def among_first(self, item: Member, limit: Limit) -> ColumnElement[bool]:
        """Whether the row is one of the first rows of a segment with a size limit."""
        tree = item.tree or EVERYTHING
        other = self.reach(item.model, [limit.order_by, *fields(tree)])
        inner = Builder(other, self.clock, self.reach)
        key = other.column(other.primary_key)[0]
        keys = rows_where(sqlalchemy.select(key.label("key")), other.source, inner.filter(tree))
        first = first_rows(keys, other, First(limit, other.primary_key, self.clock.zone)).subquery("first")
        own = self.table.column(other.primary_key)[0]
        members = self.join(sqlalchemy.select(first.c.key).group_by(first.c.key), own)
        return members.c.key.is_not(None)

    def related(self, item: Related) -> ColumnElement[bool]:
        rows, own, info = self.related_rows(item)
        if item.measure == "count":
            return self.has_count(item, rows, own)
        measure = Aggregate(item.measure, rows.c.value, info)
        grouped = self.join(sqlalchemy.select(rows.c.key, measure.label("value")).group_by(rows.c.key), own)
        return compare_measure(grouped.c.value, info, item, self.clock)

    def related_rows(self, item: Related) -> tuple[FromClause, ColumnElement[Any], ColumnInfo]:
        """The related rows that count.

        Returns:
            a subquery of these rows, with their `key` and, unless they are only counted, the `value` to measure; the
            expression in this table that equals the key; and a description of the value.
        """
        assert item.link is not None
        other = self.reach(item.model, [item.column, *fields(item.where)])
        own, key = comparable(self.table.column(item.link.own), other.column(item.link.other))
        columns = [key.label("key")]
        info = ColumnInfo("", ColumnType.INTEGER)
        if item.measure != "count":
            column, info = other.column(item.column)
            columns.append(sortable(column, info, self.clock.zone).label("value"))
        inner = Builder(other, self.clock, self.reach)
        # A subquery, so that the caller groups by a column. An expression would appear in SELECT and in GROUP BY with
        # separate bound parameters, and databases would not recognize the two as the same.
        rows = rows_where(sqlalchemy.select(*columns), other.source, inner.filter(item.where)).subquery("found")
        return rows, own, info

    def has_count(self, item: Related, rows: FromClause, own: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether the number of related rows matches.

        Keys are joined and then required to be present or absent, because databases execute such semi-joins and
        anti-joins efficiently. "At most 2" also matches rows without any related row, so the keys with a count above 2
        are joined, and must be absent.
        """
        if item.operator == "at_least" and item.value == 0:
            return true()
        is_present, having = _keys_to_join(item)
        grouped = sqlalchemy.select(rows.c.key).group_by(rows.c.key)
        keys = self.join(grouped if having is None else grouped.having(having), own)
        return keys.c.key.is_not(None) if is_present else keys.c.key.is_(None)

    def join(self, grouped: Select[Any], own: ColumnElement[Any]) -> FromClause:
        """Joins rows that each have a distinct `key`, on `key` equal to `own`."""
        subquery = grouped.subquery(f"related_{len(self.joins) + 1}")
        self.joins.append((subquery, subquery.c.key == own))
        return subquery


def _keys_to_join(item: Related) -> tuple[bool, ColumnElement[bool] | None]:
    """Whether a joined key must be present or absent, and which counts are joined (None for all)."""
    count = func.count()
    if item.operator == "at_least":
        return True, count >= bound(item.value) if item.value > 1 else None
    if item.operator == "exactly" and item.value:
        return True, count == bound(item.value)
    return False, count > bound(item.value) if item.operator == "at_most" and item.value else None
