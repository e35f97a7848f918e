"""What conditions may speak of, as it stands in the database: models of one source with their relations and segments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from segments.conditions.scope import Definition, Facts, Link
from segments.models import Column, DataModel, Relation, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def facts(
    model: DataModel,
    types: Mapping[str, str] | None = None,
    saved: Mapping[str, Definition] | None = None,
    computed: Iterable[Column] | None = None,
) -> Facts:
    """All that the conditions of a model can name.

    Args:
        types: the columns of its source where they are known better than they were stored.
        saved: segments as they are about to be.
        computed: its computed fields as they are about to be.
    """
    if model.pk is None:
        return Facts(types or {})
    world = of_source(model.source)
    about = world[model.name]
    fields = model.computed_fields() if computed is None else list(computed)
    plain = model.source_types() if types is None else types
    world[model.name] = replace(
        about,
        types={**plain, **{field.name: field.type for field in fields}},
        segments={**about.segments, **(saved or {})},
        computed={field.name: field.definition for field in fields},
    )
    return world[model.name]


def of_source(source: Source) -> dict[str, Facts]:
    """The facts of every model of a source, by name."""
    models = list(DataModel.objects.filter(source=source).prefetch_related("columns").order_by("pk"))
    segments: dict[int, dict[str, Definition]] = defaultdict(dict)
    for segment in Segment.objects.filter(model__source=source):
        segments[segment.model_id][segment.name] = Definition(segment.where, segment.limit)
    relations = Relation.objects.filter(from_model__source=source, to_model__source=source).select_related(
        "from_model", "to_model"
    )
    links = linked((row.from_model.name, row.from_column, row.to_model.name, row.to_column) for row in relations)
    world: dict[str, Facts] = {}
    for model in models:
        types = {column.name: column.type for column in model.columns.all() if column.used}
        computed = {column.name: column.definition for column in model.computed_fields()}
        world[model.name] = Facts(types, model.name, tuple(links[model.name]), segments[model.pk], world, computed)
    return world


def linked(relations: Iterable[tuple[str, str, str, str]]) -> Mapping[str, list[Link]]:
    """PURE. Each relation (model, column, model, column) as both of its models see it."""
    links: dict[str, list[Link]] = defaultdict(list)
    for model, column, to_model, to_column in relations:
        through = f"{model}.{column}"
        links[model].append(Link(to_model, column, to_column, through, many=False))
        links[to_model].append(Link(model, to_column, column, through, many=True))
    return links
