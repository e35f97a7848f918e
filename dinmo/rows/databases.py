"""Selects the module that reads and writes rows of the current database."""

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
    """A consistent snapshot of the database."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query with a small result."""

    def batches(self, table: Table, source: str = "") -> Iterator[pa.RecordBatch]:
        """The rows of a table, or of `source` (SQL after FROM) with the same columns, in batches of a few megabytes."""


class Database(Protocol):
    """The interface of both modules."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Opens a transaction with a consistent snapshot. It blocks no other transaction."""

    def load(self, table: Table, batch: pa.RecordBatch) -> None:
        """Inserts the rows of a batch, in the transaction of Django's connection."""


def current() -> Database:
    """The module for the database that Django is connected to."""
    return postgres if connection.vendor == "postgresql" else sqlite
