"""PURE. Column types: as declared by DuckDB, and as inferred from the values of a CSV file."""

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
    """The inferred type of a text column, and the DuckDB type that represents its values exactly."""

    type: ColumnType
    native: str


def _braced(pattern: str) -> str:
    return pattern.replace("{", "{{").replace("}", "}}")


_TEXT = Kind(ColumnType.TEXT, "VARCHAR")
_INTEGER, _NUMBER, _DATE, _LOCAL, _ZONED, _BOOLEAN, _OTHER = (1 << bit for bit in range(7))
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
    WHEN regexp_full_match({{column}}, '{_braced(LOCAL)}') AND try_cast({{column}} AS TIMESTAMP) IS NOT NULL
        THEN {_LOCAL}
    WHEN regexp_full_match({{column}}, '{_braced(ZONED)}') AND try_cast({{column}} AS TIMESTAMPTZ) IS NOT NULL
        THEN {_ZONED}
"""
KIND_MASK = f"""bit_or(CASE
    WHEN {{column}} IS NULL THEN 0
    WHEN regexp_full_match({{column}}, '-?(0|[1-9][0-9]{{{{0,17}}}})') THEN {_INTEGER}
    WHEN regexp_full_match({{column}}, '-?[0-9]+') THEN {_OTHER}
    WHEN regexp_full_match({{column}}, '{_braced(NUMBER)}') THEN {_NUMBER}
    {_TIMES}
    WHEN lower({{column}}) IN ('true', 'false') THEN {_BOOLEAN}
    ELSE {_OTHER} END)"""
"""The kinds of all values of a text column, as one bit mask for `kind_of`. The column name is a quoted identifier.

Each value sets one bit, so a single pass over the file settles all columns: a column with the bits of whole numbers
and of numbers is numeric, and any combination that is not in `_KINDS` is text. A whole number with a leading zero or
with more than 18 digits is an identifier, not a number.
"""
TIME_KIND_MASK = f"bit_or(CASE WHEN {{column}} IS NULL THEN 0 {_TIMES} ELSE {_OTHER} END)"
"""The same for a column that can only be text, a date or a time."""


def native_type(native: str) -> ColumnType:
    """The type that one of DuckDB's native types means."""
    return next(
        (column_type for pattern, column_type in _NATIVE if re.fullmatch(pattern, native, re.DOTALL)), ColumnType.TEXT
    )


def is_certainly_text(mask: int | None) -> bool:
    """Whether the column is text, whatever its other values are."""
    return bool(mask) and mask not in _KINDS


def kind_of(mask: int | None) -> Kind:
    """The kind that fits all values of a column, or text if there is none."""
    return _KINDS.get(mask or 0, _TEXT)
