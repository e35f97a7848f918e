"""PURE. Which columns of which models are read where rows are narrowed by conditions."""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import Misconfigured
from segments import conditions
from segments.facts import Definition, Facts
from segments.tree import Group, Leaf, Member, Related

Use = tuple[str, str]
"""The name of a model and that of a column of it."""


def of_definition(definition: Definition, about: Facts, path: tuple[str, ...] = ()) -> Iterator[Use]:
    """What a segment of the model `about` reads, by way of other segments and of related models too; nothing where it can't be understood.

    Args:
        path: the segments that led here, which are not followed again.
    """
    try:
        tree = conditions.parse(definition.where)
    except Misconfigured:
        return
    yield from of_tree(tree, about, path)
    if "order_by" in definition.limit:
        yield about.name, str(definition.limit["order_by"])


def of_tree(tree: Group, about: Facts, path: tuple[str, ...] = ()) -> Iterator[Use]:
    """What conditions on the model `about` read."""
    for item in tree.items:
        if isinstance(item, Group):
            yield from of_tree(item, about, path)
        elif isinstance(item, Leaf):
            yield about.name, item.field
        elif isinstance(item, Related):
            yield from _of_related(item, about, path)
        elif isinstance(item, Member) and item.segment not in path and item.segment in about.segments:
            yield from of_definition(about.segments[item.segment], about, (*path, item.segment))


def _of_related(item: Related, about: Facts, path: tuple[str, ...]) -> Iterator[Use]:
    for link in about.links:
        if link.model == item.model and item.through in ("", link.through):
            yield about.name, link.own
            yield link.model, link.other
    if item.column:
        yield item.model, item.column
    if item.model in about.world:
        yield from of_tree(item.where, about.world[item.model], path)
