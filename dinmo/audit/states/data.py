"""Sources, models and segments."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from dinmo.audit.states.fields import label_of, plain, settings
from segments.conditions import computed_fields, parsing
from segments.conditions.limits import Limit
from segments.conditions.limits import in_words as limit_in_words
from segments.models import Column, DataModel, Relation, Segment, Source
from segments.registry import engines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def source(row: Source) -> Iterator[tuple[str, Any]]:
    yield from plain(row, without=("engine", "config"))
    yield "Engine", label_of(engines, row.engine)
    yield "File", PurePath(row.uploaded_path).name
    yield from settings(row, row.engine, engines)


def model(row: DataModel) -> Iterator[tuple[str, Any]]:
    yield from plain(row, without=("problems",))
    relations = Relation.objects.filter(from_model=row).values_list("from_column", "to_model__name", "to_column")
    yield "Belongs to", sorted(f"{column} → {name}.{to}" for column, name, to in relations)
    for column in Column.objects.filter(model=row):
        yield f"{'Computed field' if column.definition else 'Column'} {column.name}", _column(column)


def _column(column: Column) -> str:
    if column.definition:
        try:
            return computed_fields.in_words(computed_fields.parse(column.definition))
        except Misconfigured:
            return str(column.definition)
    origin = f"{column.origin} in the source" if column.origin else ""
    remarks = [origin, "" if column.used else "not used", "few distinct values" if column.categorical else ""]
    return ", ".join(filter(None, [column.type, *remarks]))


def segment(row: Segment) -> Iterator[tuple[str, Any]]:
    yield from plain(row, without=("where", "limit"))
    yield "Conditions", _conditions(row.where)
    yield "Size limit", _limit(row.limit)


def _conditions(where: Any) -> str:
    try:
        return parsing.in_words(parsing.parse(where))
    except Misconfigured:
        return str(where)


def _limit(limit: Mapping[str, Any]) -> str:
    try:
        return limit_in_words(Limit(**limit)) if limit else ""
    except (TypeError, ValueError):
        return str(limit)
