"""PURE. Which conditions of a segment decide about a row, and those that it does not meet, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segments.conditions.sentences import in_words
from segments.conditions.tree import Group, Item, Leaf, Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Deciding:
    """A condition that a row must meet to be in the segment.

    Args:
        item: the condition, or a group of which one must be met.
        segment: the other segment that it belongs to; "" if it is one of the segment's own.
    """

    item: Item
    segment: str = ""


@dataclass(frozen=True)
class Unmet:
    """A condition that a row does not meet.

    Args:
        words: the condition, e.g. "mrr is greater than 0".
        values: the row's present values of the columns in it, by column.
        segment: as in `Deciding`.
    """

    words: str
    values: Mapping[str, Any]
    segment: str = ""


def deciding(tree: Group, segment: str = "") -> Iterator[Deciding]:
    """The conditions that must all be met, those of segments that the row must be in included.

    Args:
        tree: validated.
        segment: the segment that the tree belongs to, if it is not the one in question.
    """
    if tree.combine == "any" and len(tree.items) > 1:
        yield Deciding(tree, segment)
        return
    for item in tree.items:
        if isinstance(item, Group):
            yield from deciding(item, segment)
        elif isinstance(item, Member) and item.operator == "member" and item.tree and item.tree.items:
            yield from deciding(item.tree, item.segment)
            if item.limit:
                yield Deciding(item, segment)
        else:
            yield Deciding(item, segment)


def unmet(conditions: Sequence[Deciding], met: Iterable[bool], row: Mapping[str, Any]) -> tuple[Unmet, ...]:
    """The conditions that are not met, in their order.

    Args:
        met: whether each condition is met.
        row: the row's present values, by column.
    """
    return tuple(
        Unmet(_words(condition.item), _values(condition.item, row), condition.segment)
        for condition, is_met in zip(conditions, met, strict=True)
        if not is_met
    )


def _words(item: Item) -> str:
    return in_words(item) if isinstance(item, Group) else in_words(Group("all", (item,)))


def _values(item: Item, row: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(item, Leaf):
        return {item.field: row.get(item.field)}
    values: dict[str, Any] = {}
    for part in item.items if isinstance(item, Group) else ():
        values |= _values(part, row)
    return values
