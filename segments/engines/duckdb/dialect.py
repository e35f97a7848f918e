"""PURE. How DuckDB writes our terms. The columns of a CSV file are all text in it, of whatever type a model holds them to be."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, false, func, literal, literal_column, or_, types
from sqlalchemy.dialects.postgresql.base import PGDialect

from segments.conditions.times import Days
from segments.contract import ColumnType
from segments.sql.terms import (
    Aggregate,
    BooleanValue,
    Exported,
    Label,
    ListHas,
    Missing,
    NumberValue,
    OnDays,
    Term,
    TextValue,
    TimeValue,
    Within,
    aggregate,
    between,
    in_zone,
    is_not_a_number,
    on_days,
    written,
)
from segments.values import DATE, FALSE, LOCAL, NUMBER, TRUE, ZONED

TEXT = "VARCHAR"
ZONED_TYPES = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
NANOSECONDS = {"TIMESTAMP_NS": types.TIMESTAMP(), "TIMESTAMPTZ_NS": types.TIMESTAMP(timezone=True)}
WITHOUT_ARROW = ("HUGEINT", "UHUGEINT", "UBIGINT", "FLOAT", "VARINT", "BIGNUM")
COMPUTED = {ColumnType.TEXT: TEXT, ColumnType.INTEGER: "HUGEINT", ColumnType.NUMBER: "DECIMAL"}
"""The native types of what is computed."""
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
NESTED = (ColumnType.LIST, ColumnType.OBJECT)


class DuckDBDialect(PGDialect):
    """DuckDB speaks PostgreSQL's dialect of SQL, with numbered parameters."""

    name = "duckdb"
    supports_statement_cache = False
    max_identifier_length = 10_000


class HugeInt(types.UserDefinedType[int]):
    """A whole number of 128 bits, which no sum of smaller ones overflows."""

    cache_ok = True

    def get_col_spec(self, **options: Any) -> str:
        return "HUGEINT"


dialect = DuckDBDialect(paramstyle="numeric_dollar")


@written(TextValue, "duckdb")
def _text(term: TextValue) -> ColumnElement[Any]:
    return term.column if term.info.native == TEXT else cast(term.column, Text())


@written(NumberValue, "duckdb")
def _number(term: NumberValue) -> ColumnElement[Any]:
    native = term.info.native
    if native == TEXT:
        whole = term.info.type == ColumnType.INTEGER
        value = _tried(term.column, "DECIMAL(38, 9)") if whole else _finite(_tried(term.column, "DOUBLE"))
        return case((_spells(term.column, NUMBER), value))
    if native == "FLOAT":
        return _finite(_tried(cast(term.column, Text()), "DOUBLE"))
    return _finite(term.column) if native == "DOUBLE" else term.column


@written(BooleanValue, "duckdb")
def _boolean(term: BooleanValue) -> ColumnElement[Any]:
    if term.info.native == "BOOLEAN":
        return term.column
    word = func.lower(cast(term.column, Text()))
    return case((word.in_(TRUE), literal_column("true")), (word.in_(FALSE), literal_column("false")))


@written(Missing, "duckdb")
def _missing(term: Missing) -> ColumnElement[Any]:
    if term.info.type in NUMBERS and term.info.native == TEXT:
        return or_(term.column.is_(None), is_not_a_number(term.column))
    if term.info.type in NUMBERS:
        return NumberValue(term.column, term.info).is_(None)
    if term.info.type in NESTED:
        return or_(term.column.is_(None), cast(term.column, Text()) == literal("null", Text()))
    return term.column.is_(None)


@written(Within, "duckdb")
def _within(term: Within) -> ColumnElement[Any]:
    if term.info.native != TEXT:
        return between(_moment(term), term.span, zone=None if term.info.native in ZONED_TYPES else term.zone)
    if isinstance(term.span, Days):
        return and_(_spells(term.column, DATE), between(_tried(term.column, "DATE"), term.span))
    return case(
        (_spells(term.column, ZONED), between(_tried(term.column, "TIMESTAMPTZ"), term.span)),
        (_spells(term.column, LOCAL), between(_tried(term.column, "TIMESTAMP"), term.span, zone=term.zone)),
        else_=false(),
    )


