"""PURE. The SQL of conditions in DuckDB. Columns of CSV and JSON Lines files are text, whatever a model calls them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, false, func, literal, literal_column, or_, types
from sqlalchemy.dialects.postgresql.base import PGDialect

from segments.conditions.times import Days
from segments.contract import ColumnType
from segments.engines.duckdb.column_types import COMMA_NUMBER, GROUP
from segments.sql.aggregates import Aggregate, aggregate
from segments.sql.expressions import between, in_zone, is_not_a_number, written
from segments.sql.terms import (
    BooleanValue,
    Exported,
    KeyText,
    Label,
    ListHas,
    Missing,
    NumberValue,
    OnDays,
    Term,
    TextValue,
    TimeValue,
    Within,
    on_days,
    whole_number,
)
from segments.values import DATE, FALSE, LOCAL, NUMBER, TRUE, ZONED

TEXT, COMMA_TEXT = "VARCHAR", "VARCHAR (decimal comma)"
TEXTS = (TEXT, COMMA_TEXT)
ZONED_TYPES = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
NANOSECONDS = {"TIMESTAMP_NS": types.TIMESTAMP(), "TIMESTAMPTZ_NS": types.TIMESTAMP(timezone=True)}
WITHOUT_ARROW = ("HUGEINT", "UHUGEINT", "UBIGINT", "FLOAT", "VARINT", "BIGNUM")
COMPUTED = {ColumnType.TEXT: TEXT, ColumnType.INTEGER: "HUGEINT", ColumnType.NUMBER: "DECIMAL"}
"""The native types of computed columns."""
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
NESTED = (ColumnType.LIST, ColumnType.OBJECT)


class DuckDBDialect(PGDialect):
    """PostgreSQL's dialect, which DuckDB follows, with numbered parameters."""

    name = "duckdb"
    supports_statement_cache = False
    max_identifier_length = 10_000


class HugeInt(types.UserDefinedType[int]):
    """A 128-bit integer, which no sum of smaller ones overflows."""

    cache_ok = True

    def get_col_spec(self, **options: Any) -> str:
        return "HUGEINT"


dialect = DuckDBDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@written(TextValue, "duckdb")
def _text(term: TextValue) -> ColumnElement[Any]:
    return term.column if term.info.native in TEXTS else cast(term.column, Text())


@written(KeyText, "duckdb")
def _key_text(term: KeyText) -> ColumnElement[Any]:
    text = TextValue(term.column, term.info)
    return whole_number(text) if term.info.type in NUMBERS else text


@written(NumberValue, "duckdb")
def _number(term: NumberValue) -> ColumnElement[Any]:
    native = term.info.native
    if native in TEXTS:
        column = _with_point(term)
        whole = term.info.type == ColumnType.INTEGER
        value = _try_cast(column, "DECIMAL(38, 9)") if whole else _finite(_try_cast(column, "DOUBLE"))
        return case((_matches(column, NUMBER), value))
    if native == "FLOAT":
        return _finite(_try_cast(cast(term.column, Text()), "DOUBLE"))
    return _finite(term.column) if native == "DOUBLE" else term.column


@written(BooleanValue, "duckdb")
def _boolean(term: BooleanValue) -> ColumnElement[Any]:
    if term.info.native == "BOOLEAN":
        return term.column
    text = func.lower(cast(term.column, Text()))
    return case((text.in_(TRUE), literal_column("true")), (text.in_(FALSE), literal_column("false")))


@written(Missing, "duckdb")
def _missing(term: Missing) -> ColumnElement[Any]:
    if term.info.type in NUMBERS and term.info.native in TEXTS:
        return or_(term.column.is_(None), is_not_a_number(term.column))
    if term.info.type in NUMBERS:
        return NumberValue(term.column, term.info).is_(None)
    if term.info.type in NESTED:
        return or_(term.column.is_(None), cast(term.column, Text()) == literal("null", Text()))
    return term.column.is_(None)


