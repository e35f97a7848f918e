"""PURE. Condition trees and selections as SQLAlchemy Core, every value a bound parameter.

Null rule: a null meets `empty` and the negative operators, nothing else; so does text that can't be read as its column's type,
except that it is not empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy
from sqlalchemy import ColumnElement, FromClause, Select, String, Text, and_, false, func, literal, not_, or_, true, types
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import quoted_name, visitors

from segments.conditions import Group, Leaf
from segments.contract import ColumnInfo, ColumnType
from segments.terms import BooleanValue, Exported, Missing, NumberValue, Position, TextValue, Verbatim, Within
from segments.times import days, moments

Infos = Mapping[str, ColumnInfo]
WITHOUT_SCHEMAS = ("sqlite", "duckdb")
_NAME = re.compile(r'(?:(?:"((?:[^"]|"")+)"|([^".]+))\.)?(?:"((?:[^"]|"")+)"|([^"]+))')
_NEGATIVE = {"not_equals": "equals", "none_of": "one_of", "not_contains": "contains", "not_between": "between"}


def relation(columns: Sequence[ColumnInfo], dialect: Dialect, *, table: str = "", sql: str = "") -> FromClause:
    """What a model reads: a table (qualified by its schema where the dialect has schemas), or a person's SQL."""
    named = [sqlalchemy.column(_quoted(info.name), types.NullType()) for info in columns]
    if sql:
        return Verbatim(sql).columns(*named).subquery("model")
    has_schemas = getattr(dialect, "has_schemas", dialect.name not in WITHOUT_SCHEMAS)
    schema, name = split_name(table) if has_schemas else ("", table)
    return sqlalchemy.table(_quoted(name), *named, schema=_quoted(schema) if schema else None).alias("model")


def select(
    source: FromClause, infos: Infos, columns: Sequence[str], where: ColumnElement[bool] | None = None, limit: int | None = None
) -> Select[Any]:
    """The rows of `source` that meet `where`, with `columns` in that order."""
    chosen = [Exported(source.c[name], infos[name]).label(_quoted(name)) for name in columns]
    return _narrowed(sqlalchemy.select(*chosen).select_from(source), where, limit)


def count(source: FromClause, where: ColumnElement[bool] | None = None) -> Select[Any]:
    """How many rows of `source` meet `where`, as `rows`."""
    return _narrowed(sqlalchemy.select(func.count().label("rows")).select_from(source), where, None)


def keys(source: FromClause, info: ColumnInfo) -> Select[Any]:
    """How many rows there are (`rows`), how many have a value in the key column (`filled`), and how many values (`different`)."""
    value = func.nullif(TextValue(source.c[info.name], info), literal("", Text()))
    counts: list[ColumnElement[Any]] = [
        func.count().label("rows"),
        func.count(value).label("filled"),
        func.count(value.distinct()).label("different"),
    ]
    return sqlalchemy.select(*counts).select_from(source)


def where(tree: Group, source: FromClause, infos: Infos, *, now: datetime, zone: ZoneInfo) -> ColumnElement[bool] | None:
    """A validated tree as one condition; None where it means all rows.

    Args:
        now: what `in_the_last` and the like count from.
        zone: the source's: of days, and of times without a zone.
    """
    if not tree.items:
        return None
    parts = [_item(item, source, infos, now, zone) for item in tree.items]
    return and_(*parts) if tree.combine == "all" else or_(*parts)


def shown(query: Select[Any], dialect: Dialect) -> str:
    """The statement for reading, its values written out."""
    compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "render_postcompile": True})
    text = str(compiled)
    return text.replace("%%", "%") if dialect.paramstyle in ("format", "pyformat") else text


def is_of_sql(query: Select[Any]) -> bool:
    """Whether the query reads a person's SQL rather than a table."""
    return any(isinstance(part, Verbatim) for part in visitors.iterate(query))


def split_name(table: str) -> tuple[str, str]:
    """Schema (may be empty) and name of a table; a part that holds a dot stands in double quotes."""
    found = _NAME.fullmatch(table)
    if found is None:
        return "", table
    schema, name = (found[1] or found[2] or ""), (found[3] or found[4])
    return schema.replace('""', '"'), name.replace('""', '"')


def join_name(schema: str, name: str) -> str:
    """The qualified name of a table, which `split_name` reads back."""
    return ".".join('"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part for part in (schema, name))


def _quoted(name: str) -> quoted_name:
    return quoted_name(name, quote=True)


def _narrowed(query: Select[Any], where: ColumnElement[bool] | None, limit: int | None) -> Select[Any]:
    if where is not None:
        query = query.where(where)
    return query if limit is None else query.limit(limit)


def _item(item: Leaf | Group, source: FromClause, infos: Infos, now: datetime, zone: ZoneInfo) -> ColumnElement[bool]:
    if isinstance(item, Group):
        nested = where(item, source, infos, now=now, zone=zone)
        return true() if nested is None else nested
    column, info = source.c[item.field], infos[item.field]
    if item.operator == "empty":
        return _empty(column, info)
    if item.operator == "not_empty":
        return not_(_empty(column, info))
    if info.type == ColumnType.DATE:
        return Within(column, info, days(item.operator, item.value, now, zone), zone)
    if info.type == ColumnType.TIMESTAMP:
        return Within(column, info, moments(item.operator, item.value, now, zone), zone)
    return _compared(column, info, item)


def _empty(column: ColumnElement[Any], info: ColumnInfo) -> ColumnElement[bool]:
    missing = Missing(column, info)
    if info.type == ColumnType.TEXT:
        return or_(missing, TextValue(column, info) == literal("", Text()))
    if info.type in (ColumnType.LIST, ColumnType.OBJECT):
        text = func.replace(TextValue(Exported(column, info), ColumnInfo(info.name, ColumnType.TEXT)), " ", "")
        return or_(missing, text.in_(["[]", "{}"]))
    return missing


def _compared(column: ColumnElement[Any], info: ColumnInfo, leaf: Leaf) -> ColumnElement[bool]:
    if info.type == ColumnType.BOOLEAN:
        return BooleanValue(column, info).is_(true() if leaf.value else false())
    value: ColumnElement[Any] = TextValue(column, info) if info.type == ColumnType.TEXT else NumberValue(column, info)
    if leaf.operator in _NEGATIVE:
        return or_(value.is_(None), not_(_met(value, _NEGATIVE[leaf.operator], leaf.value)))
    return _met(value, leaf.operator, leaf.value)


def _met(value: ColumnElement[Any], operator: str, operand: Any) -> ColumnElement[bool]:
    match operator:
        case "equals":
            return value == _bound(operand)
        case "one_of":
            return value.in_([_bound(one) for one in operand])
        case "greater_than":
            return value > _bound(operand)
        case "at_least":
            return value >= _bound(operand)
        case "less_than":
            return value < _bound(operand)
        case "at_most":
            return value <= _bound(operand)
        case "between":
            return value.between(_bound(operand[0]), _bound(operand[1]))
        case "contains":
            return Position(value, operand) > 0
        case "starts_with":
            return func.substr(value, 1, len(operand)) == _bound(operand)
        case "ends_with":
            return func.substr(value, func.length(value) - (len(operand) - 1)) == _bound(operand)
    raise ValueError(f"No SQL is known for the operator {operator!r}.")


def _bound(value: Any) -> ColumnElement[Any]:
    if isinstance(value, str):
        return literal(value, String())
    return literal(value, types.BigInteger() if isinstance(value, int) else types.Numeric())
