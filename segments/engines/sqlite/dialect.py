"""PURE. The SQL of conditions in SQLite, which stores dates as text, booleans as numbers, and any type in any column.

It calls functions of our own, such as `as_number`, for what SQLite lacks. The engine adds them to every connection.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
)
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from segments.conditions.times import Days
from segments.contract import ColumnType
from segments.sql.aggregates import Aggregate, aggregate
from segments.sql.expressions import is_not_a_number, written
from segments.sql.terms import (
    BooleanValue,
    ListHas,
    Lowercase,
    Missing,
    NumberValue,
    OnDays,
    Position,
    TextValue,
    TimeValue,
    Within,
    on_days,
)
from segments.values import FALSE, TRUE

COMPUTED = {ColumnType.TEXT: "TEXT", ColumnType.INTEGER: "INTEGER", ColumnType.NUMBER: "NUMERIC"}
"""The native types of computed columns."""
LARGEST: ColumnElement[Any] = literal_column("1.7976931348623157e308")

dialect = SQLiteDialect_pysqlite(paramstyle="named")


@written(TextValue, "sqlite")
def _text(term: TextValue) -> ColumnElement[Any]:
    return cast(term.column, Text()).collate("BINARY")


@written(NumberValue, "sqlite")
def _number(term: NumberValue) -> ColumnElement[Any]:
    kind = func.typeof(term.column)
    return case(
        (kind == "integer", term.column),
        (and_(kind == "real", term.column.between(-LARGEST, LARGEST)), term.column),
        (kind == "text", func.as_number(_bytes(term.column))),
    )


@written(BooleanValue, "sqlite")
def _boolean(term: BooleanValue) -> ColumnElement[Any]:
    text = func.lower(cast(term.column, Text()))
    return case((text.in_(TRUE), literal_column("1")), (text.in_(FALSE), literal_column("0")))


@written(Missing, "sqlite")
def _missing(term: Missing) -> ColumnElement[Any]:
    text = cast(term.column, Text())
    if term.info.type in (ColumnType.INTEGER, ColumnType.NUMBER):
        return or_(term.column.is_(None), is_not_a_number(text))
    if term.info.type in (ColumnType.LIST, ColumnType.OBJECT):
        return or_(term.column.is_(None), text == literal("null", Text()))
    return term.column.is_(None)


@written(Within, "sqlite")
def _within(term: Within) -> ColumnElement[Any]:
    text = cast(term.column, Text())
    if isinstance(term.span, Days):
        first, last = (literal(day.isoformat(), Text()) for day in (term.span.first, term.span.last))
        return and_(_is_day(text), text.between(first, last))
    ends = [
        literal(f"{end:%Y-%m-%d %H:%M:%S.%f}".rjust(26, "0"), Text())
        for end in (*term.span.utc(), *term.span.local(term.zone))
    ]
    return func.is_within(_bytes(term.column), *ends, type_=Integer()) == literal_column("1")


@written(OnDays, "sqlite")
def _on_days(term: OnDays) -> ColumnElement[Any]:
    text = cast(term.column, Text())
    is_date = term.info.type == ColumnType.DATE
    return on_days(
        term,
        func.substr(text, 6, 5) if is_date else func.month_day(_bytes(term.column), literal(term.zone.key, Text())),
    )


@written(TimeValue, "sqlite")
def _time(term: TimeValue) -> ColumnElement[Any]:
    text = cast(term.column, Text())
    if term.info.type == ColumnType.DATE:
        return case((_is_day(text), text))
    return func.as_utc(_bytes(term.column), literal(term.zone.key, Text()))


@written(Lowercase, "sqlite")
def _small_letters(term: Lowercase) -> ColumnElement[Any]:
    return func.lowercase(_bytes(term.column))


@written(Position, "sqlite")
def _position(term: Position) -> ColumnElement[Any]:
    return func.instr(term.text, term.part)


@written(Aggregate, "sqlite")
def _aggregate(term: Aggregate) -> ColumnElement[Any]:
    if term.measure in ("sum", "average"):
        return (func.exact_sum if term.measure == "sum" else func.exact_average)(term.column)
    return aggregate(term, Numeric())


@written(ListHas, "sqlite")
def _list_has(term: ListHas) -> ColumnElement[Any]:
    wanted = literal(json.dumps(term.values), Text())
    return func.list_has(
        _bytes(term.column), wanted, literal_column(str(int(term.every))), type_=Integer()
    ) == literal_column("1")


def _is_day(text: ColumnElement[Any]) -> ColumnElement[bool]:
    """With '+0 days', because date() alone accepts February 30, and only arithmetic turns it into March 2."""
    return func.date(text, literal_column("'+0 days'")) == text


def _bytes(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The text as bytes, because the driver can't pass text that is not UTF-8 to a function of ours."""
    return cast(cast(column, Text()), LargeBinary())
