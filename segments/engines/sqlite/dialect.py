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
from segments.contract import ColumnInfo, ColumnType
from segments.engines.declared_types import Declared
from segments.sql.aggregates import Aggregate, aggregate
from segments.sql.expressions import is_not_a_number, written
from segments.sql.terms import (
    BooleanValue,
    Exported,
    KeyText,
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
    whole_number,
)
from segments.values import FALSE, TRUE

COMPUTED = {ColumnType.TEXT: "TEXT", ColumnType.INTEGER: "INTEGER", ColumnType.NUMBER: "NUMERIC"}
"""The native types of computed columns."""
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
EPOCHS = {Declared.EPOCH_SECONDS.value: "1.0", Declared.EPOCH_MILLISECONDS.value: "1000.0"}
"""By the native type of a column that is declared to be an epoch: how many of its units are a second."""
LARGEST: ColumnElement[Any] = literal_column("1.7976931348623157e308")

dialect = SQLiteDialect_pysqlite(paramstyle="named")


@written(TextValue, "sqlite")
def _text(term: TextValue) -> ColumnElement[Any]:
    return _spelled(term.column).collate("BINARY")


@written(KeyText, "sqlite")
def _key_text(term: KeyText) -> ColumnElement[Any]:
    text = TextValue(term.column, term.info)
    return whole_number(text) if term.info.type in NUMBERS else text


@written(Exported, "sqlite")
def _exported(term: Exported) -> ColumnElement[Any]:
    return _as_time(term.column, term.info)


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
    if term.info.type in NUMBERS:
        return or_(term.column.is_(None), is_not_a_number(text))
    if term.info.type in (ColumnType.LIST, ColumnType.OBJECT):
        return or_(term.column.is_(None), text == literal("null", Text()))
    return term.column.is_(None)


@written(Within, "sqlite")
def _within(term: Within) -> ColumnElement[Any]:
    column = _as_time(term.column, term.info)
    text = cast(column, Text())
    if isinstance(term.span, Days):
        first, last = (literal(day.isoformat(), Text()) for day in (term.span.first, term.span.last))
        return and_(_is_day(text), text.between(first, last))
    ends = [
        literal(f"{end:%Y-%m-%d %H:%M:%S.%f}".rjust(26, "0"), Text())
        for end in (*term.span.utc(), *term.span.local(term.zone))
    ]
    return func.is_within(_bytes(column), *ends, type_=Integer()) == literal_column("1")


@written(OnDays, "sqlite")
def _on_days(term: OnDays) -> ColumnElement[Any]:
    column = _as_time(term.column, term.info)
    text = cast(column, Text())
    is_date = term.info.type == ColumnType.DATE
    return on_days(
        term,
        func.substr(text, 6, 5) if is_date else func.month_day(_bytes(column), literal(term.zone.key, Text())),
    )


@written(TimeValue, "sqlite")
def _time(term: TimeValue) -> ColumnElement[Any]:
    text = cast(term.column, Text())
    if term.info.type == ColumnType.DATE:
        return case((_is_day(text), text))
    return func.as_utc(_bytes(_as_time(term.column, term.info)), literal(term.zone.key, Text()))


@written(Lowercase, "sqlite")
def _small_letters(term: Lowercase) -> ColumnElement[Any]:
    return func.lowercase(cast(_spelled(term.column), LargeBinary()))


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


def _spelled(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value as text, or in hexadecimal if it is not text, as it is read."""
    in_hexadecimal = literal("\\x", Text()).concat(func.lower(func.hex(column)))
    return case((func.typeof(column) == "blob", in_hexadecimal), else_=cast(column, Text()))


def _as_time(column: ColumnElement[Any], info: ColumnInfo) -> ColumnElement[Any]:
    """A column that is declared to count seconds or milliseconds since 1970 as a time in UTC, any other as it is."""
    unit = EPOCHS.get(info.native)
    if unit is None or info.type != ColumnType.TIMESTAMP:
        return column
    seconds = column.op("/")(literal_column(unit))
    time = func.strftime(literal("%Y-%m-%d %H:%M:%fZ", Text()), seconds, literal("unixepoch", Text()))
    is_number = func.typeof(column).in_(["integer", "real"])
    return case((is_number, time), else_=column)


def _is_day(text: ColumnElement[Any]) -> ColumnElement[bool]:
    """With '+0 days', because date() alone accepts February 30, and only arithmetic turns it into March 2."""
    return func.date(text, literal_column("'+0 days'")) == text


def _bytes(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The text as bytes, because the driver can't pass text that is not UTF-8 to a function of ours."""
    return cast(cast(column, Text()), LargeBinary())
