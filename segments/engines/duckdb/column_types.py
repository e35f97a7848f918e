"""PURE. Column types: those that DuckDB declares, and those that the values of a CSV file show."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segments.contract import ColumnType
from segments.values import DATE, LOCAL, NUMBER, ZONED

_NATIVE = [
    (r".*\[[0-9]*\]", ColumnType.LIST),
    (r"(STRUCT|MAP|UNION)\(.*|JSON|VARIANT", ColumnType.OBJECT),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BIGNUM|VARINT", ColumnType.INTEGER),
    (r"DOUBLE|FLOAT|DECIMAL\(.*", ColumnType.NUMBER),
    (r"BOOLEAN", ColumnType.BOOLEAN),
    (r"DATE", ColumnType.DATE),
    (r"TIMESTAMP.*", ColumnType.TIMESTAMP),
]


@dataclass(frozen=True)
class Kind:
    """What the values of a CSV column turn out to be, and the DuckDB type that holds them exactly."""

    type: ColumnType
    native: str


def _braced(pattern: str) -> str:
    return pattern.replace("{", "{{").replace("}", "}}")


_TEXT = Kind(ColumnType.TEXT, "VARCHAR")
_INTEGER, _NUMBER, _DATE, _LOCAL, _ZONED, _BOOLEAN, _OTHER = (1 << place for place in range(7))
_KINDS = {
    _INTEGER: Kind(ColumnType.INTEGER, "BIGINT"),
    _NUMBER: Kind(ColumnType.NUMBER, "DOUBLE"),
    _INTEGER | _NUMBER: Kind(ColumnType.NUMBER, "DOUBLE"),
    _DATE: Kind(ColumnType.DATE, "DATE"),
    _LOCAL: Kind(ColumnType.TIMESTAMP, "TIMESTAMP"),
    _DATE | _LOCAL: Kind(ColumnType.TIMESTAMP, "TIMESTAMP"),
    _ZONED: Kind(ColumnType.TIMESTAMP, "TIMESTAMPTZ"),
    _BOOLEAN: Kind(ColumnType.BOOLEAN, "BOOLEAN"),
}

_TIMES = f"""
    WHEN regexp_full_match({{column}}, '{_braced(DATE)}') AND try_cast({{column}} AS DATE) IS NOT NULL THEN {_DATE}
    WHEN regexp_full_match({{column}}, '{_braced(LOCAL)}') AND try_cast({{column}} AS TIMESTAMP) IS NOT NULL THEN {_LOCAL}
    WHEN regexp_full_match({{column}}, '{_braced(ZONED)}') AND try_cast({{column}} AS TIMESTAMPTZ) IS NOT NULL THEN {_ZONED}
"""
KINDS = f"""bit_or(CASE
    WHEN {{column}} IS NULL THEN 0
    WHEN regexp_full_match({{column}}, '-?(0|[1-9][0-9]{{{{0,17}}}})') THEN {_INTEGER}
    WHEN regexp_full_match({{column}}, '-?[0-9]+') THEN {_OTHER}
    WHEN regexp_full_match({{column}}, '{_braced(NUMBER)}') THEN {_NUMBER}
    {_TIMES}
    WHEN lower({{column}}) IN ('true', 'false') THEN {_BOOLEAN}
    ELSE {_OTHER} END)"""
"""Tells the kinds of all values of a column of text (its name in quotation marks), as a number for `kind`.

A whole number that starts with a zero, or has more than 18 digits, is a name and no number.
"""
TIME_KINDS = f"bit_or(CASE WHEN {{column}} IS NULL THEN 0 {_TIMES} ELSE {_OTHER} END)"
"""The same of a column that can't be anything but text, a date or a time."""


def native_type(native: str) -> ColumnType:
    """The type that one of DuckDB's own means."""
    return next(
        (column_type for pattern, column_type in _NATIVE if re.fullmatch(pattern, native, re.DOTALL)), ColumnType.TEXT
    )


def is_text(kinds: int | None) -> bool:
    """Whether no other value can make it anything but text."""
    return bool(kinds) and kinds not in _KINDS


def kind(kinds: int | None) -> Kind:
    """The one kind that all values of a column are of; text where there is none."""
    return _KINDS.get(kinds or 0, _TEXT)
