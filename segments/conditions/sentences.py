"""PURE. Conditions in plain words."""

from __future__ import annotations

from segments.conditions.limits import Limit
from segments.conditions.limits import in_words as limit_in_words
from segments.conditions.operands import PLAIN, value_in_words
from segments.conditions.tree import HAS, LABELS, MEMBER, Group, Item, Leaf, Member, Related


def in_words(tree: Group) -> str:
    """The tree in words, e.g. "country is one of FR, DE and mrr is greater than 0"."""
    if not tree.items:
        return "all rows"
    conjunction = " and " if tree.combine == "all" else " or "
    return conjunction.join(_item(item) for item in tree.items)


def sentence(model: str, tree: Group, limit: Limit | None = None) -> str:
    """A segment in one sentence."""
    rows = f"{model} where {in_words(tree)}" if tree.items else f"All rows of {model}"
    return f"{rows}; {limit_in_words(limit)}." if limit else f"{rows}."


def _item(item: Item) -> str:
    if isinstance(item, Group):
        return f"({in_words(item)})"
    if isinstance(item, Member):
        return f"{MEMBER[item.operator]} {item.segment}"
    if isinstance(item, Leaf):
        return f"{item.field} {_comparison(item)}"
    if item.measure == "count":
        count = "" if item.value is None else f" {item.value:,}"
        return f"has {HAS[item.operator]}{count} {_rows(item)}"
    return f"{measure_in_words(item)} {_comparison(item)}"


def measure_in_words(item: Related) -> str:
    """What is calculated from related rows, e.g. "the sum of amount over Orders where (status is paid)"."""
    if item.measure == "count":
        return f"the number of {_rows(item)}"
    return f"the {item.measure} of {item.column} over {_rows(item)}"


def _rows(item: Related) -> str:
    return f"{item.model} where ({in_words(item.where)})" if item.where.items else item.model


def _comparison(item: Leaf | Related) -> str:
    label = LABELS[item.operator]
    return label if item.operator in PLAIN else f"{label} {value_in_words(item.operator, item.value)}"
