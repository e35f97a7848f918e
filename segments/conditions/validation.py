"""PURE. Validates one condition against the columns and relations of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions.operands import read
from segments.conditions.tree import MEASURES, OPERATORS, Leaf, Related, measure_operators
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segments.conditions.scope import Link, ModelScope


def link(item: Related, scope: ModelScope) -> Link:
    """The relation that a condition on related rows uses. Raises Misconfigured if there is none, or more than one."""
    links = [link for link in scope.links if link.model == item.model and item.through in ("", link.through)]
    if len(links) == 1:
        return links[0]
    if not links:
        related = ", ".join(dict.fromkeys(link.model for link in scope.links))
        known = related or "none yet; add a relation to the model"
        message = f"“{item.through or item.model}” is not related to this model. Related models: {known}."
        raise _invalid("related_unknown", message, item.model)
    names = ", ".join(link.through for link in links)
    message = f"There are several relations with “{item.model}”. Choose one with `through`: {names}."
    raise _invalid("related_ambiguous", message, item.model)


def measurable(item: Related, types: Mapping[str, str]) -> ColumnType:
    """The type of the measured column. Raises Misconfigured if it is unknown, or if the measure does not accept it."""
    _refuse_unknown(item.column, types)
    column_type = ColumnType(types[item.column])
    if column_type not in MEASURES[item.measure]:
        accepted = ", ".join(MEASURES[item.measure])
        message = f"`{item.measure}` can't be used with “{item.column}”, a {column_type} column. It takes: {accepted}."
        raise _invalid("measure_invalid", message, item.column)
    return column_type


def measure_value(item: Related, types: Mapping[str, str]) -> Any:
    """The value that a measure is compared with, converted to its type. Raises Misconfigured if it does not fit."""
    result, operators = measure_operators(item.measure, measurable(item, types))
    if item.operator not in operators:
        measure = f"the {item.measure} of “{item.column}”"
        message = f"“{item.operator}” can't be used with {measure}. Choose one of: {', '.join(operators)}."
        raise _invalid("operator_unknown", message, item.column)
    return read(item.column, result, item.operator, item.value)


def leaf(item: Leaf, types: Mapping[str, str]) -> Leaf:
    """The condition with its value converted to the column's type. Raises Misconfigured if it does not fit."""
    _refuse_unknown(item.field, types)
    column_type = ColumnType(types[item.field])
    if item.operator not in OPERATORS[column_type]:
        column = f"“{item.field}”, a {column_type} column"
        allowed = ", ".join(OPERATORS[column_type])
        message = f"“{item.operator}” can't be used with {column}. Choose one of: {allowed}."
        raise _invalid("operator_unknown", message, item.field)
    return Leaf(item.field, item.operator, read(item.field, column_type, item.operator, item.value))


def _refuse_unknown(column: str, types: Mapping[str, str]) -> None:
    if column not in types:
        known = ", ".join(types) or "none"
        raise _invalid("column_unknown", f"The model has no column “{column}”. Available columns: {known}.", column)


def _invalid(code: str, message: str, where: str) -> Misconfigured:
    return Misconfigured(code, message, where=where)
