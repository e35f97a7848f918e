"""Short waits for the database's locks, for writes that can be left out."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

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
