"""Segments as they are saved: checked together with those that ask about them, renamed with them, never deleted under them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions import computed_fields, limits, parsing
from segments.conditions.scope import Definition, Facts
from segments.conditions.scope_from_db import facts, of_source
from segments.integrity.column_usage import activations_of, fields_of, looked_at, used
from segments.models import ComputedField, DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

MOST_TAGS = 20
TAG_LENGTH = 40
_NESTED = ("all", "any", "where", "labels")
"""Where conditions and definitions hold more conditions."""


def checked(segment: Segment, before: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """The conditions and the limit of a segment that is about to be saved, as they are stored.

    Args:
        before: the name that it had, where it is another now.

    Raises:
        Misconfigured: they can't be understood, or segments that ask about this one could not be any more.
    """
    known = before or segment.name
    about = facts(segment.model)
    where, limit = (
        parsing.plain(parsing.parse(segment.where, about, name=known)),
        limits.parse(segment.limit, about.types),
    )
    after = facts(segment.model, saved={known: Definition(where, limits.plain(limit))})
    for other in after.world.values():
        for name, definition in other.segments.items():
            if name != known and known in asked(definition.where):
                parsing.parse(definition.where, other, name=name)
    return where, limits.plain(limit)


def broken(source: Source) -> dict[str, str]:
    """The segments and computed fields of the source that can't be understood as things stand, each with the reason."""
    return broken_in(of_source(source))


def broken_in(world: Mapping[str, Facts]) -> dict[str, str]:
    """PURE. The same of the facts of all models of a source."""
    found = {}
    for about in world.values():
        for name, definition in about.segments.items():
            if problem := _problem(parsing.parse, definition.where, about, name=name):
                found[f"the segment {name!r}"] = problem
        for name in about.computed:
            if problem := _problem(computed_fields.checked, about, name):
                found[f"the computed field {name!r} of {about.name!r}"] = problem
    return found


def _problem(read: Callable[..., Any], *given: Any, **named: Any) -> str:
    try:
        read(*given, **named)
    except Misconfigured as problem:
        return problem.message
    return ""


def refuse_breaking(source: Source, before: Container[str]) -> None:
    """Raises Misconfigured where a segment or a computed field is broken now that was not `before`."""
    refuse_more(broken(source), before)


def refuse_more(found: Mapping[str, str], before: Container[str]) -> None:
    """PURE. Raises Misconfigured where something is found broken that was not `before`."""
    for name, reason in found.items():
        if name not in before:
            message = f"This change can't be done: {name} needs it. {reason}"
            raise Misconfigured("segment_needs_it", message, where=name)


def users(segment: Segment) -> list[str]:
    """The names of the segments that ask about this one."""
    others = Segment.objects.filter(model__source=segment.model.source).exclude(pk=segment.pk)
    return [other.name for other in others if segment.name in asked(other.where)]


def users_of_model(model: DataModel) -> list[str]:
    """The segments and computed fields of other models that ask about rows of this one, in words."""
    others = Segment.objects.filter(model__source=model.source).exclude(model=model)
    fields = fields_of(model.source).exclude(model=model)
    return [
        *(other.name for other in others if _names(other.where, "related", model.name)),
        *(
            f"the computed field {field.name!r} of {field.model}"
            for field in fields
            if _names(field.definition, "related", model.name)
        ),
    ]


def users_of_column(model: DataModel, name: str) -> list[str]:
    """What uses a column of the model, in words."""
    relations = [*model.relations.filter(from_column=name), *model.relations_here.filter(to_column=name)]
    segments = Segment.objects.filter(model__source=model.source).select_related("model")
    fields = fields_of(model.source)
    return [
        *(f"the relation {relation}" for relation in relations),
        *(
            f"the computed field {one.name!r}"
            for one in fields
            if name in computed_fields.named(one.definition, one.model.name, model.name)
        ),
        *(f"the segment {segment.name!r}" for segment in segments if name in looked_at(segment, model)),
        *(f"the activation {one.name!r}" for one in activations_of(model) if _activates(one, name)),
    ]


def _activates(activation: Any, column: str) -> bool:
    return activation.match_column == column or activation.mappings.filter(column=column).exists()


def rename(segment: Segment, before: str) -> None:
    """Lets the segments that ask about this one by the name it had ask by its new one."""
    for other in Segment.objects.filter(model__source=segment.model.source):
        changed = _renamed(other.where, "segment", before, segment.name)
        if changed != other.where:
            Segment.objects.filter(pk=other.pk).update(where=changed)


