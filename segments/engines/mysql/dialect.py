"""PURE. The SQL of conditions in MySQL and MariaDB.

Text is compared as bytes: every collation that both servers have treats `FR` and `fr`, or `FR` and `FR `, as equal.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, cast, func, literal, literal_column, or_, select, types
from sqlalchemy.dialects.mysql import CHAR
from sqlalchemy.dialects.mysql.mysqldb import MySQLCompiler_mysqldb
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.sql.elements import Null

from segments.conditions.times import Days
from segments.contract import ColumnInfo, ColumnType
from segments.engines.mysql.column_types import BINARY, GEOMETRY, PLAIN_TEXT
from segments.sql.aggregates import Aggregate, aggregate
from segments.sql.expressions import between, is_one_of, written
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
    Term,
    TextIs,
    TextValue,
    TimeValue,
    Within,
    on_days,
)

Element = ColumnElement[Any]
COMPUTED = {ColumnType.TEXT: "varchar", ColumnType.INTEGER: "bigint", ColumnType.NUMBER: "decimal"}
"""The native types of computed columns."""


class MySQLCompiler(MySQLCompiler_mysqldb):
    """Counts positions and lengths in characters, even though text is handled as bytes."""

    def visit_substr_func(self, func: Any, **options: Any) -> str:
        text, *bounds = [self.process(clause, **options) for clause in func.clauses]
        return f"CAST(SUBSTR({_characters(text)}, {', '.join(bounds)}) AS BINARY)"

    def visit_length_func(self, func: Any, **options: Any) -> str:
        return f"CHAR_LENGTH({_characters(self.process(func.clauses, **options))})"


class MySQLDialect(MySQLDialect_pymysql):
    supports_statement_cache = False
    statement_compiler = MySQLCompiler


dialect = MySQLDialect(paramstyle="pyformat")


def _characters(text: str) -> str:
    return f"CONVERT({text} USING utf8mb4)"


@written(TextValue, "mysql")
def _text(term: TextValue) -> Element:
    return cast(_in_utf8(term), types.LargeBinary())


@written(Lowercase, "mysql")
def _small_letters(term: Lowercase) -> Element:
    # Lowercased before it becomes bytes, which have no case.
    return cast(func.lower(_in_utf8(term)), types.LargeBinary())


@written(TextIs, "mysql")
def _text_is(term: TextIs) -> Element:
    exact = is_one_of(TextValue(term.column, term.info), term.texts)
    # Comparing bytes uses no index. But equal bytes are equal in every collation, so comparing the column as well lets
    # an index narrow down the rows. Only for ASCII, because the servers refuse text that the column can't encode.
    plain = re.fullmatch(PLAIN_TEXT, term.info.native) and all(str(text.column.value).isascii() for text in term.texts)
    return and_(is_one_of(term.column, term.texts), exact) if plain else exact


@written(KeyText, "mysql")
def _key_text(term: KeyText) -> Element:
    text = TextValue(term.column, term.info)
    if term.info.type != ColumnType.NUMBER or term.info.native.startswith("float"):
        return text
    whole = func.floor(term.column)
    return case((term.column == whole, TextValue(whole, ColumnInfo("", ColumnType.NUMBER, "decimal"))), else_=text)


@written(NumberValue, "mysql")
def _number(term: NumberValue) -> Element:
    native = term.info.native
    if native.startswith("float"):
        return _shortest(term.column, native)
    return _plus_zero(term.column) if native.startswith(("bit", "year")) else term.column


@written(BooleanValue, "mysql")
def _boolean(term: BooleanValue) -> Element:
    value = _plus_zero(term.column)
    return case(
        (value == literal_column("1"), literal_column("1")), (value == literal_column("0"), literal_column("0"))
    )


@written(Missing, "mysql")
def _missing(term: Missing) -> Element:
    if term.info.type in (ColumnType.DATE, ColumnType.TIMESTAMP):
        # In a NOT NULL column, the servers consider 0000-00-00 to be null.
        return cast(term.column, CHAR()).is_(Null())
    if term.info.native == "json":
        return func.coalesce(cast(term.column, CHAR()), literal_column("'null'")) == literal_column("'null'")
    return term.column.is_(Null())


@written(Within, "mysql")
def _within(term: Within) -> Element:
    return and_(_in_span(term), _is_valid_day(term.column))


@written(TimeValue, "mysql")
def _time(term: TimeValue) -> Element:
    return case((_is_valid_day(term.column), term.column))


def _is_valid_day(column: Element) -> Element:
    """False for 0000-00-00 and 2024-02-00, which the servers can store although they are not days."""
    return and_(func.month(column) > literal_column("0"), func.dayofmonth(column) > literal_column("0"))


def _in_span(term: Within) -> Element:
    if isinstance(term.span, Days):
        return between(term.column, term.span)
    # The session is in UTC. A `timestamp` is a point in time, and a `datetime` is a local time in the source's zone.
    zoned = term.info.native.startswith("timestamp")
    ends = term.span.utc() if zoned else term.span.local(term.zone)
    first, last = (literal(end.replace(tzinfo=None), types.DateTime()) for end in ends)
    return and_(term.column >= first, term.column <= last)


@written(OnDays, "mysql")
def _on_days(term: OnDays) -> Element:
    if term.info.native.startswith("timestamp"):
        # Servers know time zones by name only if someone has loaded them, so each year's days become a span in UTC.
        # Timestamps begin with 1970 in UTC, which is still 1969 in some zones.
        spans = term.anniversary.spans(range(1969, term.anniversary.latest.year + 1), term.zone)
        return or_(*(Within(term.column, term.info, span, term.zone) for span in spans))
    return on_days(term, func.date_format(term.column, literal("%m-%d", types.Text())))


@written(Position, "mysql")
def _position(term: Position) -> Element:
    return func.locate(term.part, term.text)


@written(Exported, "mysql")
def _exported(term: Exported) -> Element:
    return _readable(term.column, term.info.native)


def _in_utf8(term: Term) -> Element:
    """The text in the encoding of the conditions' values, because the column may be stored in a different one."""
    return func.convert(_readable(term.column, term.info.native).op("USING")(literal_column("utf8mb4")))


