"""PURE. A validated condition tree as what narrows a table: joins, and one condition over them.

A condition on related rows joins them grouped by their key, so that a row is never found twice, in whatever group of
conditions it stands, and without an index in the source. It is true or false and never null, so it can be denied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy
from sqlalchemy import ColumnElement, FromClause, Select, String, Text, and_, case, func, literal, literal_column, not_, or_, true, types

from core.errors import Misconfigured
from segments.contract import ColumnInfo, ColumnType
from segments.limits import Limit
from segments.terms import BooleanValue, Exported, ListHas, Missing, NumberValue, Position, TextIs, TextValue, TimeValue, Within, is_one_of
from segments.times import days, moments
from segments.tree import NEGATIVE, Group, Item, Leaf, Member, Related

Infos = Mapping[str, ColumnInfo]
"""The columns of a model by the names that the model gives them; the name inside is the source's."""
Join = tuple[FromClause, ColumnElement[bool]]
ONE: ColumnElement[Any] = literal_column("1")
ZERO: ColumnElement[Any] = literal_column("0")
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
_MEASURES: Mapping[str, Callable[[Any], ColumnElement[Any]]] = {
    "sum": func.sum,
    "average": func.avg,
    "min": func.min,
    "max": func.max,
}


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
            raise Misconfigured("column_missing", f"There is no column {name!r} in the source any more. Bring it back there.", where=name)
        return self.source.c[info.name], info


@dataclass(frozen=True)
class Clock:
    """What relative times count from, and the zone of days."""

    now: datetime
    zone: ZoneInfo


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


Reach = Callable[[str], Table]


def nothing(model: str) -> Table:
    """Reaches no other model."""
    raise ValueError(f"The table of {model!r} is out of reach here.")


def narrowed(query: Select[Any], source: FromClause, where: Narrowing | None) -> Select[Any]:
    """The query over `source`, narrowed."""
    if where is None:
        return query.select_from(source)
    joined = source
    for other, on in where.joins:
        joined = joined.outerjoin(other, on)
    return query.select_from(joined).where(where.condition)


def ordered(query: Select[Any], table: Table, first: First) -> Select[Any]:
    """The first rows of the query: empty ones last, on every engine."""
    column, info = table.column(first.limit.order_by)
    value = comparable(column, info, first.zone)
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
        other = self.reach(item.model)
        inner = Builder(other, self.clock, self.reach)
        key, info = other.column(other.primary_key)
        chosen = narrowed(sqlalchemy.select(key.label("key")), other.source, inner.narrowing(item.tree or Group("all")))
        first = ordered(chosen, other, First(limit, other.primary_key, self.clock.zone)).subquery("first")
        found = self.join(sqlalchemy.select(first.c.key).group_by(first.c.key), self.table.column(other.primary_key)[0])
        return found.c.key.is_not(None)

    def related(self, item: Related) -> ColumnElement[bool]:
        link = item.link
        assert link is not None
        other = self.reach(item.model)
        own, theirs = joinable(self.table.column(link.own), other.column(link.other))
        chosen = [theirs.label("key")]
        info = ColumnInfo("", ColumnType.INTEGER)
        if item.measure != "count":
            column, info = other.column(item.column)
            chosen.append(comparable(column, info, self.clock.zone).label("value"))
        inner = Builder(other, self.clock, self.reach)
        # Grouped by a column and not by an expression, whose parameters would differ from one place to the other.
        rows = narrowed(sqlalchemy.select(*chosen), other.source, inner.narrowing(item.where)).subquery("found")
        if item.measure == "count":
            return self.counted(item, rows, own)
        measure = _MEASURES[item.measure](rows.c.value)
        found = self.join(sqlalchemy.select(rows.c.key, measure.label("value")).group_by(rows.c.key), own)
        return _measured(found.c.value, info, item, self.clock)

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


def comparable(column: ColumnElement[Any], info: ColumnInfo, zone: ZoneInfo) -> ColumnElement[Any]:
    """A number, a date or a time as what is smaller or larger than another."""
    return NumberValue(column, info) if info.type in _NUMBERS else TimeValue(column, info, zone)


