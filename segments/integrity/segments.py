"""Saving, renaming and deleting segments, models and columns without breaking the definitions that refer to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.audit import recording
from core.errors import Misconfigured
from segments.conditions import computed_fields, limits, parsing, serialization
from segments.conditions.scope import Definition, ModelScope
from segments.conditions.scope_from_db import model_scope, source_scopes
from segments.integrity.column_usage import columns_of_segment, fields_of, used_columns
from segments.integrity.registered_users import announce_renamed_column, uses_of_model
from segments.models import ComputedField, DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

MAX_TAGS = 20
TAG_LENGTH = 40
_NESTED = ("all", "any", "where", "labels")
"""The keys under which conditions and definitions contain further conditions."""


def checked(segment: Segment, before: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """The normalized conditions and size limit of a segment that is about to be saved.

    Args:
        before: its previous name, if it is being renamed.

    Raises:
        Misconfigured: they are not valid, or segments that refer to this one would no longer be valid.
    """
    stored_name = before or segment.name
    scope = model_scope(segment.model)
    where = serialization.plain(parsing.parse(segment.where, scope, name=stored_name))
    limit = limits.plain(limits.parse(segment.limit, scope.types))
    after = model_scope(segment.model, saved={stored_name: Definition(where, limit)})
    for other in after.models.values():
        for name, definition in other.segments.items():
            if name != stored_name and stored_name in referenced_segments(definition.where):
                parsing.parse(definition.where, other, name=name)
    return where, limit


def broken(source: Source) -> dict[str, str]:
    """The segments and computed fields of the source that are not valid at present, each with the reason."""
    return broken_in(source_scopes(source))


def broken_in(scopes: Mapping[str, ModelScope]) -> dict[str, str]:
    """PURE. The segments and computed fields that are not valid in these scopes, each with the reason."""
    reasons = {}
    for scope in scopes.values():
        for name, definition in scope.segments.items():
            if reason := _problem(parsing.parse, definition.where, scope, name=name):
                reasons[f"the segment “{name}”"] = reason
        for name in scope.computed:
            if reason := _problem(computed_fields.formula_of, scope, name):
                reasons[f"the computed field “{name}” of “{scope.name}”"] = reason
    return reasons


def _problem(validate: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    try:
        validate(*args, **kwargs)
    except Misconfigured as problem:
        return problem.message
    return ""


def refuse_breaking(source: Source, before: Container[str]) -> None:
    """Raises Misconfigured if a segment or computed field is broken now that was not broken `before`.

    What was already broken does not count: otherwise nothing could be changed, not even in order to fix it.
    """
    refuse_new(broken(source), before)


def refuse_new(broken: Mapping[str, str], before: Container[str]) -> None:
    """PURE. Raises Misconfigured if something is broken that was not broken `before`."""
    for name, reason in broken.items():
        if name not in before:
            message = f"This change would break {name}. {reason}"
            raise Misconfigured("segment_needs_it", message, where=name)


def users(segment: Segment) -> list[str]:
    """The names of the segments that refer to this one."""
    others = Segment.objects.filter(model__source=segment.model.source).exclude(pk=segment.pk)
    return [other.name for other in others if segment.name in referenced_segments(other.where)]


def users_of_model(model: DataModel) -> list[str]:
    """The segments and computed fields of other models that refer to rows of this one, in words."""
    others = Segment.objects.filter(model__source=model.source).exclude(model=model)
    fields = fields_of(model.source).exclude(model=model)
    return [
        *(other.name for other in others if _names(other.where, "related", model.name)),
        *(
            f"the computed field “{field.name}” of {field.model}"
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
            f"the computed field “{field.name}”"
            for field in fields
            if name in computed_fields.columns_named(field.definition, field.model.name, model.name)
        ),
        *(f"the segment “{segment.name}”" for segment in segments if name in columns_of_segment(segment, model)),
        *(str(use) for use in uses_of_model(model) if name in use.columns),
    ]


def rename(segment: Segment, before: str) -> None:
    """Replaces the previous name of a segment with its new one in the segments that refer to it."""
    for other in Segment.objects.filter(model__source=segment.model.source):
        changed = _renamed(other.where, "segment", before, segment.name)
        if changed != other.where:
            with recording(other):
                Segment.objects.filter(pk=other.pk).update(where=changed)


def rename_model(model: DataModel, before: str) -> None:
    """Replaces the previous name of a model with its new one in conditions and computed fields."""
    for segment in Segment.objects.filter(model__source=model.source):
        changed = _renamed(segment.where, "related", before, model.name)
        if changed != segment.where:
            with recording(segment):
                Segment.objects.filter(pk=segment.pk).update(where=changed)
    for field in fields_of(model.source):
        _redefine(field, _renamed(field.definition, "related", before, model.name))


def rename_column(model: DataModel, before: str, after: str) -> None:
    """Replaces the previous name of a column with its new one, wherever it is used.

    Raises:
        Misconfigured: as for `refuse_rename`.
    """
    refuse_rename(model, before)
    announce_renamed_column(model, before, after)
    with recording(model, *model.relations_here.filter(to_column=before)):
        DataModel.objects.filter(pk=model.pk, display_column=before).update(display_column=after)
        model.relations.filter(from_column=before).update(from_column=after)
        model.relations_here.filter(to_column=before).update(to_column=after)
    for segment in Segment.objects.filter(model__source=model.source).select_related("model"):
        where = _column_renamed(segment.where, segment.model.name, model.name, before, after)
        limit = dict(segment.limit)
        if segment.model_id == model.pk and limit.get("order_by") == before:
            limit["order_by"] = after
        if (where, limit) != (segment.where, segment.limit):
            with recording(segment):
                Segment.objects.filter(pk=segment.pk).update(where=where, limit=limit)
    for field in fields_of(model.source):
        _redefine(field, _column_renamed(field.definition, field.model.name, model.name, before, after))


def refuse_rename(model: DataModel, column: str) -> None:
    """Raises Misconfigured if records are matched by the column: a new name would reset their sync history."""
    for use in uses_of_model(model):
        if column in use.identified_by:
            message = f"“{column}” can't be renamed: {use} matches records by it."
            raise Misconfigured("column_matches", message, where=column)


def _redefine(field: ComputedField, definition: Any) -> None:
    if definition != field.definition:
        with recording(field):
            ComputedField.objects.filter(pk=field.pk).update(definition=definition)


def check_ticked(model: DataModel) -> None:
    """Raises Misconfigured if a column that is in use is not selected."""
    missing = set(model.columns.filter(used=False).values_list("name", flat=True)) & used_columns(model)
    if missing:
        users = "a key, a relation, a computed field, a segment or an activation"
        message = f"These columns are used by {users}: {', '.join(sorted(missing))}. Keep them selected."
        raise Misconfigured("column_used", message)


def referenced_segments(where: Any) -> set[str]:
    """PURE. The names of the segments that stored conditions refer to."""
    try:
        return set(parsing.segments_of(parsing.parse(where)))
    except Misconfigured:
        return set()


def _names(tree: Any, key: str, name: str) -> bool:
    """Whether `key` has the value `name` anywhere in a stored tree."""
    if isinstance(tree, list):
        return any(_names(item, key, name) for item in tree)
    return isinstance(tree, dict) and (tree.get(key) == name or any(_names(item, key, name) for item in tree.values()))


def _renamed(tree: Any, key: str, before: str, after: str) -> Any:
    """The stored tree with a segment or model renamed. Works without parsing, so that broken definitions follow too."""
    if isinstance(tree, list):
        return [_renamed(item, key, before, after) for item in tree]
    if not isinstance(tree, dict):
        return tree
    changed = {name: _renamed(item, key, before, after) if name in _NESTED else item for name, item in tree.items()}
    if changed.get(key) == before:
        changed[key] = after
    if key == "related" and str(changed.get("through", "")).startswith(f"{before}."):
        changed["through"] = after + changed["through"][len(before) :]
    return changed


def _column_renamed(tree: Any, owner: str, model: str, before: str, after: str) -> Any:
    """The stored tree, which belongs to the model `owner`, with a column of `model` renamed."""
    if isinstance(tree, list):
        return [_column_renamed(item, owner, model, before, after) for item in tree]
    if not isinstance(tree, dict):
        return tree
    inner = tree.get("related", owner)
    changed = {
        key: _column_renamed(item, inner, model, before, after) if key in _NESTED else item
        for key, item in tree.items()
    }
    for key in ("field", *parsing.MEASURES):
        if inner == model and changed.get(key) == before:
            changed[key] = after
    if changed.get("through") == f"{model}.{before}":
        changed["through"] = f"{model}.{after}"
    return changed


def tags_of(words: Iterable[Any]) -> list[str]:
    """PURE. Tags with normalized whitespace, without duplicates, limited to MAX_TAGS."""
    tags = dict.fromkeys(" ".join(str(word).split())[:TAG_LENGTH] for word in words)
    return [tag for tag in tags if tag][:MAX_TAGS]
