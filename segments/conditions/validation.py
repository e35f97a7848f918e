"""PURE. Whether one condition fits what its model has: columns, operators, values and relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions.operands import read
from segments.conditions.tree import MEASURES, OPERATORS, Leaf, Related, measured
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segments.conditions.scope import Facts, Link


def link(item: Related, about: Facts) -> Link:
    """The relation that a condition on related rows means. Raises Misconfigured where there is none, or more than one."""
    links = [link for link in about.links if link.model == item.model and item.through in ("", link.through)]
    if len(links) == 1:
        return links[0]
    if not links:
        known = ", ".join(dict.fromkeys(link.model for link in about.links)) or "none yet; add a relation to the model"
        raise _wrong(
            "related_unknown",
            f"{item.through or item.model!r} is not related to this model. Related are: {known}.",
            item.model,
        )
    names = ", ".join(link.through for link in links)
    raise _wrong(
        "related_ambiguous", f"{item.model!r} is related in several ways. Say `through` which one: {names}.", item.model
    )


def measurable(item: Related, types: Mapping[str, str]) -> ColumnType:
    """The type of the column that is measured. Raises Misconfigured where it is unknown, or can't be measured so."""
    _refuse_unknown(item.column, types)
    column_type = ColumnType(types[item.column])
    if column_type not in MEASURES[item.measure]:
        message = f"There is no {item.measure} of {item.column!r}, a {column_type} column. It takes: {', '.join(MEASURES[item.measure])}."
        raise _wrong("measure_invalid", message, item.column)
    return column_type


def measure_value(item: Related, types: Mapping[str, str]) -> Any:
    """The value that a measure is compared with, in its right type. Raises Misconfigured where it does not fit."""
    result, operators = measured(item.measure, measurable(item, types))
    if item.operator not in operators:
        message = f"{item.operator!r} can't be asked of the {item.measure} of {item.column!r}. It takes: {', '.join(operators)}."
        raise _wrong("operator_unknown", message, item.column)
    return read(item.column, result, item.operator, item.value)


def leaf(item: Leaf, types: Mapping[str, str]) -> Leaf:
    """The condition with its value in its right type. Raises Misconfigured where it does not fit its column."""
    _refuse_unknown(item.field, types)
    column_type = ColumnType(types[item.field])
    if item.operator not in OPERATORS[column_type]:
        allowed = ", ".join(OPERATORS[column_type])
        message = f"{item.operator!r} can't be asked of {item.field!r}, a {column_type} column. It takes: {allowed}."
        raise _wrong("operator_unknown", message, item.field)
    return Leaf(item.field, item.operator, read(item.field, column_type, item.operator, item.value))


def _refuse_unknown(column: str, types: Mapping[str, str]) -> None:
    if column not in types:
        known = ", ".join(types) or "none"
        raise _wrong("column_unknown", f"The model has no column {column!r}. It has: {known}.", column)


def _wrong(code: str, message: str, where: str) -> Misconfigured:
    return Misconfigured(code, message, where=where)
