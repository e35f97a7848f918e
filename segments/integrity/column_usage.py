"""Which columns something uses: of a model, everything that does; of rows that are about to be read, what comes with them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions import computed_fields, parsing
from segments.conditions.scope import Definition, Facts
from segments.conditions.scope_from_db import facts
from segments.conditions.tree import Group, Leaf, Member, Related, columns
from segments.models import ComputedField, DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

Use = tuple[str, str]
"""The name of a model and that of a column of its source."""


def used(model: DataModel) -> set[str]:
    """The columns of a model that a key, a relation, a computed field, a segment or an activation uses."""
    names = {model.primary_key}
    names |= set(model.relations.values_list("from_column", flat=True)) | set(
        model.relations_here.values_list("to_column", flat=True)
    )
    for column in fields_of(model.source):
        names |= computed_fields.named(column.definition, column.model.name, model.name)
    for segment in Segment.objects.filter(model__source=model.source).select_related("model"):
        names |= looked_at(segment, model)
    for activation in activations_of(model):
        names |= {activation.match_column, *activation.mappings.exclude(column="").values_list("column", flat=True)}
    return names


def fields_of(source: Source) -> QuerySet[ComputedField]:
    """The computed fields of all models of a source."""
    return ComputedField.objects.filter(model__source=source).exclude(definition={}).select_related("model")


def activations_of(model: DataModel) -> list[Any]:
    """The activations of a model and of its segments. Reached from this side, so that this room need not know who activates."""
    return [*model.activations.all(), *(one for segment in model.segments.all() for one in segment.activations.all())]


def looked_at(segment: Segment, model: DataModel) -> set[str]:
    """The columns of a model that a segment looks at, of this model or of another."""
    try:
        tree = parsing.parse(segment.where)
    except Misconfigured:
        return set()
    order = {str(segment.limit.get("order_by"))} if segment.limit and segment.model_id == model.pk else set()
    return order | set(columns(tree, segment.model.name, model.name))


def needed(rows: Segment | DataModel, columns: Iterable[str]) -> dict[str, set[str]]:
    """Model → the columns of its source that are read with these rows, also by way of related models, segments and computed fields.

    Args:
        columns: of the model, that are read beside its key and those of the segment.
    """
    model = rows.model if isinstance(rows, Segment) else rows
    about = facts(model)
    found: dict[str, set[str]] = defaultdict(set)
    found[model.name].add(model.primary_key)
    for name, column in _of_columns(columns, about):
        found[name].add(column)
    if isinstance(rows, Segment):
        for name, column in _of_definition(Definition(rows.where, rows.limit), about, (rows.name,)):
            found[name].add(column)
    return found


def _of_definition(definition: Definition, about: Facts, path: tuple[str, ...]) -> Iterator[Use]:
    """What a segment of the model `about` reads; nothing where it can't be understood. `path`: segments that are not followed again."""
    try:
        tree = parsing.parse(definition.where)
    except Misconfigured:
        return
    yield from _of_tree(tree, about, path)
    if "order_by" in definition.limit:
        yield from _of_columns([str(definition.limit["order_by"])], about)


def _of_tree(tree: Group, about: Facts, path: tuple[str, ...] = ()) -> Iterator[Use]:
    for item in tree.items:
        if isinstance(item, Group):
            yield from _of_tree(item, about, path)
        elif isinstance(item, Leaf):
            yield from _of_columns([item.field], about)
        elif isinstance(item, Related):
            yield from _of_related(item, about, path)
        elif isinstance(item, Member) and item.segment not in path and item.segment in about.segments:
            yield from _of_definition(about.segments[item.segment], about, (*path, item.segment))


def _of_related(item: Related, about: Facts, path: tuple[str, ...]) -> Iterator[Use]:
    for link in about.links:
        if link.model == item.model and item.through in ("", link.through):
            yield about.name, link.own
            yield link.model, link.other
    if item.model in about.world:
        other = about.world[item.model]
        yield from _of_columns([item.column] if item.column else [], other)
        yield from _of_tree(item.where, other, path)


def _of_columns(names: Iterable[str], about: Facts) -> Iterator[Use]:
    for name in names:
        if name in about.computed:
            yield from _of_field(name, about)
        else:
            yield about.name, name


def _of_field(name: str, about: Facts) -> Iterator[Use]:
    """What a computed field is worked out from; one that can't be understood reads nothing."""
    try:
        formula = computed_fields.parse(about.computed[name])
    except Misconfigured:
        return
    # Without itself, so that a field that asks about itself comes to an end.
    others = {other: definition for other, definition in about.computed.items() if other != name}
    for tree in computed_fields.trees(formula):
        yield from _of_tree(tree, replace(about, computed=others))
