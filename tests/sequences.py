"""Rows with chosen IDs: PostgreSQL continues after the last one that it chose itself."""

from __future__ import annotations

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection


def continue_after_chosen_ids() -> None:
    """The next row of every table gets an ID after all that there are. SQLite does so anyway."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)
