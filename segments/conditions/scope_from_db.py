"""Loads the scope of conditions from the database: the models of a source with their relations and segments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import F

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
    return scopes_by_source([source.pk])[source.pk]


def scopes_by_source(sources: Iterable[int]) -> dict[int, dict[str, ModelScope]]:
    """The scope of every model of some sources, by the ID of the source and by name. Four queries."""
    about = list(sources)
    types: dict[int, dict[str, str]] = defaultdict(dict)
    computed: dict[int, dict[str, Any]] = defaultdict(dict)
    columns = Column.objects.filter(model__source__in=about).order_by("position")
    # Values instead of objects: there may be thousands.
    for model, name, kind, used, definition in columns.values_list("model", "name", "type", "used", "definition"):
        if used:
            types[model][name] = kind
        if definition:
            computed[model][name] = definition
    segments: dict[int, dict[str, Definition]] = defaultdict(dict)
    stored = Segment.objects.filter(model__source__in=about)
    for model, name, where, limit in stored.values_list("model", "name", "where", "limit"):
        segments[model][name] = Definition(where, limit)
    links = _links(about)
    scopes: dict[int, dict[str, ModelScope]] = {source: {} for source in about}
    models = DataModel.objects.filter(source__in=about).order_by("pk")
    for pk, source, name in models.values_list("pk", "source", "name"):
        own = scopes[source]
        own[name] = ModelScope(types[pk], name, tuple(links[source][name]), segments[pk], own, computed[pk])
    return scopes


def _links(sources: list[int]) -> Mapping[int, Mapping[str, list[Link]]]:
    """The links between models of the same source, by the ID of the source and by model."""
    rows: dict[int, list[tuple[str, str, str, str]]] = defaultdict(list)
    relations = Relation.objects.filter(from_model__source__in=sources, to_model__source=F("from_model__source"))
    names = ("from_model__name", "from_column", "to_model__name", "to_column")
    for source, *names_of_columns in relations.values_list("from_model__source", *names):
        rows[source].append(tuple(names_of_columns))
    return {source: links_by_model(rows[source]) for source in sources}


def links_by_model(relations: Iterable[tuple[str, str, str, str]]) -> Mapping[str, list[Link]]:
    """PURE. Model → its links; each relation (model, column, model, column) becomes a link on both sides."""
    links: dict[str, list[Link]] = defaultdict(list)
    for model, column, to_model, to_column in relations:
        through = f"{model}.{column}"
        links[model].append(Link(to_model, column, to_column, through, many=False))
        links[to_model].append(Link(model, to_column, column, through, many=True))
    return links
