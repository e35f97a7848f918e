"""The module that reads and writes the rows of the database in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from django.db import connection

from dinmo.rows import postgres, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from dinmo.rows.columns import Table


class Snapshot(Protocol):
    """The database as it was at one moment."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a short query."""

    def batches(self, table: Table, source: str = "") -> Iterator[pa.RecordBatch]:
        """The rows of a table, or of a source that has its columns: SQL after FROM. In batches of a few megabytes."""


class Database(Protocol):
    """What both modules provide."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Opens a transaction that sees one moment, and in which nobody waits for it."""

    def load(self, table: Table, batch: pa.RecordBatch) -> None:
        """Inserts the rows of a batch in the transaction of Django's connection."""


def current() -> Database:
    """The one for the database that Django is connected to."""
    return postgres if connection.vendor == "postgresql" else sqlite
