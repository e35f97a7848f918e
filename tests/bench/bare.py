"""The bare read: fetches every row of the source in the fastest simple way, and does nothing with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable

FETCH_ROWS = 10_000


def read_postgres(where: str, table: str) -> int:
    """Reads COPY text block by block. Returns the number of bytes."""
    query = f"COPY (SELECT * FROM {table}) TO STDOUT"
    with psycopg.connect(where) as database, database.cursor() as cursor, cursor.copy(query.encode()) as copy:
        return sum(len(block) for block in copy)


def read_sqlite(where: str, table: str) -> int:
    """Reads rows as tuples. Returns the number of rows."""
    with closing(sqlite3.connect(where)) as database:
        cursor = database.execute(f"SELECT * FROM {table}")
        return sum(len(rows) for rows in iter(lambda: cursor.fetchmany(FETCH_ROWS), []))


def read_csv(where: str, table: str) -> int:
    """Reads Arrow batches with inferred types. Returns the number of rows."""
    with pa_csv.open_csv(where) as batches:
        return sum(len(batch) for batch in batches)


def read_parquet(where: str, table: str) -> int:
    """Reads Arrow batches. Returns the number of rows."""
    with pq.ParquetFile(where) as file:
        return sum(len(batch) for batch in file.iter_batches())


READERS: dict[str, Callable[[str, str], int]] = {
    "postgres": read_postgres, "sqlite": read_sqlite, "csv": read_csv, "parquet": read_parquet,
}  # fmt: skip