def rename_model(model: DataModel, before: str) -> None:
    """Lets conditions on a related model that was called `before` ask by its new name."""
    for segment in Segment.objects.filter(model__source=model.source):
        changed = _renamed(segment.where, "related", before, model.name)
        if changed != segment.where:
            Segment.objects.filter(pk=segment.pk).update(where=changed)
    for field in fields_of(model.source):
        _redefine(field, _renamed(field.definition, "related", before, model.name))


def rename_column(model: DataModel, before: str, after: str) -> None:
    """Lets everything that uses a column of the model by the name it had use it by its new one.

    Raises:
        Misconfigured: as `refuse_rename`.
    """
    refuse_rename(model, before)
    for activation in activations_of(model):
        activation.mappings.filter(column=before).update(column=after)
    model.relations.filter(from_column=before).update(from_column=after)
    model.relations_here.filter(to_column=before).update(to_column=after)
    for segment in Segment.objects.filter(model__source=model.source).select_related("model"):
        where = _column_renamed(segment.where, segment.model.name, model.name, before, after)
        limit = dict(segment.limit)
        if segment.model_id == model.pk and limit.get("order_by") == before:
            limit["order_by"] = after
        if (where, limit) != (segment.where, segment.limit):
            Segment.objects.filter(pk=segment.pk).update(where=where, limit=limit)
    for field in fields_of(model.source):
        _redefine(field, _column_renamed(field.definition, field.model.name, model.name, before, after))


def refuse_rename(model: DataModel, column: str) -> None:
    """Raises Misconfigured where an activation tells records apart by the column, and would take it for another one."""
    for activation in activations_of(model):
        if activation.match_column == column:
            message = f"{column!r} can't be renamed: the activation {activation.name!r} matches records by it."
            raise Misconfigured("column_matches", message, where=column)


def _redefine(field: ComputedField, definition: Any) -> None:
    if definition != field.definition:
        ComputedField.objects.filter(pk=field.pk).update(definition=definition)


def check_ticked(model: DataModel) -> None:
    """Raises Misconfigured where a column that is not ticked is used all the same."""
    hidden = set(model.columns.filter(used=False).values_list("name", flat=True)) & used(model)
    if hidden:
        names = ", ".join(sorted(hidden))
        message = f"These columns are used by a key, a relation, a computed field, a segment or an activation: {names}. Tick them."
        raise Misconfigured("column_used", message)


def asked(where: Any) -> set[str]:
    """PURE. The names of the segments that stored conditions ask about."""
    try:
        return set(parsing.segments_of(parsing.parse(where)))
    except Misconfigured:
        return set()


def _names(tree: Any, key: str, name: str) -> bool:
    if isinstance(tree, list):
        return any(_names(item, key, name) for item in tree)
    return isinstance(tree, dict) and (tree.get(key) == name or any(_names(held, key, name) for held in tree.values()))


def _renamed(tree: Any, key: str, before: str, after: str) -> Any:
    if isinstance(tree, list):
        return [_renamed(item, key, before, after) for item in tree]
    if not isinstance(tree, dict):
        return tree
    changed = {name: _renamed(held, key, before, after) if name in _NESTED else held for name, held in tree.items()}
    if changed.get(key) == before:
        changed[key] = after
    if key == "related" and str(changed.get("through", "")).startswith(f"{before}."):
        changed["through"] = after + changed["through"][len(before) :]
    return changed


def _column_renamed(tree: Any, about: str, model: str, before: str, after: str) -> Any:
    """The stored tree, whose conditions are about the model `about`, with a column of `model` renamed."""
    if isinstance(tree, list):
        return [_column_renamed(item, about, model, before, after) for item in tree]
    if not isinstance(tree, dict):
        return tree
    inner = tree.get("related", about)
    changed = {
        key: _column_renamed(held, inner, model, before, after) if key in _NESTED else held
        for key, held in tree.items()
    }
    for key in ("field", *parsing.MEASURES):
        if inner == model and changed.get(key) == before:
            changed[key] = after
    if changed.get("through") == f"{model}.{before}":
        changed["through"] = f"{model}.{after}"
    return changed


def tags_of(words: Iterable[Any]) -> list[str]:
    """PURE. Tags without blanks, each once, no more than there is room for."""
    found = dict.fromkeys(" ".join(str(word).split())[:TAG_LENGTH] for word in words)
    return [word for word in found if word][:MOST_TAGS]
