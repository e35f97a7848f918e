"""What conditions may speak of, as it stands in the database: models of one source with their relations and segments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.errors import Misconfigured
from segments import conditions
from segments.facts import Definition, Facts, Link
from segments.models import DataModel, Relation, Segment, Source


def facts(model: DataModel, types: Mapping[str, str] | None = None) -> Facts:
    """All that the conditions of a model can name.

    Args:
        types: its columns where they are known better than they were stored.
    """
    if model.pk is None:
        return Facts(types or {})
    found = of_source(model.source)
    about = found[model.name]
    return about if types is None else replace(about, types=dict(types))


def of_source(source: Source) -> dict[str, Facts]:
    """The facts of every model of a source, by name."""
    models = list(DataModel.objects.filter(source=source).prefetch_related("columns").order_by("pk"))
    segments: dict[int, dict[str, Definition]] = defaultdict(dict)
    for segment in Segment.objects.filter(model__source=source):
        segments[segment.model_id][segment.name] = Definition(segment.where, segment.limit)
    relations = Relation.objects.filter(from_model__source=source, to_model__source=source).select_related("from_model", "to_model")
    links = linked((row.from_model.name, row.from_column, row.to_model.name, row.to_column) for row in relations)
    world: dict[str, Facts] = {}
    for model in models:
        types = {column.name: column.type for column in model.columns.all()}
        world[model.name] = Facts(types, model.name, tuple(links[model.name]), segments[model.pk], world)
    return world


def linked(relations: Iterable[tuple[str, str, str, str]]) -> Mapping[str, list[Link]]:
    """PURE. Each relation (model, column, model, column) as both of its models see it."""
    links: dict[str, list[Link]] = defaultdict(list)
    for model, column, to_model, to_column in relations:
        through = f"{model}.{column}"
        links[model].append(Link(to_model, column, to_column, through, many=False))
        links[to_model].append(Link(model, to_column, column, through, many=True))
    return links


def users(segment: Segment) -> list[str]:
    """The names of the segments that ask about this one."""
    others = Segment.objects.filter(model__source=segment.model.source).exclude(pk=segment.pk)
    return [other.name for other in others if segment.name in _segments(other.where)]


def check_users(segment: Segment, about: Facts) -> None:
    """Whether every segment that asks about this one, as it is about to be saved, can still be understood.

    Raises:
        Misconfigured: e.g. they would come back to themselves.
    """
    for name, definition in about.segments.items():
        if name != segment.name and segment.name in _segments(definition.where):
            conditions.parse(definition.where, about, name=name)


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


def _segments(where: Any) -> set[str]:
    try:
        return set(conditions.segments_of(conditions.parse(where)))
    except Misconfigured:
        return set()


def _renamed(tree: Any, key: str, before: str, after: str) -> Any:
    if isinstance(tree, list):
        return [_renamed(item, key, before, after) for item in tree]
    if not isinstance(tree, dict):
        return tree
    changed = {name: _renamed(held, key, before, after) if name in ("all", "any", "where") else held for name, held in tree.items()}
    if changed.get(key) == before:
        changed[key] = after
    if key == "related" and str(changed.get("through", "")).startswith(f"{before}."):
        changed["through"] = after + changed["through"][len(before) :]
    return changed
