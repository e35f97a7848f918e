"""PURE. Measures of columns over the rows of a query: how many are filled, how many values, which values repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, Select, Text, func, literal

from segments.contract import ColumnInfo, ColumnType
from segments.sql.terms import KeyText, Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import FromClause

COMPARED = (ColumnType.TEXT, ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.DATE)
"""The types whose distinct values are counted. Times, lists and objects are almost always distinct."""


def name(place: int) -> str:
    """The name of a column of the rows, by its place: sources may fold or reserve the names of their own columns."""
    return f"c{place}"


def select(source: FromClause, infos: Sequence[ColumnInfo]) -> Select[Any]:
    """The columns of `source`, named by their place."""
    return sqlalchemy.select(*(source.c[info.name].label(name(place)) for place, info in enumerate(infos)))


def measures(rows: FromClause, infos: Sequence[ColumnInfo]) -> Select[Any]:
    """The number of rows (`n`), and for each column how many are filled (`f0`) and distinct (`d0`)."""
    counted: list[ColumnElement[Any]] = [func.count().label("n")]
    for place, info in enumerate(infos):
        column = rows.c[name(place)]
        value = key(column, info) if info.type in COMPARED else None
        filled = sqlalchemy.case((Missing(column, info), None), else_=1) if value is None else value
        counted.append(func.count(filled).label(f"f{place}"))
        if value is not None:
            counted.append(func.count(value.distinct()).label(f"d{place}"))
    return sqlalchemy.select(*counted).select_from(rows)


def repeated(rows: FromClause, place: int, info: ColumnInfo) -> tuple[Select[Any], Select[Any]]:
    """The values of a column that more than one row has.

    Returns:
        a statement for how many rows have such a value (`n`) and how many values they are (`different`); and a
        statement for these values (`value`) and the rows of each (`n`), the most frequent first.
    """
    values = sqlalchemy.select(key(rows.c[name(place)], info).label("value")).select_from(rows).subquery("filled")
    times = func.count()
    grouped: Select[Any] = (
        sqlalchemy.select(values.c.value, times.label("n"))
        .where(values.c.value.is_not(None))
        .group_by(values.c.value)
        .having(times > 1)
    )
    doubled = grouped.subquery("doubled")
    totals: Any = sqlalchemy.select(func.sum(doubled.c.n).label("n"), func.count().label("different"))
    return totals.select_from(doubled), grouped.order_by(times.desc(), values.c.value)


def key(column: ColumnElement[Any], info: ColumnInfo) -> ColumnElement[Any]:
    """The text by which values are compared; null if it is empty or only spaces."""
    return func.nullif(func.trim(KeyText(column, info)), literal("", Text()))