def joinable(
    one: tuple[ColumnElement[Any], ColumnInfo], other: tuple[ColumnElement[Any], ColumnInfo]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Two columns so that equal values are equal, whatever types the source gave them."""
    types = {one[1].type, other[1].type}
    if types == {ColumnType.INTEGER} and one[1].native == other[1].native:
        return one[0], other[0]
    term = NumberValue if types <= set(_NUMBERS) else TextValue
    return term(*one), term(*other)


def compared(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf, clock: Clock) -> ColumnElement[bool]:
    """One condition on one column."""
    if leaf.operator == "empty":
        return _empty(column, info)
    if leaf.operator == "not_empty":
        return not_(_empty(column, info))
    if info.type in (ColumnType.DATE, ColumnType.TIMESTAMP):
        return _within(column, info, leaf, clock)
    if info.type in (ColumnType.LIST, ColumnType.OBJECT):
        return _contains(column, info, leaf)
    if info.type == ColumnType.BOOLEAN:
        return BooleanValue(column, info).is_(true() if leaf.value else sqlalchemy.false())
    return _valued(TextValue(column, info) if info.type == ColumnType.TEXT else NumberValue(column, info), leaf.operator, leaf.value)


def _keys_that(item: Related) -> tuple[bool, ColumnElement[bool] | None]:
    """Which keys to look for, and whether a row must have one of them or none."""
    count = func.count()
    if item.operator == "at_least":
        return True, count >= _bound(item.value) if item.value > 1 else None
    if item.operator == "exactly" and item.value:
        return True, count == _bound(item.value)
    return False, count > _bound(item.value) if item.operator == "at_most" and item.value else None


def _measured(value: ColumnElement[Any], info: ColumnInfo, item: Related, clock: Clock) -> ColumnElement[bool]:
    if item.measure == "sum":
        value = func.coalesce(value, ZERO)
    if item.operator in ("empty", "not_empty"):
        return value.is_(None) if item.operator == "empty" else value.is_not(None)
    leaf = Leaf("", item.operator, item.value)
    if info.type in _NUMBERS:
        return _valued(value, item.operator, item.value)
    return func.coalesce(_within(value, info, leaf, clock), sqlalchemy.false())


def _within(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf, clock: Clock) -> ColumnElement[bool]:
    span = days if info.type == ColumnType.DATE else moments
    return Within(column, info, span(leaf.operator, leaf.value, clock.now, clock.zone), clock.zone)


def _contains(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf) -> ColumnElement[bool]:
    has = [ListHas(column, info, value) for value in leaf.value]
    if leaf.operator == "contains_none":
        return or_(Missing(column, info), not_(or_(*has)))
    return and_(not_(Missing(column, info)), or_(*has) if leaf.operator == "contains_any" else and_(*has))


def _empty(column: ColumnElement[Any], info: ColumnInfo) -> ColumnElement[bool]:
    missing = Missing(column, info)
    if info.type == ColumnType.TEXT:
        return or_(missing, TextValue(column, info) == literal("", Text()))
    if info.type in (ColumnType.LIST, ColumnType.OBJECT):
        text = func.replace(TextValue(Exported(column, info), ColumnInfo(info.name, ColumnType.TEXT)), " ", "")
        return or_(missing, text.in_(["[]", "{}"]))
    return missing


def _valued(value: ColumnElement[Any], operator: str, operand: Any) -> ColumnElement[bool]:
    if operator in NEGATIVE:
        return or_(value.is_(None), not_(_met(value, NEGATIVE[operator], operand)))
    return _met(value, operator, operand)


def _met(value: ColumnElement[Any], operator: str, operand: Any) -> ColumnElement[bool]:
    match operator:
        case "equals" | "one_of":
            return _equals(value, operand if operator == "one_of" else [operand])
        case "greater_than":
            return value > _bound(operand)
        case "at_least":
            return value >= _bound(operand)
        case "less_than":
            return value < _bound(operand)
        case "at_most":
            return value <= _bound(operand)
        case "between":
            return value.between(_bound(operand[0]), _bound(operand[1]))
        case "contains":
            return Position(value, operand) > 0
        case "starts_with":
            return func.substr(value, 1, len(operand)) == _bound(operand)
        case "ends_with":
            return func.substr(value, func.length(value) - (len(operand) - 1)) == _bound(operand)
    raise ValueError(f"No SQL is known for the operator {operator!r}.")


def _equals(value: ColumnElement[Any], operands: Sequence[Any]) -> ColumnElement[bool]:
    if isinstance(value, TextValue):
        return TextIs(value.column, value.info, operands)
    return is_one_of(value, [_bound(one) for one in operands])


def _bound(value: Any) -> ColumnElement[Any]:
    if isinstance(value, str):
        return literal(value, String())
    return literal(value, types.BigInteger() if isinstance(value, int) else types.Numeric())
