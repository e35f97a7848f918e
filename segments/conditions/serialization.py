"""PURE. A condition tree as JSON, as it is stored and as the workspace file holds it."""

from __future__ import annotations

from typing import Any

from segments.conditions.operands import PLAIN, plain_value
from segments.conditions.tree import (
    Group,
    Item,
    Leaf,
    Member,
    Related,
)


def plain(tree: Group) -> dict[str, Any]:
    """The tree as stored in JSON and in the workspace file; `parse` reads it back."""
    return {tree.combine: [plain_item(item) for item in tree.items]} if tree.items else {}


def plain_item(item: Item) -> dict[str, Any]:
    """One condition or group of a tree, as `plain` writes it."""
    if isinstance(item, Group):
        return plain(item)
    if isinstance(item, Member):
        return {"segment": item.segment, "is": item.operator}
    if isinstance(item, Leaf):
        return {"field": item.field, **_comparison(item)}
    result: dict[str, Any] = {"related": item.model, **({"through": item.through} if item.through else {})}
    if item.measure == "count":
        result |= {"has": item.operator, **({} if item.value is None else {"count": item.value})}
    else:
        result |= {item.measure: item.column, **_comparison(item)}
    return {**result, **({"where": plain(item.where)} if item.where.items else {})}


def _comparison(item: Leaf | Related) -> dict[str, Any]:
    return {"is": item.operator, **({} if item.operator in PLAIN else {"value": plain_value(item.value)})}