@written(Within, "duckdb")
def _within(term: Within) -> ColumnElement[Any]:
    if term.info.native not in TEXTS:
        return between(_to_microseconds(term), term.span, zone=None if term.info.native in ZONED_TYPES else term.zone)
    if isinstance(term.span, Days):
        return and_(_matches(term.column, DATE), between(_try_cast(term.column, "DATE"), term.span))
    return case(
        (_matches(term.column, ZONED), between(_try_cast(term.column, "TIMESTAMPTZ"), term.span)),
        (_matches(term.column, LOCAL), between(_try_cast(term.column, "TIMESTAMP"), term.span, zone=term.zone)),
        else_=false(),
    )


@written(OnDays, "duckdb")
def _on_days(term: OnDays) -> ColumnElement[Any]:
    return on_days(term, func.strftime(_local_time(term), literal("%m-%d", Text())))


def _to_microseconds(term: Term) -> ColumnElement[Any]:
    """A date or time in microseconds. DuckDB can't compare nanoseconds with times before 1677 or after 2262."""
    return cast(term.column, NANOSECONDS[term.info.native]) if term.info.native in NANOSECONDS else term.column


def _local_time(term: OnDays) -> ColumnElement[Any]:
    """The date, or the local time in the term's zone."""
    if term.info.native not in TEXTS:
        return in_zone(_to_microseconds(term), term.zone) if term.info.native in ZONED_TYPES else _to_microseconds(term)
    if term.info.type == ColumnType.DATE:
        return _try_cast(term.column, "DATE")
    zoned = in_zone(_try_cast(term.column, "TIMESTAMPTZ"), term.zone)
    return case((_matches(term.column, ZONED), zoned), else_=_try_cast(term.column, "TIMESTAMP"))


@written(TimeValue, "duckdb")
def _time(term: TimeValue) -> ColumnElement[Any]:
    """For a text column, the day or the time in UTC, again as text, in one format so that it sorts."""
    if term.info.native not in TEXTS:
        return _to_microseconds(term)
    if term.info.type == ColumnType.DATE:
        return case((_matches(term.column, DATE), cast(_try_cast(term.column, "DATE"), Text())))
    local = in_zone(_try_cast(term.column, "TIMESTAMP"), term.zone)
    timestamp = case(
        (_matches(term.column, ZONED), _try_cast(term.column, "TIMESTAMPTZ")), (_matches(term.column, LOCAL), local)
    )
    return func.strftime(func.timezone(literal("UTC", Text()), timestamp), literal("%Y-%m-%d %H:%M:%S.%fZ", Text()))


@written(Label, "duckdb")
def _label(term: Label) -> ColumnElement[Any]:
    # DuckDB 2.0 can't compare a bare CASE of constants. It fails with "BindBuiltinScalarFunction did not return a
    # BoundFunctionExpression".
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
    if native in TEXTS and term.info.type in NUMBERS:
        return _with_point(term)
    if native in TEXTS or (native == "BOOLEAN" and term.info.type == ColumnType.BOOLEAN):
        return term.column
    if term.info.type in NUMBERS and native not in WITHOUT_ARROW:
        return term.column
    if term.info.type in NESTED and native != "JSON":
        return cast(func.to_json(term.column), Text())
    if native in NANOSECONDS:
        return cast(_to_microseconds(term), Text())
    return cast(term.column, Text())


def _with_point(term: Term) -> ColumnElement[Any]:
    """A number in text, with a decimal point."""
    if term.info.native != COMMA_TEXT:
        return term.column
    grouped = func.regexp_replace(term.column, literal(GROUP, Text()), literal("", Text()), literal("g", Text()))
    number = func.replace(grouped, literal(",", Text()), literal(".", Text()))
    return case((_matches(term.column, COMMA_NUMBER), number), else_=term.column)


def _matches(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    return func.regexp_full_match(column, literal(pattern, Text()), type_=types.Boolean())


def _try_cast(column: ColumnElement[Any], native: str) -> ColumnElement[Any]:
    return func.try_cast(column.op("AS")(literal_column(native)), type_=types.NullType())


def _finite(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((func.isfinite(value, type_=types.Boolean()), value))
