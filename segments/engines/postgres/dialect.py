"""PURE. The SQL of conditions in PostgreSQL, by the native types of its columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, any_, case, cast, false, func, literal_column, select, types
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from segments.contract import ColumnType
from segments.sql.aggregates import Aggregate, aggregate
from segments.sql.expressions import between, written
from segments.sql.terms import (
    Exported,
    KeyText,
    ListHas,
    NumberValue,
    Operand,
    Position,
    TextValue,
    Within,
    whole_number,
)

PLAIN_TEXT = ("text", "character varying", "varchar")
CASELESS = "citext"
JSON_SPELLED = ("inet", "timestamp", "character(")
"""Arrays whose elements are spelled differently in JSON, as they are shown and sent, than as text."""
FEW_VALUES = 100
COMPUTED = {ColumnType.TEXT: "text", ColumnType.INTEGER: "bigint", ColumnType.NUMBER: "numeric"}
"""The native types of computed columns."""

dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]


@written(TextValue, "postgresql")
def _text(term: TextValue) -> ColumnElement[Any]:
    text = _spelled(term.column, term.info.native)
    return func.lower(text) if term.info.native == CASELESS else text


@written(Operand, "postgresql")
def _operand(term: Operand) -> ColumnElement[Any]:
    return func.lower(term.column) if term.info.native == CASELESS else term.column


@written(KeyText, "postgresql")
def _key_text(term: KeyText) -> ColumnElement[Any]:
    # By bytes, because a collation may consider different keys to be equal.
    text = _spelled(term.column, term.info.native).collate("C")
    return whole_number(text) if term.info.type == ColumnType.NUMBER else text


@written(Position, "postgresql")
def _position(term: Position) -> ColumnElement[Any]:
    # PostgreSQL can't search in text whose collation considers different texts to be equal.
    return func.strpos(term.text.collate("C"), term.part)


def _spelled(column: ColumnElement[Any], native: str) -> ColumnElement[Any]:
    """The text as the database shows it."""
    if native.partition("(")[0] in PLAIN_TEXT:
        return column
    # Only a cast to text adds the length of the network to the address of a single host: 10.0.0.1/32.
    return func.abbrev(column) if native == "inet" else cast(column, Text())


@written(NumberValue, "postgresql")
def _number(term: NumberValue) -> ColumnElement[Any]:
    if term.info.type == ColumnType.INTEGER:
        return term.column
    # By way of text, because a single-precision 0.1 would otherwise become 0.10000000149.
    value = cast(cast(term.column, Text()), types.Double()) if term.info.native == "real" else term.column
    # Finite numbers only: infinity and NaN minus themselves are NaN. Comparing text would be several times slower.
    return case((term.column.op("-")(term.column) == literal_column("0"), value))


@written(Exported, "postgresql")
def _exported(term: Exported) -> ColumnElement[Any]:
    if term.info.type == ColumnType.TEXT:
        return _spelled(term.column, term.info.native)
    if term.info.type == ColumnType.LIST:
        return func.to_json(term.column)
    return term.column


@written(Within, "postgresql")
def _within(term: Within) -> ColumnElement[Any]:
    return between(term.column, term.span, zone=None if "with time zone" in term.info.native else term.zone)


@written(Aggregate, "postgresql")
def _aggregate(term: Aggregate) -> ColumnElement[Any]:
    return aggregate(term, types.Numeric())


@written(ListHas, "postgresql")
def _list_has(term: ListHas) -> ColumnElement[Any]:
    if not term.every and len(term.values) > FEW_VALUES:
        # The operator && compares every element with every value, which is slow for a long list.
        elements = func.unnest(_texts(term)).table_valued("element").render_derived("elements")
        matches = elements.c.element == any_(term.array)
        return select(literal_column("1")).select_from(elements).where(matches).correlate_except(elements).exists()
    return func.coalesce(_texts(term).op("@>" if term.every else "&&")(term.array), false())


def _texts(term: ListHas) -> ColumnElement[Any]:
    """The elements as an array of texts."""
    document: ColumnElement[Any]
    if term.info.type == ColumnType.LIST:
        if not term.info.native.startswith(JSON_SPELLED):
            return cast(term.column, types.ARRAY(Text()))
        document = func.to_jsonb(term.column)
    else:
        document = cast(term.column, JSONB())
    elements = case((func.jsonb_typeof(document) == "array", document), else_=cast(literal_column("'[]'"), JSONB()))
    return func.array(select(func.jsonb_array_elements_text(elements)).correlate_except().scalar_subquery())
