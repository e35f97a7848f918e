"""PURE. Condition trees and selections as SQLAlchemy Core statements, with every value as a bound parameter.

Null rule: a null matches `empty` and the negative operators, nothing else. Text that can't be read as its column's type
behaves like a null, except that it is not empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, FromClause, Select, Text, func, literal, literal_column, types
from sqlalchemy.sql import quoted_name, visitors

from segments.contract import ColumnInfo, ColumnType
from segments.sql.comparisons import Clock
from segments.sql.terms import Exported, KeyText, Lowercase, Position
from segments.sql.user_sql import Verbatim
from segments.sql.where import Builder, Filter, First, Infos, Reach, Table, first_rows, no_other_model, rows_where

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy.engine import Dialect

    from segments.conditions.tree import Group

WITHOUT_SCHEMAS = ("sqlite", "duckdb")
GROUPABLE = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.DATE, ColumnType.TIMESTAMP)
"""The types whose values every engine groups in the same way."""
_NAME = re.compile(r'(?:(?:"((?:[^"]|"")+)"|([^".]+))\.)?(?:"((?:[^"]|"")+)"|([^"]+))')


def relation(columns: Sequence[ColumnInfo], dialect: Dialect, *, table: str = "", sql: str = "") -> FromClause:
    """What a model reads: a table (qualified by its schema if the dialect has schemas), or a user's SQL."""
    elements = [sqlalchemy.column(_quoted(info.name), types.NullType()) for info in columns]
    if sql:
        return Verbatim(sql).columns(*elements).subquery("model")
    has_schemas = getattr(dialect, "has_schemas", dialect.name not in WITHOUT_SCHEMAS)
    schema, name = split_name(table) if has_schemas else ("", table)
    return sqlalchemy.table(_quoted(name), *elements, schema=_quoted(schema) if schema else None).alias("model")


def select(
    source: FromClause, infos: Infos, columns: Sequence[str], where: Filter | None = None, first: First | None = None
) -> Select[Any]:
    """The rows of `source` that match `where`, with `columns` in that order; only the `first` of them if given."""
    elements = [Exported(source.c[infos[name].name], infos[name]).label(_quoted(name)) for name in columns]
    query = rows_where(sqlalchemy.select(*elements), source, where)
    return query if first is None else first_rows(query, Table(source, infos), first)


def count(source: FromClause, where: Filter | None = None, most: int | None = None) -> Select[Any]:
    """The number of rows of `source` that match `where`, as `rows`; at most `most`."""
    if most is None:
        return rows_where(sqlalchemy.select(func.count().label("rows")), source, where)
    matches = rows_where(sqlalchemy.select(literal_column("1").label("one")), source, where)
    return sqlalchemy.select(func.count().label("rows")).select_from(matches.limit(most).subquery("found"))


def frequent(query: Select[Any], column_type: ColumnType) -> Select[Any]:
    """The values of a query of one column of this type, the most frequent first, as `value` and `rows`."""
    rows = query.subquery("found")
    value: ColumnElement[Any] = next(iter(rows.c))
    if column_type not in GROUPABLE:
        # As text: a collation may treat "FR" and "fr" as equal, and some JSON documents can't be compared at all.
        value = KeyText(value, ColumnInfo("", ColumnType.TEXT))
    counted = func.count().label("rows")
    return (
        sqlalchemy.select(value.label("value"), counted)
        .select_from(rows)
        .group_by(value)
        .order_by(counted.desc(), value)
    )


def containing(source: FromClause, info: ColumnInfo, search: str) -> Filter:
    """The rows whose column is not null and contains the text `search`, ignoring case."""
    column = source.c[info.name]
    if not search:
        return Filter(column.is_not(None))
    return Filter(Position(Lowercase(column, info), literal(search.lower(), Text())) > 0)


def key_counts(source: FromClause, info: ColumnInfo) -> Select[Any]:
    """The numbers of rows (`rows`), of rows with a key (`filled`), and of distinct keys (`different`)."""
    value = func.nullif(KeyText(source.c[info.name], info), literal("", Text()))
    counts: list[ColumnElement[Any]] = [
        func.count().label("rows"),
        func.count(value).label("filled"),
        func.count(value.distinct()).label("different"),
    ]
    return sqlalchemy.select(*counts).select_from(source)


def where(
    tree: Group, source: FromClause, infos: Infos, *, now: datetime, zone: ZoneInfo, reach: Reach = no_other_model
) -> Filter | None:
    """A validated tree as a filter on `source`; None if it matches all rows.

    Args:
        now: the time from which relative times such as `in_the_last` count.
        zone: the source's time zone, for days and for times without a zone.
        reach: returns the table of another model of the source, by name.
    """
    return Builder(Table(source, infos), Clock(now, zone), reach).filter(tree)


def literal_sql(query: Select[Any], dialect: Dialect) -> str:
    """The statement for people to read, with its values inlined. Never executed."""
    compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "render_postcompile": True})
    text = str(compiled)
    return text.replace("%%", "%") if dialect.paramstyle in ("format", "pyformat") else text


def is_of_sql(query: Select[Any]) -> bool:
    """Whether the query reads a user's SQL rather than a table."""
    return any(isinstance(part, Verbatim) for part in visitors.iterate(query))


def split_name(table: str) -> tuple[str, str]:
    """The schema (may be empty) and the name of a table. A part that contains a dot is in double quotes."""
    match = _NAME.fullmatch(table)
    if match is None:
        return "", table
    schema, name = (match[1] or match[2] or ""), (match[3] or match[4])
    return schema.replace('""', '"'), name.replace('""', '"')


def join_name(schema: str, name: str) -> str:
    """The qualified name of a table; the reverse of `split_name`."""
    return ".".join(
        '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part for part in (schema, name)
    )


def _quoted(name: str) -> quoted_name:
    return quoted_name(name, quote=True)
