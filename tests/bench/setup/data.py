"""The companies of the benchmark: ten columns in three states, identical on every machine for the same seed."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pymysql

from tests.bench.setup.databases import connection_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BATCH = 100_000
PLANS = np.array(["free", "starter", "team", "business"])
WORDS = np.array(["Blue", "Nord", "Grün", "Été", "Łódź", "北海", "Fjörd", "Iron", "Café", "Silver"])
STRIDE = 7_368_787
"""A prime, to visit all IDs in an order that looks random."""
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("domain", pa.string()),
        ("name", pa.string()),
        ("plan", pa.string()),
        ("seats", pa.int32()),
        ("mrr", pa.decimal128(12, 2)),
        ("score", pa.float64()),
        ("active", pa.bool_()),
        ("founded_on", pa.date32()),
        ("seen_at", pa.timestamp("us", tz="UTC")),
    ]
)
_TABLE = (
    "(id bigint, domain text, name text, plan text, seats integer, mrr numeric(12,2), score double precision, "
    "active boolean, founded_on date, seen_at {timestamp})"
)


@dataclass(frozen=True)
class Companies:
    """One state of the source.

    Args:
        rows: the number of distinct companies, a multiple of 1,000.
        changed: "none", "some" (0.8 % updated, 0.1 % new, 0.2 % gone) or "all" (every name and seat count differs).
        first: the first ID.
        bad_rows: adds 100 rows with a duplicate key and 50 rows without a key.
    """

    rows: int
    changed: str = "none"
    seed: int = 2026
    first: int = 1
    bad_rows: bool = True

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, not in the order of their keys."""
        for start in range(0, self.rows, BATCH):
            places = np.arange(start, min(start + BATCH, self.rows))
            if self.changed == "some":
                places = places[places % 500 != 1]
            yield self._batch(self._ids(places), self._is_changed(places))
        if self.changed == "some":
            ids = self.first + self.rows + np.arange(self.rows // 1000)
            yield self._batch(ids, np.zeros(len(ids), dtype=bool))
        if self.bad_rows:
            yield from self._bad_rows()

    def _ids(self, places: np.ndarray) -> np.ndarray:
        return self.first + places * STRIDE % self.rows

    def _is_changed(self, places: np.ndarray) -> np.ndarray:
        if self.changed == "all":
            return np.ones(len(places), dtype=bool)
        return (places % 100 == 3) & (places % 1000 < 800) & (self.changed == "some")

    def _bad_rows(self) -> Iterator[pa.RecordBatch]:
        twice = self._ids(np.arange(100) * 10 + 7)
        yield self._batch(twice, np.ones(100, dtype=bool))
        keyless = self._batch(self.first + 2 * self.rows + np.arange(50), np.zeros(50, dtype=bool))
        yield keyless.set_column(0, SCHEMA.field(0), pa.nulls(50, pa.int64()))

    def _batch(self, ids: np.ndarray, changed: np.ndarray) -> pa.RecordBatch:
        """Every value is computed from the ID and the seed alone.

        Multiplying by the 64-bit golden ratio and folding the high bits spreads consecutive IDs over all 64 bits. Each
        column takes a different 16-bit window of the result, so IDs 1 and 2 get unrelated names, plans and amounts.
        """
        dice = (ids.astype(np.uint64) + np.uint64(self.seed)) * np.uint64(0x9E3779B97F4A7C15)
        dice ^= dice >> np.uint64(29)
        part = [(dice >> np.uint64(shift)).astype(np.int64) & 0xFFFF for shift in (0, 8, 16, 24, 32, 40)]
        text = pc.cast(pa.array(ids), pa.string())
        cents = part[2] * 13
        money = pc.binary_join_element_wise(
            pc.cast(pa.array(cents // 100), pa.string()),
            pc.utf8_lpad(pc.cast(pa.array(cents % 100), pa.string()), 2, "0"),
            ".",
        )
        names = pc.binary_join_element_wise(
            pa.array(WORDS[part[0] % 10]), text, pa.array(np.where(changed, "Group", "Works")), " "
        )
        columns = [
            pa.array(ids),
            pc.binary_join_element_wise("company-", text, ".com", ""),
            names,
            pa.array(PLANS[part[1] % 4], mask=part[1] % 10 == 0),
            pa.array((part[3] % 500 + changed).astype(np.int32)),
            pc.if_else(pa.array(part[2] % 5 == 0), pa.nulls(len(ids), money.type), money).cast(pa.decimal128(12, 2)),
            pa.array(part[4] / 1009),
            pa.array(part[5] % 3 == 0),
            pa.array((part[3] % 9000 + 10_000).astype(np.int32), pa.int32()).cast(pa.date32()),
            pa.array(
                1_700_000_000_000_000 + ids % 40_000_000 * 1_000_003,
                pa.timestamp("us", tz="UTC"),
                mask=part[4] % 7 == 0,
            ),
        ]
        return pa.record_batch(columns, schema=SCHEMA)


def write_sqlite(path: str, table: str, companies: Companies) -> None:
    """Writes the rows into a new table of a SQLite file."""
    database = sqlite3.connect(path)
    with database:
        database.execute(f"CREATE TABLE {table} {_TABLE.format(timestamp='timestamp')}")
        for batch in companies.batches():
            ready = [_plain(column).to_pylist() for column in batch.columns]
            database.executemany(f"INSERT INTO {table} VALUES (?{', ?' * 9})", zip(*ready, strict=True))
    database.close()


def write_postgres(dsn: str, table: str, companies: Companies) -> None:
    """Writes the rows into a new table of a PostgreSQL database."""
    with psycopg.connect(dsn) as database, database.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} {_TABLE.format(timestamp='timestamptz')}".encode())
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)".encode()) as copy:
            for batch in companies.batches():
                text = io.BytesIO()
                pa_csv.write_csv(batch, text, pa_csv.WriteOptions(include_header=False))
                copy.write(text.getbuffer())
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute(f"VACUUM ANALYZE {table}".encode())


def write_mysql(url: str, table: str, companies: Companies) -> None:
    """Writes the rows into a new table of a MySQL database."""
    with pymysql.connect(**connection_settings(url), autocommit=True) as database, database.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} {_TABLE.format(timestamp='datetime(6)')} DEFAULT CHARACTER SET utf8mb4")
        for batch in companies.batches():
            ready = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
            for start in range(0, len(ready), 5_000):
                cursor.executemany(f"INSERT INTO {table} VALUES (%s{', %s' * 9})", ready[start : start + 5_000])


