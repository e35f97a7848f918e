"""PURE. The tree of conditions that makes a segment: read, checked against the columns, and said in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from core.errors import Misconfigured
from segments.contract import ColumnType
from segments.operands import LENGTHS, LISTS, PAIRS, PLAIN, plain_value, read, words

Combine = Literal["all", "any"]
MAX_DEPTH = 10
MAX_CONDITIONS = 200

_TEXT = (
    "equals", "not_equals", "one_of", "none_of", "contains", "not_contains", "starts_with", "ends_with", "empty", "not_empty",
)  # fmt: skip
_NUMBER = (
    "equals", "not_equals", "greater_than", "at_least", "less_than", "at_most", "between", "not_between", "one_of", "none_of",
    "empty", "not_empty",
)  # fmt: skip
_TIME = ("on", "before", "after", "between", "in_the_last", "in_the_next", "more_than_ago", "empty", "not_empty")
_NESTED = ("empty", "not_empty")
_NOT_YET = ("contains_any", "contains_all", "contains_none")

OPERATORS: Mapping[ColumnType, tuple[str, ...]] = {
    ColumnType.TEXT: _TEXT,
    ColumnType.INTEGER: _NUMBER,
    ColumnType.NUMBER: _NUMBER,
    ColumnType.BOOLEAN: ("equals", "empty", "not_empty"),
    ColumnType.DATE: _TIME,
    ColumnType.TIMESTAMP: _TIME,
    ColumnType.LIST: _NESTED,
    ColumnType.OBJECT: _NESTED,
}
"""What can be asked of a column, by its type."""

LABELS: Mapping[str, str] = {
    "equals": "is",
    "not_equals": "is not",
    "one_of": "is one of",
    "none_of": "is none of",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "greater_than": "is greater than",
    "at_least": "is at least",
    "less_than": "is less than",
    "at_most": "is at most",
    "between": "is between",
    "not_between": "is not between",
    "on": "is on",
    "before": "is before",
    "after": "is after",
    "in_the_last": "is in the last",
    "in_the_next": "is in the next",
    "more_than_ago": "is longer ago than",
    "empty": "is empty",
    "not_empty": "is not empty",
}
"""How an operator reads between a column and a value."""


@dataclass(frozen=True)
class Leaf:
    """One condition on one column. `value` is as it was written until the tree is validated, and in its right type then."""

    field: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Group:
    """Conditions that must all be met, or any one of them. Without items it means all rows."""

    combine: Combine
    items: tuple[Leaf | Group, ...] = ()


EVERYTHING = Group("all")


def parse(where: Any, types: Mapping[str, str] | None = None) -> Group:
    """The tree of a segment: validated where `types` are given, else its columns and values are not looked at yet.

    Args:
        where: `{all: [...]}` or `{any: [...]}`, its items either such groups or `{field, is, value}`; empty means all rows.
            A single `{field, is, value}` stands for itself.
        types: column name → its type, as for `validate`.

    Raises:
        Misconfigured: it is no such tree, or holds what this version can't do yet.
    """
    if where is None or where == {}:
        return EVERYTHING
    if isinstance(where, Mapping) and "field" in where:
        where = {"all": [where]}
    tree = _group(where, depth=1)
    if sum(1 for _ in leaves(tree)) > MAX_CONDITIONS:
        raise _wrong("condition_too_many", f"A segment can hold at most {MAX_CONDITIONS} conditions.")
    return tree if types is None else validate(tree, types)


def validate(tree: Group, types: Mapping[str, str]) -> Group:
    """The tree with every value in its right type.

    Args:
        types: column name → its type.

    Raises:
        Misconfigured: an unknown column, an operator that its type does not have, or a value that does not fit.
    """
    return Group(tree.combine, tuple(_validated(item, types) for item in tree.items))


def leaves(tree: Group) -> Iterator[Leaf]:
    """Every condition of the tree, in order."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from leaves(item)
        else:
            yield item


def plain(tree: Group) -> dict[str, Any]:
    """The tree as JSON and the workspace file hold it; `parse` reads it back."""
    if not tree.items:
        return {}
    return {tree.combine: [plain(item) if isinstance(item, Group) else _plain_leaf(item) for item in tree.items]}


def say(tree: Group) -> str:
    """The tree in words, e.g. "country is one of FR, DE and mrr is greater than 0"."""
    if not tree.items:
        return "all rows"
    between = " and " if tree.combine == "all" else " or "
    return between.join(f"({say(item)})" if isinstance(item, Group) else _say(item) for item in tree.items)


