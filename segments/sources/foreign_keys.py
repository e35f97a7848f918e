"""Suggests relations from the foreign keys that a source declares."""

from __future__ import annotations

from django.conf import settings

from core.errors import Problem
from segments.models import DataModel, Relation
from segments.session import opened
from segments.sql.statements import split_name


def suggested_relations(model: DataModel) -> list[Relation]:
    """Returns unsaved relations to existing models for the foreign keys of the model's table.

    Relations that exist already are left out. The list is empty if the source does not respond.
    """
    others = list(DataModel.objects.filter(source=model.source).exclude(pk=model.pk).exclude(table=""))
    if not model.table or not others:
        return []
    try:
        with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
            keys = reader.foreign_keys(model.table)
    except Problem:
        return []
    columns = model.source_types()
    existing = {(row.from_column, row.to_model_id, row.to_column) for row in model.relations.all()}
    return [
        Relation(from_model=model, from_column=key.column, to_model=other, to_column=key.other)
        for key in keys
        for other in others
        if _same_table(key.table, other.table) and key.column in columns and key.other in other.source_types()
        if (key.column, other.pk, key.other) not in existing
    ]


def _same_table(first: str, second: str) -> bool:
    """Whether two names refer to the same table. A name without a schema matches any: the schema is in the settings."""
    (schema, name), (other_schema, other_name) = split_name(first), split_name(second)
    return name == other_name and (schema == other_schema or "" in (schema, other_schema))