def write_duckdb(path: str, table: str, companies: Companies) -> None:
    """Writes the rows into a new table of a DuckDB file."""
    with duckdb.connect(path) as database:
        database.execute(f"SET TimeZone = 'UTC'; CREATE TABLE {table} {_TABLE.format(timestamp='timestamptz')}")
        for batch in companies.batches():
            database.register("batch", pa.Table.from_batches([batch]))
            database.execute(f"INSERT INTO {table} SELECT * FROM batch")


def write_orders(dsn: str, table: str, rows: int, companies: int) -> None:
    """Writes orders with amounts of 0 to 200, spread over the companies, into a new table of a PostgreSQL database."""
    with psycopg.connect(dsn, autocommit=True) as database:
        statement = (
            f"CREATE TABLE {table} AS SELECT n AS id, 1 + n * {STRIDE} % {companies} AS company_id,"
            f" ((n * 48271::bigint % 20011) / 100.0)::numeric(12, 2) AS amount"
            f" FROM generate_series(1::bigint, {rows}) AS n"
        )
        database.execute(statement.encode())
        database.execute(f"VACUUM ANALYZE {table}".encode())


def write_csv(path: str, table: str, companies: Companies) -> None:
    """Writes the rows into a CSV file with a header."""
    with pa_csv.CSVWriter(path, SCHEMA) as writer:
        for batch in companies.batches():
            writer.write_batch(batch)


def write_jsonl(path: str, table: str, companies: Companies) -> None:
    """Writes the rows into a JSON Lines file."""
    with Path(path).open("wb") as file:
        for batch in companies.batches():
            columns = [_plain(column) for column in batch.columns]
            pl.from_arrow(pa.table(columns, SCHEMA.names)).write_ndjson(file)  # type: ignore[union-attr]


def write_parquet(path: str, table: str, companies: Companies) -> None:
    """Writes the rows into a Parquet file."""
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for batch in companies.batches():
            writer.write_batch(batch)


WRITERS: Mapping[str, Callable[[str, str, Companies], None]] = {
    "postgres": write_postgres, "mysql": write_mysql, "sqlite": write_sqlite, "duckdb": write_duckdb,
    "csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet,
}  # fmt: skip
"""By the engine of the source. Each takes a path or the URL of a server, and the name of a table."""


def _plain(column: pa.Array) -> pa.Array:
    """The column as SQLite and JSON store it: numbers as numbers, dates and timestamps as text."""
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    return column.cast(pa.string()) if pa.types.is_temporal(column.type) else column
