"""PURE. Computed fields in a statement: wraps the table of a model in subqueries that add them as columns.

A field that uses other fields is calculated in a subquery around theirs. A table whose computed fields are not needed
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, Text, case, func, literal

from segments.conditions.computed_fields import Formula, Labels, columns_used
from segments.contract import ColumnInfo, ColumnType
from segments.sql.aggregates import Aggregate
from segments.sql.comparisons import NUMBERS, ZERO, Clock
from segments.sql.terms import Label
from segments.sql.where import Builder, Reach, Table, joined

if TYPE_CHECKING:
    from segments.conditions.tree import Related

NAME_LENGTH = 40
Natives = Mapping[ColumnType, str]
"""The engine's own names for the types of computed columns."""


def with_computed(table: Table, formulas: Mapping[str, Formula], natives: Natives, clock: Clock, reach: Reach) -> Table:
    """The table with validated computed fields as columns. A field must come after those that it uses.

    SQL can't refer to an alias in the SELECT that defines it, so fields are grouped by depth and each group becomes one
    subquery: with `spent`, `orders` and `tier` (which uses `spent`), the first subquery adds `spent` and `orders`, and
    the second one, around it, `tier`.
    """
    depths = _depths(formulas)
    for _, names in groupby(sorted(formulas, key=depths.__getitem__), key=depths.__getitem__):
        table = _wrapped(table, {name: formulas[name] for name in names}, natives, Builder(table, clock, reach))
    return table


def _depths(formulas: Mapping[str, Formula]) -> dict[str, int]:
    """Name → how many levels of other computed fields the field depends on."""
    depths: dict[str, int] = {}
    for name, formula in formulas.items():
        depths[name] = max((depths[column] + 1 for column in columns_used(formula) if column in depths), default=0)
    return depths


def _wrapped(table: Table, formulas: Mapping[str, Formula], natives: Natives, builder: Builder) -> Table:
    columns: list[ColumnElement[Any]] = [table.source.c[info.name] for info in table.infos.values()]
    infos = dict(table.infos)
    for name, formula in formulas.items():
        alias = _alias(name, {info.name.casefold() for info in infos.values()})
        if isinstance(formula, Labels):
            value, column_type, native = _label(formula, builder, natives)
        else:
            value, column_type, native = _aggregate(formula, builder, natives)
        columns.append(value.label(sqlalchemy.sql.quoted_name(alias, quote=True)))
        infos[name] = ColumnInfo(alias, column_type, native)
    source = sqlalchemy.select(*columns).select_from(joined(table.source, builder.joins)).subquery("model")
    return replace(table, source=source, infos=infos)


def _label(formula: Labels, builder: Builder, natives: Natives) -> tuple[ColumnElement[Any], ColumnType, str]:
    otherwise = None if formula.otherwise is None else literal(formula.otherwise, Text())
    cases = [(builder.group(tree), literal(label, Text())) for label, tree in formula.labels]
    value = Label(case(*cases, else_=otherwise), ColumnInfo("", ColumnType.TEXT))
    return value, ColumnType.TEXT, natives[ColumnType.TEXT]


def _aggregate(formula: Related, builder: Builder, natives: Natives) -> tuple[ColumnElement[Any], ColumnType, str]:
    rows, own, info = builder.related_rows(formula)
    measure = func.count() if formula.measure == "count" else Aggregate(formula.measure, rows.c.value, info)
    grouped = builder.join(sqlalchemy.select(rows.c.key, measure.label("value")).group_by(rows.c.key), own)
    value = func.coalesce(grouped.c.value, ZERO) if formula.measure in ("count", "sum") else grouped.c.value
    column_type = ColumnType.NUMBER if formula.measure == "average" else info.type
    return value, column_type, natives[column_type] if column_type in NUMBERS else info.native


def _alias(name: str, taken: Collection[str]) -> str:
    """The name in characters that every database accepts, and different from every other column, ignoring case."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:NAME_LENGTH]
    stem = plain if plain[:1].isalpha() else f"computed_{plain}".rstrip("_")
    return next(
        alias
        for number in range(1, len(taken) + 2)
        if (alias := stem if number == 1 else f"{stem}_{number}") not in taken
    )
