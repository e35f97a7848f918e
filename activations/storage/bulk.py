"""Writes many rows per statement: COPY and arrays on PostgreSQL, executemany on SQLite."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from django.db.models import Model


def insert(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Inserts rows with values as the database takes them (JSON as text)."""
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
    """Inserts rows of numbers and large byte strings only, which PostgreSQL takes in binary, without escaping."""
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
    """Inserts a frame that has the column names of the table; JSON as text, bytes as bytes.

    In a column that has nulls, PostgreSQL stores empty text as null, too: CSV can't tell them apart.
    """
    table, names = model._meta.db_table, ", ".join(f'"{name}"' for name in frame.columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            binary = [name for name, kind in frame.schema.items() if kind == pl.Binary]
            with_hex = frame.with_columns(
                pl.concat_str([pl.lit("\\x"), pl.col(name).bin.encode("hex")]).alias(name) for name in binary
            )
            nulls = [f'"{name}"' for name in frame.columns if frame[name].null_count()]
            options = f"FORMAT csv, FORCE_NULL ({', '.join(nulls)})" if nulls else "FORMAT csv"
            with cursor.cursor.copy(f'COPY "{table}" ({names}) FROM STDIN ({options})') as copy:
                copy.write(with_hex.write_csv(include_header=False, quote_style="non_numeric").encode())
        else:
            marks = ", ".join(["%s"] * frame.width)
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', frame.rows())  # noqa: S608


def update(
    model: type[Model], keys: dict[str, Any], match: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Updates columns of many rows, each found by the value of its column `match`.

    Args:
        keys: further columns that identify the rows, with the value that all rows share.
        rows: for each row, the value of `match`, then those of `columns`.
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
    model: type[Model],
    keys: Sequence[str],
    fixed: Mapping[str, Any],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    kept: Sequence[str],
) -> None:
    """Inserts rows. If a row with the same `keys` exists, updates its given columns instead, except those in `kept`.

    Args:
        fixed: columns with the value that all rows share.
        rows: for each row, the values of `columns`.
    """
    if not rows:
        return
    names = [*fixed, *columns]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in (*keys, *kept))
    quoted = ", ".join(f'"{name}"' for name in names)
    into = f'INSERT INTO "{model._meta.db_table}" ({quoted})'
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"
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


def json_text(value: Any) -> str:
    """The value of a JSON column as text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        # orjson does not take integers over 64 bits and lone surrogates.
        return json.dumps(value)
