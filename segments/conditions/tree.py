"""PURE. The nodes of a condition tree, and the operators that each type of column has."""

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
    "equals", "not_equals", "one_of", "none_of", "contains", "not_contains", "starts_with", "ends_with", "empty", "not_empty",
)  # fmt: skip
_NUMBER = (
    "equals", "not_equals", "greater_than", "at_least", "less_than", "at_most", "between", "not_between", "one_of", "none_of",
    "empty", "not_empty",
)  # fmt: skip
_TIME = (
    "on", "before", "after", "between", "in_the_last", "in_the_next", "more_than_ago", "anniversary", "anniversary_in", "empty",
    "not_empty",
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
    "anniversary": "has its anniversary today",
    "anniversary_in": "has its anniversary in the next",
    "contains_any": "contains any of",
    "contains_all": "contains all of",
    "contains_none": "contains none of",
    "empty": "is empty",
    "not_empty": "is not empty",
}
"""How an operator reads between a column and a value."""

HAS: Mapping[str, str] = {"at_least": "at least", "at_most": "at most", "exactly": "exactly", "none": "no"}
"""How many related rows there must be."""
MEMBER: Mapping[str, str] = {"member": "is in the segment", "not_member": "is not in the segment"}
NEGATIVE: Mapping[str, str] = {
    "not_equals": "equals",
    "none_of": "one_of",
    "not_contains": "contains",
    "not_between": "between",
    "contains_none": "contains_any",
}
"""The operators that a null meets, each with the one that it denies."""

_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
MEASURES: Mapping[str, tuple[ColumnType, ...]] = {
    "sum": _NUMBERS,
    "average": _NUMBERS,
    "min": (*_NUMBERS, ColumnType.DATE, ColumnType.TIMESTAMP),
    "max": (*_NUMBERS, ColumnType.DATE, ColumnType.TIMESTAMP),
}
"""What can be worked out of a column of related rows, with the types that it must have."""


def measured(measure: str, column_type: ColumnType) -> tuple[ColumnType, tuple[str, ...]]:
    """The type of a measure of a column, and its operators. The sum of no rows is 0; every other measure of none is empty."""
    result = ColumnType.NUMBER if column_type in _NUMBERS else column_type
    operators = OPERATORS[result]
    return result, tuple(one for one in operators if one not in EMPTINESS) if measure == "sum" else operators


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
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Related:
    """A condition on the rows of a related model that meet `where`.

    Args:
        through: the relation's name where it was written, since there are several between the two models.
        measure: `count`, or one of MEASURES over `column`.
        operator: one of HAS for a count, else one of `measured`.
        link: the relation, once the tree is validated.
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
    """Whether the row belongs to another segment of its model.

    Args:
        model, tree, limit: whose segment it is and what it means, once the tree is validated.
    """

    segment: str
    operator: str
    model: str = field(default="", compare=False)
    tree: Group | None = field(default=None, compare=False)
    limit: Limit | None = field(default=None, compare=False)


Item = Leaf | Group | Related | Member
EVERYTHING = Group("all")


def leaves(tree: Group) -> Iterator[Leaf]:
    """Every condition on a column of the model's own, in order."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from leaves(item)
        elif isinstance(item, Leaf):
            yield item


def fields(tree: Group) -> Iterator[str]:
    """The columns of the model's own that a validated tree looks at, also by way of the segments that it asks about."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from fields(item)
        elif isinstance(item, Leaf):
            yield item.field
        elif isinstance(item, Member) and item.tree and not item.limit:
            yield from fields(item.tree)


def columns(tree: Group, about: str, wanted: str) -> Iterator[str]:
    """The columns of the model `wanted` that a tree about the model `about` names, validated or not."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from columns(item, about, wanted)
        elif isinstance(item, Related):
            if item.model == wanted and item.column:
                yield item.column
            yield from columns(item.where, item.model, wanted)
        elif isinstance(item, Leaf) and about == wanted:
            yield item.field


def size(tree: Group) -> int:
    """How many conditions there are, those on related rows counted too."""
    total = 0
    for item in tree.items:
        total += size(item) if isinstance(item, Group) else 1
        total += size(item.where) if isinstance(item, Related) else 0
    return total


def segments_of(tree: Group) -> Iterator[str]:
    """The names of the segments that the conditions ask about, also those of related models."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from segments_of(item)
        elif isinstance(item, Related):
            yield from segments_of(item.where)
        elif isinstance(item, Member):
            yield item.segment
