"""Many rows at once, in and out of the database: COPY and arrays on PostgreSQL, executemany on SQLite."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
from django.db import connection
from psycopg import ClientCursor, Cursor

from core.pg_copy import copy_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from django.db.models import Model

FETCHED = 50_000
GROWN = 1_000_000
"""So many rows columns grow by."""


def fetch_numbers(sql: str, params: Sequence[Any], types: Sequence[str]) -> list[np.ndarray]:
    """The columns of a query that are all bigint and never null, each as an array of the numpy type that it fits."""
    blocks = _copied_numbers if connection.vendor == "postgresql" else _fetched_numbers
    columns, filled = [np.empty(0, dtype=kind) for kind in types], 0
    for block in blocks(sql, params, len(types)):
        end = filled + len(block[0])
        if end > len(columns[0]):
            _resize(columns, end + GROWN)
        for column, found in zip(columns, block, strict=True):
            column[filled:end] = found
        filled = end
    _resize(columns, filled)
    return columns


def _resize(columns: Sequence[np.ndarray], rows: int) -> None:
    """In place: pieces that were put together in the end would be in memory twice."""
    for column in columns:
        column.resize(rows, refcheck=False)


def fetch_frame(sql: str, params: Sequence[Any], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """The rows of a query without nulls, as columns of these types: whole numbers, texts and bytes."""
    if connection.vendor == "postgresql":
        return _aggregated(sql, params, schema)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return pl.DataFrame(cursor.cursor.fetchall(), schema=dict(schema), orient="row")


@dataclass(frozen=True)
class Condition:
    """A condition of SQL."""

    sql: str
    params: list[Any]


def one_of(column: str, values: Sequence[int]) -> Condition:
    """That a column is one of many whole numbers."""
    if connection.vendor == "postgresql":
        return Condition(f"{column} = ANY(%s::bigint[])", ["{" + ",".join(map(str, values)) + "}"])
    return Condition(f"{column} IN ({', '.join(['%s'] * len(values))})", list(values))


def insert(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Inserts rows whose values are already as the database takes them (JSON as text)."""
    if not rows:
        return
    table = model._meta.db_table
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608


def insert_numbers_and_bytes(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[int | bytes]]) -> None:
    """Inserts rows of nothing but numbers and large bytes, which PostgreSQL takes as they are."""
    if connection.vendor != "postgresql":
        insert(model, columns, rows)
        return
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN (FORMAT binary)') as copy,
    ):
        copy.set_types([_column_type(model, name) for name in columns])
        for row in rows:
            copy.write_row(row)


