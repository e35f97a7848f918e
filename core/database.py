"""The database as a whole: short waits for its locks, and migrations that are not applied."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def short_lock_wait(seconds: float) -> Iterator[None]:
    """Limits how long a statement waits for the write lock of a SQLite database. Others lock rows, not the database.

    Raises:
        OperationalError: the lock was not free in time.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        (usual,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


def pending_migrations() -> list[str]:
    """The migrations that are not applied yet, such as `activations.0041_queues`. Reads every migration from disk.

    Raises:
        Error: the database does not respond.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
