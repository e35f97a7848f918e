"""Reads and writes rows of a SQLite database as Arrow batches."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from dinmo.rows.columns import ARROW_TYPES, Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH_BYTES, FIRST_ROWS, MOST_ROWS, GROWTH = 4_000_000, 16, 50_000, 4
"""Rows can be megabytes in size, so batches start small and grow depending on the size of the previous one."""
_AS_TEXT = (Kind.TEXT, Kind.TIMESTAMP, Kind.UUID)


class Snapshot:
    """A consistent snapshot of the database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query with a small result."""
        return self._database.execute(sql).fetchall()

    def batches(self, table: Table, source: str = "") -> Iterator[pa.RecordBatch]:
        """The rows of a table, or of `source` (SQL after FROM) with the same columns, in batches of about 4 MB."""
        # Reads values as text if SQLite can store them in different types, such as decimals.
        names = (
            f'CAST("{column.name}" AS TEXT)' if column.kind in _AS_TEXT else f'"{column.name}"'
            for column in table.columns
        )
        cursor = self._database.execute(f"SELECT {', '.join(names)} FROM {source or table.name}")  # noqa: S608
        size = FIRST_ROWS
        while rows := cursor.fetchmany(size):
            columns = zip(table.columns, zip(*rows, strict=True), strict=True)
            batch = pa.record_batch([_read(values, column) for column, values in columns], schema=table.schema)
            size = _next_size(len(rows), batch.nbytes)
            yield batch


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Opens a read transaction on a separate connection, because Django's would lock the database for writing."""
    connection.ensure_connection()
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as database:
        database.execute("PRAGMA query_only = ON")
        database.execute("BEGIN")
        # The snapshot is taken at the first statement of the transaction.
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield Snapshot(database)


def load(table: Table, batch: pa.RecordBatch) -> None:
    """Inserts the rows of a batch."""
    columns = [_written(batch.column(column.name), column).to_pylist() for column in table.columns]
    names = ", ".join(f'"{name}"' for name in table.names)
    places = ", ".join("?" * len(columns))
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({places})'  # noqa: S608
    # Uses the driver directly, because Django's cursor would convert placeholders in each statement.
    with connection.wrap_database_errors:
        connection.connection.executemany(statement, zip(*columns, strict=True))


def _next_size(rows: int, size: int) -> int:
    """The number of rows in the next batch, after a batch with a number of rows and a size in bytes."""
    return max(1, min(rows * GROWTH, MOST_ROWS, BATCH_BYTES * rows // max(size, 1)))


def _read(values: tuple[Any, ...], column: Column) -> pa.Array:
    arrow = ARROW_TYPES[column.kind]
    if column.kind is Kind.BOOLEAN:
        return pa.array(values, pa.int8()).cast(arrow)
    if column.kind is Kind.TIMESTAMP:
        # Bulk statements write the UTC offset, Django omits it. Both write UTC.
        text = pc.replace_substring_regex(pa.array(values, pa.string()), r"\+00:00$", "")
        return text.cast(pa.timestamp("us")).cast(arrow)
    return pa.array(values, arrow)


def _written(values: pa.Array, column: Column) -> pa.Array:
    """Converts values to the format in which Django stores them. Timestamps must match it, as they compare as text."""
    if column.kind is Kind.BOOLEAN:
        return values.cast(pa.int8())
    if column.kind is Kind.TIMESTAMP:
        text = values.cast(pa.timestamp("us")).cast(pa.string())
        return pc.replace_substring_regex(text, r"\.000000$", "")
    if column.kind is Kind.UUID:
        return pc.replace_substring(values, "-", "")
    return values