def insert_frame(model: type[Model], frame: pl.DataFrame) -> None:
    """Inserts a frame whose columns are named as those of the table; JSON as text, bytes as bytes, no null."""
    table, names = model._meta.db_table, ", ".join(f'"{name}"' for name in frame.columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            binary = [name for name, kind in frame.schema.items() if kind == pl.Binary]
            hexed = frame.with_columns(
                pl.concat_str([pl.lit("\\x"), pl.col(name).bin.encode("hex")]).alias(name) for name in binary
            )
            with cursor.cursor.copy(f'COPY "{table}" ({names}) FROM STDIN (FORMAT csv)') as copy:
                copy.write(hexed.write_csv(include_header=False, quote_style="non_numeric").encode())
        else:
            marks = ", ".join(["%s"] * frame.width)
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', frame.rows())  # noqa: S608


def update(
    model: type[Model], keys: dict[str, Any], match: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Sets columns of many rows, each found by the value of `match`.

    Args:
        keys: columns that all rows share, with their value.
        rows: for each row the value of `match`, then those of `columns`.
    """
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _update_from_arrays(cursor, model, keys, match, columns, rows)
        else:
            sets = ", ".join(f'"{name}" = %s' for name in columns)
            where = " AND ".join(f'"{name}" = %s' for name in [*keys, match])
            ordered = [[*row[1:], *keys.values(), row[0]] for row in rows]
            cursor.executemany(f'UPDATE "{model._meta.db_table}" SET {sets} WHERE {where}', ordered)  # noqa: S608


def upsert(
    model: type[Model], keys: Sequence[str], fixed: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[Any]],
    kept: Sequence[str],
) -> None:  # fmt: skip
    """Inserts rows; where one with the same `keys` is there, sets the given columns of it but for those that are `kept`.

    Args:
        fixed: columns that all rows share, with their value.
        rows: for each row the values of `columns`.
    """
    if not rows:
        return
    names = [*fixed, *columns]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in (*keys, *kept))
    quoted = ", ".join(f'"{name}"' for name in names)
    into, conflict = (
        f'INSERT INTO "{model._meta.db_table}" ({quoted})',
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}",
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            shared = ", ".join(f"%s::{_column_type(model, name)}" for name in fixed)
            arrays = ", ".join(f"%s::{_column_type(model, name)}[]" for name in columns)
            values = [*fixed.values(), *(list(column) for column in zip(*rows, strict=True))]
            cursor.execute(f"{into} SELECT {shared}, new.* FROM unnest({arrays}) AS new {conflict}", values)  # noqa: S608
        else:
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(f"{into} VALUES ({marks}) {conflict}", [[*fixed.values(), *row] for row in rows])


def chunks(items: Sequence[Any] | np.ndarray, size: int) -> Iterable[Any]:
    """The items in pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _update_from_arrays(
    cursor: Any,
    model: type[Model],
    keys: dict[str, Any],
    match: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    names = [match, *columns]
    types = [_column_type(model, name) for name in names]
    arrays = ", ".join(f"%s::{kind}[]" for kind in types)
    sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
    where = " AND ".join([f'old."{name}" = %s' for name in keys] + [f'old."{match}" = new."{match}"'])
    quoted = ", ".join(f'"{name}"' for name in names)
    cursor.execute(
        f'UPDATE "{model._meta.db_table}" AS old SET {sets} FROM unnest({arrays}) AS new({quoted}) WHERE {where}',  # noqa: S608
        [*(list(column) for column in zip(*rows, strict=True)), *keys.values()],
    )


def _column_type(model: type[Model], column: str) -> str:
    field = next(field for field in model._meta.concrete_fields if field.column == column)
    return str(field.db_type(connection)).split("(")[0]


def _fetched_numbers(sql: str, params: Sequence[Any], width: int) -> Iterator[list[np.ndarray]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.cursor.fetchmany(FETCHED):
            yield list(np.fromiter(chain.from_iterable(rows), dtype=np.int64).reshape(-1, width).T)


def _copied_numbers(sql: str, params: Sequence[Any], width: int) -> Iterator[list[np.ndarray]]:
    """COPY in binary: with no nulls every row has the same length, so the answer is an array."""
    row = np.dtype(
        [
            ("fields", ">i2"),
            *((name, kind) for n in range(width) for name, kind in ((f"l{n}", ">i4"), (f"v{n}", ">i8"))),
        ]
    )
    # The two bytes at the end are no row.
    header = 19
    connection.ensure_connection()
    driver = connection.connection
    statement = ClientCursor(driver).mogrify(f"COPY ({sql}) TO STDOUT (FORMAT binary)", params)
    for number, block in enumerate(copy_out(driver.pgconn, statement.encode())):
        begin = 0 if number else header
        packed = np.frombuffer(block, dtype=row, offset=begin, count=(len(block) - begin) // row.itemsize)
        yield [packed[f"v{n}"] for n in range(width)]


def _aggregated(sql: str, params: Sequence[Any], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """The rows as a single one, in which each column is all its values in a row: no value becomes a Python object."""
    parts = [part for name, kind in schema.items() for part in _AGGREGATES[kind](name)]
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        statement = f"SELECT {', '.join(parts)} FROM ({sql}) AS found({', '.join(schema)})"  # noqa: S608
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
    packed = pa.Array.from_buffers(_LARGE[kind], len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return pl.Series(packed)


_LARGE = {pl.Binary: pa.large_binary(), pl.String: pa.large_string()}


def json_text(value: Any) -> str:
    """A JSON column's value as text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        # Integers over 64 bits and lone surrogates.
        return json.dumps(value)
