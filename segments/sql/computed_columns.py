"""PURE. Computed fields in a statement: the table of a model, wrapped so that it has them as columns.

A field that uses others stands in a query around theirs; a table of which no computed field is needed stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import ColumnElement, Text, case, func, literal

from segments.conditions.computed_fields import Formula, Labels, used
from segments.contract import ColumnInfo, ColumnType
from segments.sql.comparisons import NUMBERS, ZERO, Clock
from segments.sql.terms import Aggregate, Label
from segments.sql.where import Builder, Reach, Table, joined

if TYPE_CHECKING:
    from segments.conditions.tree import Related

NAME_LENGTH = 40
Natives = Mapping[ColumnType, str]
"""An engine's own words for the types of what is computed."""


def computing(table: Table, formulas: Mapping[str, Formula], natives: Natives, clock: Clock, reach: Reach) -> Table:
    """The table with validated computed fields as columns; those that others use come before them."""
    depths = _depths(formulas)
    for _, names in groupby(sorted(formulas, key=depths.__getitem__), key=depths.__getitem__):
        table = _wrapped(table, {name: formulas[name] for name in names}, natives, Builder(table, clock, reach))
    return table


def _depths(formulas: Mapping[str, Formula]) -> dict[str, int]:
    """How many layers of other computed fields each stands on."""
    depths: dict[str, int] = {}
    for name, formula in formulas.items():
        depths[name] = max((depths[one] + 1 for one in used(formula) if one in depths), default=0)
    return depths


def _wrapped(table: Table, formulas: Mapping[str, Formula], natives: Natives, builder: Builder) -> Table:
    chosen: list[ColumnElement[Any]] = [table.source.c[info.name] for info in table.infos.values()]
    infos = dict(table.infos)
    for name, formula in formulas.items():
        label = _label(name, {info.name.casefold() for info in infos.values()})
        value, column_type, native = (
            _labelled(formula, builder, natives)
            if isinstance(formula, Labels)
            else _aggregate(formula, builder, natives)
        )
        chosen.append(value.label(sqlalchemy.sql.quoted_name(label, quote=True)))
        infos[name] = ColumnInfo(label, column_type, native)
    source = sqlalchemy.select(*chosen).select_from(joined(table.source, builder.joins)).subquery("model")
    return replace(table, source=source, infos=infos)


def _labelled(formula: Labels, builder: Builder, natives: Natives) -> tuple[ColumnElement[Any], ColumnType, str]:
    otherwise = None if formula.otherwise is None else literal(formula.otherwise, Text())
    cases = [(builder.group(tree), literal(label, Text())) for label, tree in formula.labels]
    chosen = Label(case(*cases, else_=otherwise), ColumnInfo("", ColumnType.TEXT))
    return chosen, ColumnType.TEXT, natives[ColumnType.TEXT]


def _aggregate(formula: Related, builder: Builder, natives: Natives) -> tuple[ColumnElement[Any], ColumnType, str]:
    rows, own, info = builder.found(formula)
    measure = func.count() if formula.measure == "count" else Aggregate(formula.measure, rows.c.value, info)
    found = builder.join(sqlalchemy.select(rows.c.key, measure.label("value")).group_by(rows.c.key), own)
    value = func.coalesce(found.c.value, ZERO) if formula.measure in ("count", "sum") else found.c.value
    column_type = ColumnType.NUMBER if formula.measure == "average" else info.type
    return value, column_type, natives[column_type] if column_type in NUMBERS else info.native


def _label(name: str, taken: Collection[str]) -> str:
    """The name in letters that every database takes, and unlike every other column's whatever the case."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:NAME_LENGTH]
    stem = plain if plain[:1].isalpha() else f"computed_{plain}".rstrip("_")
    return next(
        label
        for number in range(1, len(taken) + 2)
        if (label := stem if number == 1 else f"{stem}_{number}") not in taken
    )
