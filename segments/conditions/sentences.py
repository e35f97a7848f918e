"""PURE. Conditions in plain words."""

from __future__ import annotations

from segments.conditions.limits import Limit
from segments.conditions.limits import say as say_limit
from segments.conditions.operands import PLAIN, words
from segments.conditions.tree import HAS, LABELS, MEMBER, Group, Item, Leaf, Member, Related


def say(tree: Group) -> str:
    """The tree in words, e.g. "country is one of FR, DE and mrr is greater than 0"."""
    if not tree.items:
        return "all rows"
    between = " and " if tree.combine == "all" else " or "
    return between.join(_item(item) for item in tree.items)


def sentence(model: str, tree: Group, limit: Limit | None = None) -> str:
    """A whole segment in one sentence."""
    said = f"{model} where {say(tree)}" if tree.items else f"All rows of {model}"
    return f"{said}; {say_limit(limit)}." if limit else f"{said}."


def _item(item: Item) -> str:
    if isinstance(item, Group):
        return f"({say(item)})"
    if isinstance(item, Member):
        return f"{MEMBER[item.operator]} {item.segment}"
    if isinstance(item, Leaf):
        return f"{item.field} {_compared(item)}"
    if item.measure == "count":
        count = "" if item.value is None else f" {item.value:,}"
        return f"has {HAS[item.operator]}{count} {_rows(item)}"
    return f"{measure(item)} {_compared(item)}"


def measure(item: Related) -> str:
    """What is worked out of related rows, e.g. "the sum of amount over Orders where (status is paid)"."""
    return (
        f"the number of {_rows(item)}"
        if item.measure == "count"
        else f"the {item.measure} of {item.column} over {_rows(item)}"
    )


def _rows(item: Related) -> str:
    return f"{item.model} where ({say(item.where)})" if item.where.items else item.model


def _compared(item: Leaf | Related) -> str:
    label = LABELS[item.operator]
    return label if item.operator in PLAIN else f"{label} {words(item.operator, item.value)}"
