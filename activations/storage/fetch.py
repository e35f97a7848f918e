"""Reads many rows from the database as arrays or columns: binary COPY and aggregates on PostgreSQL, cursors on SQLite.

Three numbers of a record take 24 bytes in arrays, and about 200 as Python objects. A million records are read in about
one second.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
from django.db import connection
from psycopg import ClientCursor, Cursor

from core.pg_copy import copy_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FETCHED_ROWS = 50_000
GROWTH_ROWS = 1_000_000
"""How many rows longer the arrays become when they are full."""


def fetch_numbers(sql: str, params: Sequence[Any], types: Sequence[str]) -> list[np.ndarray]:
    """The columns of a query as arrays; each must be a bigint without nulls.

    Args:
        types: the numpy type of each array, wide enough for its values.
    """
    fetch_blocks = _copied_numbers if connection.vendor == "postgresql" else _fetched_numbers
    columns, filled = [np.empty(0, dtype=kind) for kind in types], 0
    for block in fetch_blocks(sql, params, len(types)):
        end = filled + len(block[0])
        if end > len(columns[0]):
            _resize(columns, end + GROWTH_ROWS)
        for column, values in zip(columns, block, strict=True):
            column[filled:end] = values
        filled = end
    _resize(columns, filled)
    return columns


def _resize(columns: Sequence[np.ndarray], rows: int) -> None:
    """Resizes in place. Joining separate pieces at the end would hold everything in memory twice."""
    for column in columns:
        column.resize(rows, refcheck=False)


def fetch_frame(sql: str, params: Sequence[Any], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """The rows of a query without nulls, as columns of these types: `Int64`, `String` or `Binary`."""
    if connection.vendor == "postgresql":
        return _aggregated(sql, params, schema)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return pl.DataFrame(cursor.cursor.fetchall(), schema=dict(schema), orient="row")


@dataclass(frozen=True)
class Condition:
    """A condition in SQL, with its parameters."""

    sql: str
    params: list[Any]


def one_of(column: str, values: Sequence[int]) -> Condition:
    """The condition that a column is one of many integers."""
    if connection.vendor == "postgresql":
        return Condition(f"{column} = ANY(%s::bigint[])", ["{" + ",".join(map(str, values)) + "}"])
    return Condition(f"{column} IN ({', '.join(['%s'] * len(values))})", list(values))


def _fetched_numbers(sql: str, params: Sequence[Any], width: int) -> Iterator[list[np.ndarray]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.cursor.fetchmany(FETCHED_ROWS):
            yield list(np.fromiter(chain.from_iterable(rows), dtype=np.int64).reshape(-1, width).T)


def _copied_numbers(sql: str, params: Sequence[Any], width: int) -> Iterator[list[np.ndarray]]:
    """Binary COPY: without nulls, every row has the same length, so that a block can be read as an array of rows."""
    row = np.dtype(
        [
            ("fields", ">i2"),
            *((name, kind) for n in range(width) for name, kind in ((f"l{n}", ">i4"), (f"v{n}", ">i8"))),
        ]
    )
    # The bytes before the first row. The two bytes after the last row are dropped, since they are less than a row.
    header = 19
    connection.ensure_connection()
    driver = connection.connection
    statement = ClientCursor(driver).mogrify(f"COPY ({sql}) TO STDOUT (FORMAT binary)", params)
    for number, block in enumerate(copy_out(driver.pgconn, statement.encode())):
        start = 0 if number else header
        packed = np.frombuffer(block, dtype=row, offset=start, count=(len(block) - start) // row.itemsize)
        yield [packed[f"v{n}"] for n in range(width)]


def _aggregated(sql: str, params: Sequence[Any], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """Fetches all rows as one: the database joins the values of each column into one byte string.

    With the lengths of texts and bytes in a second string, that is almost what an Arrow column looks like in memory,
    and no value becomes a Python object.
    """
    parts = [part for name, kind in schema.items() for part in _AGGREGATES[kind](name)]
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        statement = f"SELECT {', '.join(parts)} FROM ({sql}) AS fetched({', '.join(schema)})"  # noqa: S608
        row = cursor.execute(statement.encode(), params, binary=True).fetchone()
    if row is None or row[0] is None:
        return pl.DataFrame(schema=dict(schema))
    values = iter(row)
    return pl.DataFrame({name: _column(kind, values) for name, kind in schema.items()})


_AGGREGATES: Mapping[type[pl.DataType], Callable[[str], list[str]]] = {
    pl.Int64: lambda name: [f"string_agg(int8send({name}), '')"],
    pl.Binary: lambda name: [f"string_agg({name}, '')", f"string_agg(int8send(octet_length({name})), '')"],
    pl.String: lambda name: [
        f"string_agg(convert_to({name}, 'UTF8'), '')",
        f"string_agg(int8send(octet_length({name})), '')",
    ],
}


def _column(kind: type[pl.DataType], values: Iterator[bytes]) -> pl.Series:
    data = next(values)
    if kind == pl.Int64:
        return pl.Series(np.frombuffer(data, dtype=">i8").astype(np.int64))
    ends = np.frombuffer(next(values), dtype=">i8").cumsum()
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    packed = pa.Array.from_buffers(_ARROW_TYPES[kind], len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return pl.Series(packed)


_ARROW_TYPES = {pl.Binary: pa.large_binary(), pl.String: pa.large_string()}
