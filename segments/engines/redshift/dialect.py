"""PURE. The SQL of conditions in Redshift: like PostgreSQL, but `text` is cut off at 256 bytes, and JSON is SUPER."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, cast, func, types
from sqlalchemy.dialects.postgresql.base import PGDialect

from segments.contract import ColumnType
from segments.sql.expressions import between, is_not_a_number, written
from segments.sql.terms import Exported, NumberValue, TextValue, Within

LONGEST_TEXT = types.VARCHAR(65535)
COMPUTED = {ColumnType.TEXT: "character varying", ColumnType.INTEGER: "bigint", ColumnType.NUMBER: "numeric"}
"""The native types of computed columns."""


class RedshiftDialect(PGDialect):
    name = "redshift"
    supports_statement_cache = False


dialect = RedshiftDialect(paramstyle="format")  # type: ignore[no-untyped-call]


@written(TextValue, "redshift")
def _text(term: TextValue) -> ColumnElement[Any]:
    if term.info.native == "super":
        return func.json_serialize(term.column)
    return term.column if term.info.native.startswith("character varying") else cast(term.column, LONGEST_TEXT)


@written(NumberValue, "redshift")
def _number(term: NumberValue) -> ColumnElement[Any]:
    if term.info.native in ("real", "double precision"):
        return case((~is_not_a_number(cast(term.column, LONGEST_TEXT)), term.column))
    return term.column


@written(Within, "redshift")
def _within(term: Within) -> ColumnElement[Any]:
    return between(term.column, term.span, zone=None if "with time zone" in term.info.native else term.zone)


@written(Exported, "redshift")
def _exported(term: Exported) -> ColumnElement[Any]:
    return TextValue(term.column, term.info) if term.info.type in (ColumnType.TEXT, ColumnType.OBJECT) else term.column
