"""Which columns of a model are in use, and which columns a segment needs in order to be read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import Misconfigured
from segments.conditions import computed_fields, parsing
from segments.conditions.scope import Definition, ModelScope
from segments.conditions.scope_from_db import model_scope
from segments.conditions.tree import Group, Leaf, Member, Related, columns
from segments.integrity.registered_users import uses_of_model
from segments.models import ComputedField, DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

ColumnUse = tuple[str, str]
"""The name of a model, and the name of one of its source columns."""


def used_columns(model: DataModel) -> set[str]:
    """The columns of a model that a key, a relation, a computed field, a segment, or a registered user uses."""
    names = {model.primary_key}
    names |= set(model.relations.values_list("from_column", flat=True)) | set(
        model.relations_here.values_list("to_column", flat=True)
    )
    for column in fields_of(model.source):
        names |= computed_fields.columns_named(column.definition, column.model.name, model.name)
    for segment in Segment.objects.filter(model__source=model.source).select_related("model"):
        names |= columns_of_segment(segment, model)
    for use in uses_of_model(model):
        names |= use.columns
    return names


def fields_of(source: Source) -> QuerySet[ComputedField]:
    """The computed fields of all models of a source."""
    return ComputedField.objects.filter(model__source=source).exclude(definition={}).select_related("model")


def columns_of_segment(segment: Segment, model: DataModel) -> set[str]:
    """The columns of `model` that a segment uses. The segment may belong to a different model."""
    try:
        tree = parsing.parse(segment.where)
    except Misconfigured:
        return set()
    order = {str(segment.limit.get("order_by"))} if segment.limit and segment.model_id == model.pk else set()
    return order | set(columns(tree, segment.model.name, model.name))


def needed_columns(rows: Segment | DataModel, columns: Iterable[str]) -> dict[str, set[str]]:
    """Model → its source columns that are needed to read these rows.

    Includes what related models, segments and computed fields need: if a segment has the condition *spent is at least
    100*, and `spent` sums the amounts of related orders, it needs `amount` and `company_id` of the orders as well.

    Args:
        columns: the columns of the model that are read, in addition to its key and what the segment needs.
    """
    model = rows.model if isinstance(rows, Segment) else rows
    scope = model_scope(model)
    needed: dict[str, set[str]] = defaultdict(set)
    needed[model.name].add(model.primary_key)
    for name, column in _of_columns(columns, scope):
        needed[name].add(column)
    if isinstance(rows, Segment):
        for name, column in _of_definition(Definition(rows.where, rows.limit), scope, (rows.name,)):
            needed[name].add(column)
    return needed


def _of_definition(definition: Definition, scope: ModelScope, path: tuple[str, ...]) -> Iterator[ColumnUse]:
    """What a segment needs; nothing if it is not valid. Segments in `path` are not followed again."""
    try:
        tree = parsing.parse(definition.where)
    except Misconfigured:
        return
    yield from _of_tree(tree, scope, path)
    if "order_by" in definition.limit:
        yield from _of_columns([str(definition.limit["order_by"])], scope)


def _of_tree(tree: Group, scope: ModelScope, path: tuple[str, ...] = ()) -> Iterator[ColumnUse]:
    for item in tree.items:
        if isinstance(item, Group):
            yield from _of_tree(item, scope, path)
        elif isinstance(item, Leaf):
            yield from _of_columns([item.field], scope)
        elif isinstance(item, Related):
            yield from _of_related(item, scope, path)
        elif isinstance(item, Member) and item.segment not in path and item.segment in scope.segments:
            yield from _of_definition(scope.segments[item.segment], scope, (*path, item.segment))


def _of_related(item: Related, scope: ModelScope, path: tuple[str, ...]) -> Iterator[ColumnUse]:
    for link in scope.links:
        if link.model == item.model and item.through in ("", link.through):
            yield scope.name, link.own
            yield link.model, link.other
    if item.model in scope.models:
        other = scope.models[item.model]
        yield from _of_columns([item.column] if item.column else [], other)
        yield from _of_tree(item.where, other, path)


def _of_columns(names: Iterable[str], scope: ModelScope) -> Iterator[ColumnUse]:
    for name in names:
        if name in scope.computed:
            yield from _of_field(name, scope)
        else:
            yield scope.name, name


def _of_field(name: str, scope: ModelScope) -> Iterator[ColumnUse]:
    """What a computed field needs; nothing if its definition is not valid."""
    try:
        formula = computed_fields.parse(scope.computed[name])
    except Misconfigured:
        return
    # The field itself is removed from the scope, so that a field that refers to itself does not recurse forever.
    others = {other: definition for other, definition in scope.computed.items() if other != name}
    for tree in computed_fields.trees(formula):
        yield from _of_tree(tree, replace(scope, computed=others))