@written(OnDays, "duckdb")
def _on_days(term: OnDays) -> ColumnElement[Any]:
    return on_days(term, func.strftime(_local(term), literal("%m-%d", Text())))


def _moment(term: Term) -> ColumnElement[Any]:
    """A date or time to the microsecond: no moment with more lies before 1677 or after 2262, and none can be compared with one."""
    return cast(term.column, NANOSECONDS[term.info.native]) if term.info.native in NANOSECONDS else term.column


def _local(term: OnDays) -> ColumnElement[Any]:
    """The date, or the time as the clocks of the zone show it."""
    if term.info.native != TEXT:
        return in_zone(_moment(term), term.zone) if term.info.native in ZONED_TYPES else _moment(term)
    if term.info.type == ColumnType.DATE:
        return _tried(term.column, "DATE")
    zoned = in_zone(_tried(term.column, "TIMESTAMPTZ"), term.zone)
    return case((_spells(term.column, ZONED), zoned), else_=_tried(term.column, "TIMESTAMP"))


@written(TimeValue, "duckdb")
def _time(term: TimeValue) -> ColumnElement[Any]:
    """Of a column of text, the text of that day, or of that moment in UTC."""
    if term.info.native != TEXT:
        return _moment(term)
    if term.info.type == ColumnType.DATE:
        return case((_spells(term.column, DATE), cast(_tried(term.column, "DATE"), Text())))
    local = in_zone(_tried(term.column, "TIMESTAMP"), term.zone)
    moment = case(
        (_spells(term.column, ZONED), _tried(term.column, "TIMESTAMPTZ")), (_spells(term.column, LOCAL), local)
    )
    return func.strftime(func.timezone(literal("UTC", Text()), moment), literal("%Y-%m-%d %H:%M:%S.%fZ", Text()))


@written(Label, "duckdb")
def _label(term: Label) -> ColumnElement[Any]:
    # DuckDB 2.0 fails to compare a bare CASE of constants: "BindBuiltinScalarFunction did not return a BoundFunctionExpression".
    return func.list_extract(func.list_value(term.column), literal_column("1"))


@written(Aggregate, "duckdb")
def _aggregate(term: Aggregate) -> ColumnElement[Any]:
    value = aggregate(term, types.Numeric(38, 9))
    if term.info.type != ColumnType.INTEGER or term.measure == "average":
        return value
    return cast(value, HugeInt())


@written(ListHas, "duckdb")
def _list_has(term: ListHas) -> ColumnElement[Any]:
    is_list = term.info.type == ColumnType.LIST
    elements = cast(term.column, types.ARRAY(Text())) if is_list else func.json_extract_string(term.column, "$[*]")
    return func.coalesce((func.list_has_all if term.every else func.list_has_any)(elements, term.array), false())


@written(Exported, "duckdb")
def _exported(term: Exported) -> ColumnElement[Any]:
    native = term.info.native
    if native == TEXT or (native == "BOOLEAN" and term.info.type == ColumnType.BOOLEAN):
        return term.column
    if term.info.type in NUMBERS and native not in WITHOUT_ARROW:
        return term.column
    if term.info.type in NESTED and native != "JSON":
        return cast(func.to_json(term.column), Text())
    if native in NANOSECONDS:
        return cast(_moment(term), Text())
    return cast(term.column, Text())


def _spells(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    return func.regexp_full_match(column, literal(pattern, Text()), type_=types.Boolean())


def _tried(column: ColumnElement[Any], words: str) -> ColumnElement[Any]:
    return func.try_cast(column.op("AS")(literal_column(words)), type_=types.NullType())


def _finite(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((func.isfinite(value, type_=types.Boolean()), value))