def rows(tree: Group) -> tuple[Combine, list[dict[str, Any]]] | None:
    """The tree as rows `{field, is, value}` of a simple editor; None where it is nested deeper than that."""
    if any(isinstance(item, Group) for item in tree.items):
        return None
    return tree.combine, [_plain_leaf(item) for item in tree.items if isinstance(item, Leaf)]


def from_rows(combine: str, edited: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The tree of a simple editor's rows, for `parse`."""
    return {combine: [dict(row) for row in edited]} if edited else {}


def _group(where: Any, depth: int) -> Group:
    if not isinstance(where, Mapping) or len(where) != 1 or next(iter(where)) not in ("all", "any"):
        raise _wrong("condition_group", "A group of conditions is {all: [...]} or {any: [...]}, and nothing beside it.")
    if depth > MAX_DEPTH:
        raise _wrong("condition_depth", f"Conditions can be nested at most {MAX_DEPTH} groups deep.")
    combine, items = next(iter(where.items()))
    if not isinstance(items, list | tuple):
        raise _wrong("condition_group", f"{combine!r} takes a list of conditions.")
    if not items and depth > 1:
        raise _wrong("condition_group", "A group inside another needs at least one condition.")
    return Group(cast(Combine, combine), tuple(_item(item, depth) for item in items))


def _item(item: Any, depth: int) -> Leaf | Group:
    if not isinstance(item, Mapping):
        raise _wrong("condition_invalid", "A condition is {field, is, value}, or a group of them.")
    if "related" in item:
        raise _wrong("condition_not_yet", "This version can't filter on related models yet.", "related")
    if "segment" in item:
        raise _wrong("condition_not_yet", "This version can't filter on membership in another segment yet.", "segment")
    return _leaf(item) if "field" in item else _group(item, depth + 1)


def _leaf(item: Mapping[str, Any]) -> Leaf:
    field, operator = item["field"], item.get("is")
    for key in item:
        if key not in ("field", "is", "value"):
            raise _wrong("condition_invalid", f"A condition has no {key!r}. It takes field, is and value.", str(field))
    if not isinstance(field, str):
        raise _wrong("condition_invalid", "The field of a condition is the name of a column.", str(field))
    if operator in _NOT_YET:
        raise _wrong("condition_not_yet", f"This version can't ask {operator!r} of a list yet.", field)
    if operator not in LABELS:
        said = f"There is no operator {operator!r}." if operator else f"The condition on {field!r} says nothing under 'is'."
        raise _wrong("operator_unknown", f"{said} Choose one of: {', '.join(LABELS)}.", field)
    return Leaf(field, str(operator), item.get("value"))


def _validated(item: Leaf | Group, types: Mapping[str, str]) -> Leaf | Group:
    if isinstance(item, Group):
        return validate(item, types)
    if item.field not in types:
        known = ", ".join(types) or "none"
        raise _wrong("column_unknown", f"The model has no column {item.field!r}. It has: {known}.", item.field)
    type = ColumnType(types[item.field])
    if item.operator not in OPERATORS[type]:
        allowed = ", ".join(OPERATORS[type])
        message = f"{item.operator!r} can't be asked of {item.field!r}, a {type} column. It takes: {allowed}."
        raise _wrong("operator_unknown", message, item.field)
    return Leaf(item.field, item.operator, read(item.field, type, item.operator, item.value))


def _plain_leaf(leaf: Leaf) -> dict[str, Any]:
    said: dict[str, Any] = {"field": leaf.field, "is": leaf.operator}
    if leaf.operator not in PLAIN:
        said["value"] = plain_value(leaf.value)
    return said


def _say(leaf: Leaf) -> str:
    if leaf.operator in PLAIN:
        return f"{leaf.field} {LABELS[leaf.operator]}"
    return f"{leaf.field} {LABELS[leaf.operator]} {words(leaf.operator, leaf.value)}"


def _wrong(code: str, message: str, where: str = "") -> Misconfigured:
    return Misconfigured(code, message, where=where)


__all__ = [
    "EVERYTHING", "LABELS", "LENGTHS", "LISTS", "OPERATORS", "PAIRS", "PLAIN", "Combine", "Group", "Leaf", "from_rows", "leaves", "parse",
    "plain", "rows", "say", "validate",
]  # fmt: skip
