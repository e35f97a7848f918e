"""Reads and writes rows of a PostgreSQL database as Arrow batches, with COPY."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from django.db import connection, transaction

from core.pg_copy import copy_out
from dinmo.rows.columns import ARROW_TYPES, Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEX = "\\x"
"""The prefix of a binary value."""
_CSV_TYPES = {**ARROW_TYPES, Kind.BINARY: pa.string()}
_SESSION = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL bytea_output = 'hex'",
)


class Snapshot:
    """A consistent snapshot of the database."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query with a small result."""
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def batches(self, table: Table, source: str = "") -> Iterator[pa.RecordBatch]:
        """The rows of a table, or of `source` (SQL after FROM) with the same columns, in batches of about 1.5 MB."""
        query = f"SELECT {_names(table)} FROM {source or _quote(table.name)}"  # noqa: S608
        statement = f"COPY ({query}) TO STDOUT (FORMAT csv)"
        with connection.wrap_database_errors:
            for block in copy_out(connection.connection.pgconn, statement.encode()):
                yield _parsed(block, table)


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Opens a transaction with a consistent snapshot. It blocks no other transaction."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            for statement in _SESSION:
                cursor.execute(statement)
        yield Snapshot()


def load(table: Table, batch: pa.RecordBatch) -> None:
    """Inserts the rows of a batch."""
    columns = [_written(batch.column(column.name), column) for column in table.columns]
    target = pa.BufferOutputStream()
    options = pa_csv.WriteOptions(include_header=False, quoting_style="all_valid")
    pa_csv.write_csv(pa.table(columns, names=table.names), target, options)
    statement = f"COPY {_quote(table.name)} ({_names(table)}) FROM STDIN (FORMAT csv)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(target.getvalue())


def _names(table: Table) -> str:
    return ", ".join(map(_quote, table.names))


def _quote(name: str) -> str:
    return str(connection.ops.quote_name(name))


def _parsed(block: bytearray, table: Table) -> pa.RecordBatch:
    """Parses a block of CSV, in which NULL is empty and an empty string is a pair of quotes."""
    parsed = pa_csv.read_csv(
        pa.BufferReader(block),
        pa_csv.ReadOptions(column_names=table.names, block_size=len(block) + 1, use_threads=False),
        pa_csv.ParseOptions(newlines_in_values=True),
        pa_csv.ConvertOptions(
            column_types={column.name: _CSV_TYPES[column.kind] for column in table.columns},
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    columns = [_read(parsed.column(column.name).combine_chunks(), column) for column in table.columns]
    return pa.record_batch(columns, schema=table.schema)


def _read(values: pa.Array, column: Column) -> pa.Array:
    if column.kind is not Kind.BINARY:
        return values
    digits = pl.Series(values=values, dtype=pl.String).str.slice(len(_HEX))
    return digits.str.decode("hex").to_arrow().cast(pa.binary())


def _written(values: pa.Array, column: Column) -> pa.Array:
    if column.kind is not Kind.BINARY:
        return values
    digits = pl.Series(values=values, dtype=pl.Binary).bin.encode("hex")
    return pc.binary_join_element_wise(_HEX, digits.to_arrow().cast(pa.string()), "")
