"""How much the database takes for each record, change and run, with indexes and what updates leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from activations.models import Bundle, Change, Exchange, MatchValue, Record, Run

if TYPE_CHECKING:
    from django.db.models import Model

COUNTED: tuple[type[Model], ...] = (Record, Change, Run)
WITH = {Record: (MatchValue,), Change: (Exchange, Bundle), Run: ()}
"""Further tables, whose rows belong to those of the table."""


def per_row() -> dict[str, tuple[int, float]]:
    """The number of rows of each table, and the bytes for each of them, together with those that belong to it."""
    return {model._meta.db_table: _measured(model) for model in COUNTED}


def _measured(model: type[Model]) -> tuple[int, float]:
    rows = model._base_manager.count()
    tables = [model._meta.db_table, *(other._meta.db_table for other in WITH[model])]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name", [tables])
        (size,) = cursor.fetchone()
    return rows, float(size) / max(1, rows)
