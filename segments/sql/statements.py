"""PURE. Condition trees and selections as SQLAlchemy Core, every value a bound parameter.

Null rule: a null meets `empty` and the negative operators, nothing else; so does text that can't be read as its column's type,
except that it is not empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, FromClause, Select, Text, func, literal, literal_column, types
from sqlalchemy.sql import quoted_name, visitors

from segments.contract import ColumnInfo, ColumnType
from segments.sql.comparisons import Clock
from segments.sql.terms import Exported, Position, SmallLetters, TextValue, Verbatim
from segments.sql.where import Builder, First, Infos, Narrowing, Reach, Table, narrowed, nothing, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy.engine import Dialect

    from segments.conditions.tree import Group

WITHOUT_SCHEMAS = ("sqlite", "duckdb")
ALIKE = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.DATE, ColumnType.TIMESTAMP)
"""The types whose equal values are the same one on every engine."""
_NAME = re.compile(r'(?:(?:"((?:[^"]|"")+)"|([^".]+))\.)?(?:"((?:[^"]|"")+)"|([^"]+))')


def relation(columns: Sequence[ColumnInfo], dialect: Dialect, *, table: str = "", sql: str = "") -> FromClause:
    """What a model reads: a table (qualified by its schema where the dialect has schemas), or a person's SQL."""
    named = [sqlalchemy.column(_quoted(info.name), types.NullType()) for info in columns]
    if sql:
        return Verbatim(sql).columns(*named).subquery("model")
    has_schemas = getattr(dialect, "has_schemas", dialect.name not in WITHOUT_SCHEMAS)
    schema, name = split_name(table) if has_schemas else ("", table)
    return sqlalchemy.table(_quoted(name), *named, schema=_quoted(schema) if schema else None).alias("model")


def select(
    source: FromClause, infos: Infos, columns: Sequence[str], where: Narrowing | None = None, first: First | None = None
) -> Select[Any]:
    """The rows of `source` that `where` leaves, with `columns` in that order; only the `first` of them where it is given."""
    chosen = [Exported(source.c[infos[name].name], infos[name]).label(_quoted(name)) for name in columns]
    query = narrowed(sqlalchemy.select(*chosen), source, where)
    return query if first is None else ordered(query, Table(source, infos), first)


def count(source: FromClause, where: Narrowing | None = None, most: int | None = None) -> Select[Any]:
    """How many rows of `source` there are that `where` leaves, as `rows`; no more than `most`."""
    if most is None:
        return narrowed(sqlalchemy.select(func.count().label("rows")), source, where)
    found = narrowed(sqlalchemy.select(literal_column("1").label("one")), source, where).limit(most).subquery("found")
    return sqlalchemy.select(func.count().label("rows")).select_from(found)


def frequent(chosen: Select[Any], column_type: ColumnType) -> Select[Any]:
    """The values of a statement of one column of this type, the most frequent first, as `value` and `rows`."""
    rows = chosen.subquery("found")
    value: ColumnElement[Any] = next(iter(rows.c))
    if column_type not in ALIKE:
        # What a collation finds the same is not the same, and some documents can't be compared at all.
        value = TextValue(value, ColumnInfo("", ColumnType.TEXT))
    counted = func.count().label("rows")
    return (
        sqlalchemy.select(value.label("value"), counted)
        .select_from(rows)
        .group_by(value)
        .order_by(counted.desc(), value)
    )


def containing(source: FromClause, info: ColumnInfo, search: str) -> Narrowing:
    """The rows whose column is not null, and whose text contains `search` in whatever case."""
    column = source.c[info.name]
    if not search:
        return Narrowing(column.is_not(None))
    return Narrowing(Position(SmallLetters(column, info), search.lower()) > 0)


def keys(source: FromClause, info: ColumnInfo) -> Select[Any]:
    """How many rows there are (`rows`), how many have a value in the key column (`filled`), and how many values (`different`)."""
    value = func.nullif(TextValue(source.c[info.name], info), literal("", Text()))
    counts: list[ColumnElement[Any]] = [
        func.count().label("rows"),
        func.count(value).label("filled"),
        func.count(value.distinct()).label("different"),
    ]
    return sqlalchemy.select(*counts).select_from(source)


def where(
    tree: Group, source: FromClause, infos: Infos, *, now: datetime, zone: ZoneInfo, reach: Reach = nothing
) -> Narrowing | None:
    """A validated tree as what narrows `source`; None where it means all rows.

    Args:
        now: what `in_the_last` and the like count from.
        zone: the source's: of days, and of times without a zone.
        reach: gives the table of another model of the source, by its name.
    """
    return Builder(Table(source, infos), Clock(now, zone), reach).narrowing(tree)


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
    return ".".join(
        '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part for part in (schema, name)
    )


def _quoted(name: str) -> quoted_name:
    return quoted_name(name, quote=True)
