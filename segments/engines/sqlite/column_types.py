"""PURE. Column types of SQLite, by declaration or by a sample, and its values as Arrow text."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from segments.contract import ColumnType
from segments.values import DATE, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DECLARED = [
    (r"BOOL.*", ColumnType.BOOLEAN),
    (r"(TIMESTAMP|DATETIME).*", ColumnType.TIMESTAMP),
    (r"DATE", ColumnType.DATE),
    (r"JSONB?", ColumnType.OBJECT),
    (r"(UNSIGNED |TINY|SMALL|MEDIUM|BIG)*INT(EGER|[248])?( UNSIGNED)?", ColumnType.INTEGER),
    (r"REAL|FLOAT[48]?|DOUBLE( PRECISION)?|DECIMAL|NUMERIC|NUMBER|MONEY", ColumnType.NUMBER),
    (r".*(CHAR|CLOB|TEXT).*|STRING|UUID|TIME|ENUM", ColumnType.TEXT),
]
_UTC = ZoneInfo("UTC")
_ARROW = {bytearray: pa.binary(), int: pa.int64(), float: pa.float64()}


def declared_type(native: str) -> ColumnType | None:
    """The type that a declaration such as `DECIMAL(10,2)` means, or None if it does not determine one."""
    name = re.sub(r"\(.*\)", "", native).strip().upper()
    return next((column_type for pattern, column_type in _DECLARED if re.fullmatch(pattern, name)), None)


def sampled_type(values: Iterable[Any]) -> ColumnType:
    """The type that fits all of these values."""
    present = [text(value) if isinstance(value, bytes | bytearray) else value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {int}:
        return ColumnType.INTEGER
    if kinds and kinds <= {int, float}:
        return ColumnType.NUMBER
    if kinds != {str}:
        return ColumnType.TEXT
    if all(re.fullmatch(DATE, str(value)) for value in present):
        return ColumnType.DATE
    return ColumnType.TIMESTAMP if all(parse_timestamp(str(value), _UTC) for value in present) else ColumnType.TEXT


def text(value: Any) -> str | None:
    """A value as text. Values that are not text are written in hexadecimal, as PostgreSQL writes them.

    SQLite stores any bytes as text, so an invalid byte is written as `\\xe9`, by which different values stay different.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytearray) else str(value)


def text_array(values: Sequence[Any]) -> pa.Array:
    """A column of values of any types as Arrow text."""
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) == 1 and (kind := _ARROW.get(kinds.pop())):
        with suppress(pa.ArrowInvalid):
            return pa.array(values, kind).cast(pa.string())
    return pa.array([text(value) for value in values], pa.string())
