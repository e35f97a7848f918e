"""PURE. Comparisons of one value as SQL expressions. A null matches only `empty` and the negative operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, String, Text, and_, func, literal, literal_column, not_, or_, true, types

from segments.conditions.times import anniversary, day_span, time_span
from segments.conditions.tree import NEGATIVE, Leaf, Related
from segments.contract import ColumnInfo, ColumnType
from segments.sql.expressions import is_one_of
from segments.sql.terms import (
    BooleanValue,
    Exported,
    KeyText,
    ListHas,
    Missing,
    NumberValue,
    OnDays,
    Operand,
    Position,
    TextIs,
    TextValue,
    TimeValue,
    Within,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

ZERO: ColumnElement[Any] = literal_column("0")
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
ANNIVERSARIES = ("anniversary", "anniversary_in")


@dataclass(frozen=True)
class Clock:
    """The time from which relative times count, and the zone that decides when a day begins."""

    now: datetime
    zone: ZoneInfo


def comparable(
    left: tuple[ColumnElement[Any], ColumnInfo], right: tuple[ColumnElement[Any], ColumnInfo]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Two columns in a form in which equal values compare as equal, even if the columns have different types.

    Integers of the same native type are compared as they are, which is fastest. If a column of text is compared with a
    column of numbers, both are compared as text, in which a whole number is its digits.
    """
    types = {left[1].type, right[1].type}
    same = left[1].native == right[1].native
    if types == {ColumnType.INTEGER} and same:
        return left[0], right[0]
    if types <= set(NUMBERS):
        return NumberValue(*left), NumberValue(*right)
    # Only if both ignore case, they are compared so.
    term = TextValue if same else KeyText
    return term(*left), term(*right)


def sortable(column: ColumnElement[Any], info: ColumnInfo, zone: ZoneInfo) -> ColumnElement[Any]:
    """A number, date or time in a form that sorts correctly."""
    return NumberValue(column, info) if info.type in NUMBERS else TimeValue(column, info, zone)


def compare(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf, clock: Clock) -> ColumnElement[bool]:
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
    value = TextValue(column, info) if info.type == ColumnType.TEXT else NumberValue(column, info)
    return _compare_value(value, leaf.operator, leaf.value)


def compare_measure(value: ColumnElement[Any], info: ColumnInfo, item: Related, clock: Clock) -> ColumnElement[bool]:
    """The comparison of a measure of related rows. The sum of no rows is 0."""
    if item.measure == "sum":
        value = func.coalesce(value, ZERO)
    if item.operator in ("empty", "not_empty"):
        return value.is_(None) if item.operator == "empty" else value.is_not(None)
    leaf = Leaf("", item.operator, item.value)
    if info.type in NUMBERS:
        return _compare_value(value, item.operator, item.value)
    return func.coalesce(_within(value, info, leaf, clock), sqlalchemy.false())


def _within(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf, clock: Clock) -> ColumnElement[bool]:
    span = day_span if info.type == ColumnType.DATE else time_span
    if leaf.operator not in ANNIVERSARIES:
        return Within(column, info, span(leaf.operator, leaf.value, clock.now, clock.zone), clock.zone)
    days = anniversary(leaf.value, clock.now, clock.zone)
    earlier = Within(column, info, span("before", days.latest + timedelta(days=1), clock.now, clock.zone), clock.zone)
    return and_(earlier, OnDays(column, info, days, clock.zone))


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


def _compare_value(value: ColumnElement[Any], operator: str, operand: Any) -> ColumnElement[bool]:
    if operator in NEGATIVE:
        return or_(value.is_(None), not_(_matches(value, NEGATIVE[operator], operand)))
    return _matches(value, operator, operand)


def _matches(value: ColumnElement[Any], operator: str, operand: Any) -> ColumnElement[bool]:
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
            return Position(value, _operand(value, operand)) > 0
        case "starts_with":
            return func.substr(value, 1, len(operand)) == _operand(value, operand)
        case "ends_with":
            return func.substr(value, func.length(value) - (len(operand) - 1)) == _operand(value, operand)
    raise ValueError(f"The operator {operator!r} has no SQL.")


def _equals(value: ColumnElement[Any], operands: Sequence[Any]) -> ColumnElement[bool]:
    if isinstance(value, TextValue):
        return TextIs(value.column, value.info, operands)
    return is_one_of(value, [bound(operand) for operand in operands])


def _operand(value: ColumnElement[Any], operand: str) -> ColumnElement[Any]:
    return Operand(operand, value.info) if isinstance(value, TextValue) else bound(operand)


def bound(value: Any) -> ColumnElement[Any]:
    """The value as a bound parameter."""
    if isinstance(value, str):
        return literal(value, String())
    return literal(value, types.BigInteger() if isinstance(value, int) else types.Numeric())
