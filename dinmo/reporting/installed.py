"""Drops the views before migrations, and creates them again afterwards, because views block changes to their tables.

If a migration created a view, later migrations of its tables would fail. Privileges granted on the views are kept.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dinmo.reporting.views import VIEWS

_GRANTED = (
    "SELECT DISTINCT table_name, grantee FROM information_schema.role_table_grants "
    "WHERE privilege_type = 'SELECT' AND table_schema = current_schema()"
)
_granted: set[tuple[str, str]] = set()


def before_migrations(plan: list[Any] | None = None, **_: Any) -> None:
    """Handles `pre_migrate`. Drops the views if there are migrations to apply."""
    if plan:
        drop()


def after_migrations(plan: list[Any] | None = None, **_: Any) -> None:
    """Handles `post_migrate`. Creates the views, unless the signal was sent after flushing a test database.

    Waits until all migrations are applied, because the views need all columns.
    """
    if plan is not None and not _missing_migrations():
        create()


def drop() -> None:
    """Drops the views, and remembers which database roles could read them."""
    names = {view.name for view in VIEWS}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_GRANTED)
            _granted.update(row for row in cursor.fetchall() if row[0] in names)
        for view in VIEWS:
            cursor.execute(f"DROP VIEW IF EXISTS {view.name}")


def create() -> None:
    """Creates the current views, readable by the same database roles as before."""
    drop()
    with connection.cursor() as cursor:
        for view in VIEWS:
            cursor.execute(f"CREATE VIEW {view.name} AS {view.sql}")
        for name, reader in sorted(_granted):
            grantee = reader if reader == "PUBLIC" else connection.ops.quote_name(reader)
            cursor.execute(f"GRANT SELECT ON {name} TO {grantee}")
    _granted.clear()


def _missing_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
