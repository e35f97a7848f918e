"""Looks whether a model can still be what it was: its primary key, and the columns that something uses."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from core.errors import Misconfigured, Problem, Unavailable
from segments import checks, computed, conditions
from segments.contract import ColumnInfo
from segments.models import ComputedField, DataModel, Segment, Source
from segments.sources import opened
from segments.tree import columns

log = logging.getLogger(__name__)


def look(model: DataModel, now: datetime) -> str:
    """Compares the model with its source, and keeps what was found on it.

    Returns:
        What the source changed under columns that are used; "" where nothing is wrong.

    Raises:
        Unavailable: no answer; what was known stays.
    """
    try:
        with opened(model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
            found = {info.name: info for info in reader.columns(table=model.table, sql=model.sql)}
        columns = model.source_columns()
        types = {name: column.type for name, column in columns.items()}
        natives = {name: column.native for name, column in columns.items()}
        source_names = {column.name: name for name, column in columns.items()}
        worked_out = {column.name for column in model.computed_fields()}
        problem = changed(types, natives, found, {source_names.get(name, name) for name in used(model) - worked_out})
    except Misconfigured as refused:
        problem = refused.message
    model.problem, model.checked_at = problem, now
    if not problem:
        model.key_warning = _key_warning(model)
    DataModel.objects.filter(pk=model.pk).update(problem=model.problem, key_warning=model.key_warning, checked_at=now)
    return problem


def look_at_all(now: datetime) -> None:
    """Looks at every model; one whose source does not answer keeps what was known of it."""
    for model in DataModel.objects.select_related("source"):
        try:
            look(model, now)
        except Problem as problem:
            log.warning("The model %s was not checked: %s", model.pk, problem.code)


def changed(types: Mapping[str, str], natives: Mapping[str, str], found: Mapping[str, ColumnInfo], used: Iterable[str]) -> str:
    """PURE. What is wrong with used columns, in words: gone, perhaps under another name, or of another type."""
    new = [name for name in found if name not in types]
    said = []
    for name in sorted(set(used)):
        if name not in found:
            alike = [other for other in new if found[other].native == natives.get(name)]
            perhaps = f" (perhaps it is called {alike[0]!r} now)" if len(alike) == 1 else ""
            said.append(f"the column {name!r} is gone{perhaps}")
        elif name in types and found[name].native != natives[name] and found[name].type != types[name]:
            said.append(f"the column {name!r} was {types[name]} and is {found[name].type} now")
    return f"The source has changed: {'; '.join(said)}." if said else ""


def used(model: DataModel) -> set[str]:
    """The columns of a model that a key, a relation, a computed field, a segment or an activation uses."""
    names = {model.primary_key}
    names |= set(model.relations.values_list("from_column", flat=True)) | set(model.relations_here.values_list("to_column", flat=True))
    for column in fields_of(model.source):
        names |= computed.named(column.definition, column.model.name, model.name)
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
        tree = conditions.parse(segment.where)
    except Misconfigured:
        return set()
    order = {str(segment.limit.get("order_by"))} if segment.limit and segment.model_id == model.pk else set()
    return order | set(columns(tree, segment.model.name, model.name))


def _key_warning(model: DataModel) -> str:
    verdict: Any
    try:
        verdict = checks.check_primary_key(model)
    except Unavailable:
        raise
    except Misconfigured as refused:
        return refused.message
    return str(verdict.message) if verdict.level == "warning" else ""