def _readable(column: Element, native: str) -> Element:
    """A readable form of values that the server would otherwise send as bytes or without a time zone."""
    if native.startswith(("bit", "year")):
        return _plus_zero(column)
    if native.startswith("float"):
        return _shortest(column, native)
    if native.startswith("timestamp"):
        return func.concat(cast(column, CHAR()), literal_column("'Z'"))
    if re.fullmatch(BINARY, native):
        return func.concat(literal_column(r"'\\x'"), func.lower(func.hex(column)))
    if re.fullmatch(GEOMETRY, native):
        return func.st_astext(column)
    return column


def _shortest(column: Element, native: str) -> Element:
    """A single-precision number as the double with the fewest digits that mean it, such as 123456.78.

    The servers show only six digits, and calculate with its exact value, 123456.78125.
    """
    six = _as_double(cast(column, CHAR()))
    if "," in native:
        # A declared number of decimals, which the servers show.
        return six
    exact = _as_double(column)
    size = func.abs(exact)
    exponent = func.floor(func.log10(size))
    mantissa = exact / func.pow(literal_column("10"), exponent)

    def rounded(digits: int) -> Element:
        written = func.concat(func.round(mantissa, literal_column(str(digits - 1))), literal_column("'e'"), exponent)
        return _as_double(written)

    half_step: Element = func.pow(literal_column("2"), func.floor(func.log2(size)) - literal_column("24"))
    fits = [(func.abs(short - exact) < half_step, short) for short in (six, rounded(7), rounded(8))]
    return case(*fits, else_=func.coalesce(rounded(9), exact))


def _as_double(value: Element) -> Element:
    return value.op("+", return_type=types.Double())(literal_column("0e0"))


def _plus_zero(column: Element) -> Element:
    return column.op("+")(literal_column("0"))


@written(Aggregate, "mysql")
def _aggregate(term: Aggregate) -> Element:
    return aggregate(term, types.Numeric(65, 9))


@written(ListHas, "mysql")
def _list_has(term: ListHas) -> Element:
    """Without the servers' own JSON search, which misreads escaped characters, and also searches nested lists."""
    elements = func.json_table(term.column, literal_column("'$[*]' COLUMNS (element LONGTEXT PATH '$')")).alias(
        "elements"
    )
    element = cast(literal_column("elements.element"), types.LargeBinary())
    matches = is_one_of(element, [literal(value, types.String()) for value in term.values])
    matched: Select[Any] = (
        select(func.count(element.distinct())).select_from(elements).where(matches).correlate_except(elements)
    )
    least = len(term.values) if term.every else 1
    return and_(func.json_type(term.column) == "ARRAY", matched.scalar_subquery() >= literal_column(str(least)))
