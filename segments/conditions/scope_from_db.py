"""Loads the scope of conditions from the database: the models of a source with their relations and segments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from segments.conditions.scope import Definition, Link, ModelScope
from segments.models import Column, DataModel, Relation, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def model_scope(
    model: DataModel,
    types: Mapping[str, str] | None = None,
    saved: Mapping[str, Definition] | None = None,
    computed: Iterable[Column] | None = None,
) -> ModelScope:
    """Everything that the conditions of a model can name.

    Args:
        types: its source columns, if the caller has a more recent view than the stored one.
        saved: segments that are about to be saved.
        computed: its computed fields, if they are about to change.
    """
    if model.pk is None:
        return ModelScope(types or {})
    scopes = source_scopes(model.source)
    stored = scopes[model.name]
    fields = model.computed_fields() if computed is None else list(computed)
    source_types = model.source_types() if types is None else types
    scopes[model.name] = replace(
        stored,
        types={**source_types, **{field.name: field.type for field in fields}},
        segments={**stored.segments, **(saved or {})},
        computed={field.name: field.definition for field in fields},
    )
    return scopes[model.name]


def source_scopes(source: Source) -> dict[str, ModelScope]:
    """The scope of every model of a source, by name."""
    models = list(DataModel.objects.filter(source=source).prefetch_related("columns").order_by("pk"))
    segments: dict[int, dict[str, Definition]] = defaultdict(dict)
    for segment in Segment.objects.filter(model__source=source):
        segments[segment.model_id][segment.name] = Definition(segment.where, segment.limit)
    relations = Relation.objects.filter(from_model__source=source, to_model__source=source).select_related(
        "from_model", "to_model"
    )
    links = links_by_model(
        (row.from_model.name, row.from_column, row.to_model.name, row.to_column) for row in relations
    )
    scopes: dict[str, ModelScope] = {}
    for model in models:
        types = {column.name: column.type for column in model.columns.all() if column.used}
        computed = {column.name: column.definition for column in model.computed_fields()}
        scopes[model.name] = ModelScope(
            types, model.name, tuple(links[model.name]), segments[model.pk], scopes, computed
        )
    return scopes


def links_by_model(relations: Iterable[tuple[str, str, str, str]]) -> Mapping[str, list[Link]]:
    """PURE. Model → its links; each relation (model, column, model, column) becomes a link on both sides."""
    links: dict[str, list[Link]] = defaultdict(list)
    for model, column, to_model, to_column in relations:
        through = f"{model}.{column}"
        links[model].append(Link(to_model, column, to_column, through, many=False))
        links[to_model].append(Link(model, to_column, column, through, many=True))
    return links
