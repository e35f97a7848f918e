"""PURE. The nodes of a condition tree, and the operators of each column type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from segments.conditions.operands import EMPTINESS
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from segments.conditions.limits import Limit
    from segments.conditions.scope import Link

Combine = Literal["all", "any"]

_TEXT = (
    "equals", "not_equals", "one_of", "none_of", "contains", "not_contains", "starts_with", "ends_with",
    "empty", "not_empty",
)  # fmt: skip
_NUMBER = (
    "equals", "not_equals", "greater_than", "at_least", "less_than", "at_most", "between", "not_between",
    "one_of", "none_of", "empty", "not_empty",
)  # fmt: skip
_TIME = (
    "on", "before", "after", "between", "in_the_last", "in_the_next", "more_than_ago", "anniversary", "anniversary_in",
    "empty", "not_empty",
)  # fmt: skip
_LIST = ("contains_any", "contains_all", "contains_none", "empty", "not_empty")

OPERATORS: Mapping[ColumnType, tuple[str, ...]] = {
    ColumnType.TEXT: _TEXT,
    ColumnType.INTEGER: _NUMBER,
    ColumnType.NUMBER: _NUMBER,
    ColumnType.BOOLEAN: ("equals", "empty", "not_empty"),
    ColumnType.DATE: _TIME,
    ColumnType.TIMESTAMP: _TIME,
    ColumnType.LIST: _LIST,
    ColumnType.OBJECT: _LIST,
}
"""Column type → the operators that a condition on such a column can use."""

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
    "more_than_ago": "is older than",
    "anniversary": "has its anniversary today",
    "anniversary_in": "has its anniversary in the next",
    "contains_any": "contains any of",
    "contains_all": "contains all of",
    "contains_none": "contains none of",
    "empty": "is empty",
    "not_empty": "is not empty",
}
"""Operator → its words, as they appear between a column and a value."""

HAS: Mapping[str, str] = {"at_least": "at least", "at_most": "at most", "exactly": "exactly", "none": "no"}
"""Operators on the number of related rows, in words."""
MEMBER: Mapping[str, str] = {"member": "is in the segment", "not_member": "is not in the segment"}
NEGATIVE: Mapping[str, str] = {
    "not_equals": "equals",
    "none_of": "one_of",
    "not_contains": "contains",
    "not_between": "between",
    "contains_none": "contains_any",
}
"""The negative operators, which match nulls, each with the operator that it negates."""

_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
MEASURES: Mapping[str, tuple[ColumnType, ...]] = {
    "sum": _NUMBERS,
    "average": _NUMBERS,
    "min": (*_NUMBERS, ColumnType.DATE, ColumnType.TIMESTAMP),
    "max": (*_NUMBERS, ColumnType.DATE, ColumnType.TIMESTAMP),
}
"""The measures of a column of related rows, each with the column types that it accepts."""


def measure_operators(measure: str, column_type: ColumnType) -> tuple[ColumnType, tuple[str, ...]]:
    """The type of a measure of a column, and the operators that can compare it.

    Without rows, a sum is 0 and never empty, so it has no operators for emptiness. Every other measure is empty then.
    """
    result = ColumnType.NUMBER if column_type in _NUMBERS else column_type
    operators = OPERATORS[result]
    if measure == "sum":
        operators = tuple(operator for operator in operators if operator not in EMPTINESS)
    return result, operators


@dataclass(frozen=True)
class Leaf:
    """One condition on one column. `value` is as the user wrote it; validation converts it to the column's type."""

    field: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Group:
    """Conditions of which all must match (`all`), or at least one (`any`). A group without items matches every row."""

    combine: Combine
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Related:
    """A condition on the rows of a related model that match `where`.

    Args:
        through: the name of the relation; needed only if the two models have several relations.
        measure: `count`, or one of MEASURES over `column`.
        operator: one of HAS for a count, otherwise one of `measure_operators`.
        link: the relation; set by validation.
    """

    model: str
    operator: str
    value: Any = None
    where: Group = Group("all")
    measure: str = "count"
    column: str = ""
    through: str = ""
    link: Link | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Member:
    """A condition on whether the row belongs to another segment of its model.

    Args:
        model, tree, limit: the model, conditions and size limit of that segment; set by validation.
    """

    segment: str
    operator: str
    model: str = field(default="", compare=False)
    tree: Group | None = field(default=None, compare=False)
    limit: Limit | None = field(default=None, compare=False)


Item = Leaf | Group | Related | Member
EVERYTHING = Group("all")


def leaves(tree: Group) -> Iterator[Leaf]:
    """The conditions on the model's own columns, in order."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from leaves(item)
        elif isinstance(item, Leaf):
            yield item


def fields(tree: Group) -> Iterator[str]:
    """The model's own columns that a validated tree needs, including those of the segments it refers to.

    A segment with a size limit is read in a subquery of its own, so its columns don't count.
    """
    for item in tree.items:
        if isinstance(item, Group):
            yield from fields(item)
        elif isinstance(item, Leaf):
            yield item.field
        elif isinstance(item, Member) and item.tree and not item.limit:
            yield from fields(item.tree)


def columns(tree: Group, model: str, wanted: str) -> Iterator[str]:
    """The columns of the model `wanted` that a tree for the model `model` names. The tree need not be validated."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from columns(item, model, wanted)
        elif isinstance(item, Related):
            if item.model == wanted and item.column:
                yield item.column
            yield from columns(item.where, item.model, wanted)
        elif isinstance(item, Leaf) and model == wanted:
            yield item.field


def size(tree: Group) -> int:
    """The number of conditions, including those on related rows."""
    total = 0
    for item in tree.items:
        total += size(item) if isinstance(item, Group) else 1
        total += size(item.where) if isinstance(item, Related) else 0
    return total


def segments_of(tree: Group) -> Iterator[str]:
    """The names of the segments that the conditions refer to, including segments of related models."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from segments_of(item)
        elif isinstance(item, Related):
            yield from segments_of(item.where)
        elif isinstance(item, Member):
            yield item.segment
