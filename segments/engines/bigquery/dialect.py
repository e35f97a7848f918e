"""PURE. The SQL of conditions in BigQuery, and its type names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, func, literal
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import GenericTypeCompiler, IdentifierPreparer, SQLCompiler

from segments.contract import ColumnType
from segments.sql.expressions import between, is_not_a_number, written
from segments.sql.terms import Exported, NumberValue, OnDays, TextValue, Within, on_days

NESTED = ("JSON", "ARRAY", "STRUCT", "RECORD")
COMPUTED = {ColumnType.TEXT: "STRING", ColumnType.INTEGER: "INT64", ColumnType.NUMBER: "NUMERIC"}
"""The native types of computed columns."""


class BigQueryTypes(GenericTypeCompiler):
    """BigQuery's names for the types in casts."""

    def visit_TEXT(self, type_: Any, **options: Any) -> str:  # noqa: N802
        return "STRING"

    visit_VARCHAR = visit_TEXT


class BigQueryNames(IdentifierPreparer):
    """Identifiers in backticks, in which a backslash is the escape character."""

    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect, initial_quote="`", final_quote="`")

    def _escape_identifier(self, value: str) -> str:
        return value.replace("\\", "\\\\").replace("`", "\\`")


class BigQueryCompiler(SQLCompiler):
    def render_literal_value(self, value: Any, type_: Any) -> str:
        if not isinstance(value, str):
            return super().render_literal_value(value, type_)
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


class BigQueryDialect(DefaultDialect):
    name = "bigquery"
    supports_statement_cache = False
    max_identifier_length = 300
    type_compiler_cls = BigQueryTypes
    statement_compiler = BigQueryCompiler
    preparer: type[IdentifierPreparer] = BigQueryNames


dialect = BigQueryDialect(paramstyle="qmark")


def is_nested(native: str) -> bool:
    return native.startswith(NESTED)


@written(TextValue, "bigquery")
def _text(term: TextValue) -> ColumnElement[Any]:
    if is_nested(term.info.native):
        return func.to_json_string(term.column)
    return term.column if term.info.native == "STRING" else cast(term.column, Text())


@written(NumberValue, "bigquery")
def _number(term: NumberValue) -> ColumnElement[Any]:
    return (
        case((~is_not_a_number(cast(term.column, Text())), term.column))
        if term.info.native == "FLOAT64"
        else term.column
    )


@written(Within, "bigquery")
def _within(term: Within) -> ColumnElement[Any]:
    return between(term.column, term.span, zone=None if term.info.native == "TIMESTAMP" else term.zone)


@written(OnDays, "bigquery")
def _on_days(term: OnDays) -> ColumnElement[Any]:
    pattern = literal("%m-%d", Text())
    if term.info.native == "TIMESTAMP":
        return on_days(term, func.format_timestamp(pattern, term.column, literal(term.zone.key, Text())))
    return on_days(
        term, (func.format_date if term.info.native == "DATE" else func.format_datetime)(pattern, term.column)
    )


@written(Exported, "bigquery")
def _exported(term: Exported) -> ColumnElement[Any]:
    if term.info.native == "BYTES":
        return func.to_hex(term.column)
    return (
        TextValue(term.column, term.info)
        if term.info.type in (ColumnType.TEXT, ColumnType.LIST, ColumnType.OBJECT)
        else term.column
    )
