"""PURE. A comparison of one value, as an expression: null meets `empty` and the negative operators, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, String, Text, and_, func, literal, literal_column, not_, or_, true, types

from segments.conditions.times import anniversary, days, moments
from segments.conditions.tree import NEGATIVE, Leaf, Related
from segments.contract import ColumnInfo, ColumnType
from segments.sql.terms import (
    BooleanValue,
    Exported,
    ListHas,
    Missing,
    NumberValue,
    OnDays,
    Position,
    TextIs,
    TextValue,
    TimeValue,
    Within,
    is_one_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

ZERO: ColumnElement[Any] = literal_column("0")
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
ANNIVERSARIES = ("anniversary", "anniversary_in")


@dataclass(frozen=True)
class Clock:
    """What relative times count from, and the zone of days."""

    now: datetime
    zone: ZoneInfo


def comparable(
    one: tuple[ColumnElement[Any], ColumnInfo], other: tuple[ColumnElement[Any], ColumnInfo]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Two columns so that equal values are equal, whatever types the source gave them."""
    types = {one[1].type, other[1].type}
    if types == {ColumnType.INTEGER} and one[1].native == other[1].native:
        return one[0], other[0]
    term = NumberValue if types <= set(NUMBERS) else TextValue
    return term(*one), term(*other)


def sortable(column: ColumnElement[Any], info: ColumnInfo, zone: ZoneInfo) -> ColumnElement[Any]:
    """A number, a date or a time as what is smaller or larger than another."""
    return NumberValue(column, info) if info.type in NUMBERS else TimeValue(column, info, zone)


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
    return _valued(
        TextValue(column, info) if info.type == ColumnType.TEXT else NumberValue(column, info),
        leaf.operator,
        leaf.value,
    )


def measured(value: ColumnElement[Any], info: ColumnInfo, item: Related, clock: Clock) -> ColumnElement[bool]:
    """A measure of related rows, compared; the sum of no rows is 0."""
    if item.measure == "sum":
        value = func.coalesce(value, ZERO)
    if item.operator in ("empty", "not_empty"):
        return value.is_(None) if item.operator == "empty" else value.is_not(None)
    leaf = Leaf("", item.operator, item.value)
    if info.type in NUMBERS:
        return _valued(value, item.operator, item.value)
    return func.coalesce(_within(value, info, leaf, clock), sqlalchemy.false())


def _within(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf, clock: Clock) -> ColumnElement[bool]:
    span = days if info.type == ColumnType.DATE else moments
    if leaf.operator not in ANNIVERSARIES:
        return Within(column, info, span(leaf.operator, leaf.value, clock.now, clock.zone), clock.zone)
    found = anniversary(leaf.value, clock.now, clock.zone)
    earlier = Within(column, info, span("before", found.latest + timedelta(days=1), clock.now, clock.zone), clock.zone)
    return and_(earlier, OnDays(column, info, found, clock.zone))


def _contains(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf) -> ColumnElement[bool]:
    has = ListHas(column, info, leaf.value, every=leaf.operator == "contains_all")
    if leaf.operator == "contains_none":
        return or_(Missing(column, info), not_(has))
    return and_(not_(Missing(column, info)), has)


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
            return value > bound(operand)
        case "at_least":
            return value >= bound(operand)
        case "less_than":
            return value < bound(operand)
        case "at_most":
            return value <= bound(operand)
        case "between":
            return value.between(bound(operand[0]), bound(operand[1]))
        case "contains":
            return Position(value, operand) > 0
        case "starts_with":
            return func.substr(value, 1, len(operand)) == bound(operand)
        case "ends_with":
            return func.substr(value, func.length(value) - (len(operand) - 1)) == bound(operand)
    raise ValueError(f"No SQL is known for the operator {operator!r}.")


def _equals(value: ColumnElement[Any], operands: Sequence[Any]) -> ColumnElement[bool]:
    if isinstance(value, TextValue):
        return TextIs(value.column, value.info, operands)
    return is_one_of(value, [bound(one) for one in operands])


def bound(value: Any) -> ColumnElement[Any]:
    if isinstance(value, str):
        return literal(value, String())
    return literal(value, types.BigInteger() if isinstance(value, int) else types.Numeric())
