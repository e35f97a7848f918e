"""Relations that the foreign keys of a source offer."""

from __future__ import annotations

from django.conf import settings

from core.errors import Problem
from segments.models import DataModel, Relation
from segments.session import opened
from segments.sql.statements import split_name


def offered(model: DataModel) -> list[Relation]:
    """Relations of a model that its source declares, to other models that there are, and that are not made yet; not saved.

    A source that does not answer offers nothing.
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
    present = {(row.from_column, row.to_model_id, row.to_column) for row in model.relations.all()}
    return [
        Relation(from_model=model, from_column=key.column, to_model=other, to_column=key.other)
        for key in keys
        for other in others
        if _same(key.table, other.table) and key.column in columns and key.other in other.source_types()
        if (key.column, other.pk, key.other) not in present
    ]


def _same(one: str, other: str) -> bool:
    """Whether two names mean one table; a name without a schema means that of the source's settings."""
    (schema, name), (other_schema, other_name) = split_name(one), split_name(other)
    return name == other_name and (schema == other_schema or "" in (schema, other_schema))
