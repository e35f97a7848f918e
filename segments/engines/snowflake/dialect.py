"""PURE. The SQL of conditions in Snowflake."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, func, literal
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import SQLCompiler

from segments.contract import ColumnType
from segments.sql.expressions import between, is_not_a_number, written
from segments.sql.terms import Exported, NumberValue, OnDays, Position, TextValue, Within, on_days

NESTED = ("VARIANT", "OBJECT", "ARRAY")
ZONED = ("TIMESTAMP_TZ", "TIMESTAMP_LTZ")
COMPUTED = {ColumnType.TEXT: "TEXT", ColumnType.INTEGER: "FIXED", ColumnType.NUMBER: "FIXED"}
"""The native types of computed columns."""


class SnowflakeCompiler(SQLCompiler):
    def render_literal_value(self, value: Any, type_: Any) -> str:
        """In string literals of Snowflake, a backslash is an escape character."""
        return super().render_literal_value(value.replace("\\", "\\\\") if isinstance(value, str) else value, type_)


class SnowflakeDialect(DefaultDialect):
    name = "snowflake"
    supports_statement_cache = False
    max_identifier_length = 255
    statement_compiler = SnowflakeCompiler


dialect = SnowflakeDialect(paramstyle="pyformat")


@written(TextValue, "snowflake")
def _text(term: TextValue) -> ColumnElement[Any]:
    if term.info.native in NESTED:
        return func.to_json(term.column)
    return term.column if term.info.native == "TEXT" else cast(term.column, Text())


@written(NumberValue, "snowflake")
def _number(term: NumberValue) -> ColumnElement[Any]:
    return (
        case((~is_not_a_number(cast(term.column, Text())), term.column)) if term.info.native == "FLOAT" else term.column
    )


@written(Within, "snowflake")
def _within(term: Within) -> ColumnElement[Any]:
    return between(term.column, term.span, zone=None if term.info.native in ZONED else term.zone)


@written(OnDays, "snowflake")
def _on_days(term: OnDays) -> ColumnElement[Any]:
    local = (
        func.convert_timezone(literal(term.zone.key, Text()), term.column) if term.info.native in ZONED else term.column
    )
    return on_days(term, func.to_char(local, literal("MM-DD", Text())))


@written(Position, "snowflake")
def _position(term: Position) -> ColumnElement[Any]:
    return func.charindex(term.part, term.text)


@written(Exported, "snowflake")
def _exported(term: Exported) -> ColumnElement[Any]:
    return (
        TextValue(term.column, term.info)
        if term.info.type in (ColumnType.TEXT, ColumnType.LIST, ColumnType.OBJECT)
        else term.column
    )
