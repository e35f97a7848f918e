"""PURE. Column types: as DuckDB names them, as inferred from the values of a text file, and as a user declares them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segments.contract import ColumnType
from segments.engines.declared_types import UNITS, Declared
from segments.values import DATE, LOCAL, ZONED

GROUP = "[. \u00a0\u202f]"
"""What may divide the thousands of a number with a decimal comma."""
COMMA_NUMBER = f"-?([0-9]+|[0-9]{{1,3}}({GROUP}[0-9]{{3}})+)(,[0-9]+)?"
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999, in microseconds since 1970."""
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


TEXT_KIND = Kind(ColumnType.TEXT, "VARCHAR")
DOUBLE = Kind(ColumnType.NUMBER, "DOUBLE")
_INTEGER, _SHORT, _PADDED, _LONG, _DATE, _LOCAL, _ZONED, _BOOLEAN, _OTHER = (1 << bit for bit in range(9))
_PLACES_BIT, _MOST_PLACES = 9, 37
"""The bit 9 + n is set if a value has n decimals, and the bit 9 if one has an exponent."""
_KINDS = {
    _INTEGER: Kind(ColumnType.INTEGER, "BIGINT"),
    _SHORT: DOUBLE,
    _INTEGER | _SHORT: DOUBLE,
    _DATE: Kind(ColumnType.DATE, "DATE"),
    _LOCAL: Kind(ColumnType.TIMESTAMP, "TIMESTAMP"),
    _DATE | _LOCAL: Kind(ColumnType.TIMESTAMP, "TIMESTAMP"),
    _ZONED: Kind(ColumnType.TIMESTAMP, "TIMESTAMPTZ"),
    _BOOLEAN: Kind(ColumnType.BOOLEAN, "BOOLEAN"),
}

TIMES = f"""
    WHEN regexp_full_match({{column}}, '{_braced(DATE)}') AND try_cast({{column}} AS DATE) IS NOT NULL THEN {_DATE}
    WHEN regexp_full_match({{column}}, '{_braced(LOCAL)}') AND try_cast({{column}} AS TIMESTAMP) IS NOT NULL
        THEN {_LOCAL}
    WHEN regexp_full_match({{column}}, '{_braced(ZONED)}') AND try_cast({{column}} AS TIMESTAMPTZ) IS NOT NULL
        THEN {_ZONED}
"""


def kind_mask(mark: str) -> str:
    """The kinds of all values of a text column, as one bit mask for `kind_of`. The column name is a quoted identifier.

    Each value sets the bit of its kind, so a single pass over the file settles all columns. Only a number's own
    spelling is a number: anything that would be rewritten, such as 007, 12E4, +5, -0 or a whole number with more than
    18 digits, is an identifier. Decimals are a number's own spelling if they have no trailing zero, if all values of
    the column have the same number of decimals, as prices do, or if programs write a floating-point number this way,
    as in 3.0 and 1e-05.

    Args:
        mark: the decimal mark.
    """
    places = f"length({{column}}) - instr({{column}}, '{mark}')"
    digits = "(length({column}) - 1 - starts_with({column}, '-')::INT)"
    number = f"replace({{column}}, '{mark}', '.')"
    exact = f"({digits} <= 15 OR cast(try_cast({number} AS DOUBLE) AS VARCHAR) = {number})"
    is_short = f"(right({{column}}, 1) <> '0' OR {places} = 1)"
    is_scientific = f"""regexp_full_match({{column}}, '-?[1-9]([{mark}][0-9]+)?e[-+][0-9]{{{{2,3}}}}')
        AND cast(try_cast({number} AS DOUBLE) AS VARCHAR) = {number}"""
    return f"""bit_or(CASE
    WHEN {{column}} IS NULL OR {{column}} = '' THEN 0
    WHEN regexp_full_match({{column}}, '0|-?[1-9][0-9]{{{{0,17}}}}') THEN {_INTEGER}
    WHEN regexp_full_match({{column}}, '-0[{mark}]0+') OR regexp_full_match({{column}}, '[-+]?[0-9]+') THEN {_OTHER}
    WHEN regexp_full_match({{column}}, '-?(0|[1-9][0-9]*)[{mark}][0-9]+') THEN CASE
        WHEN {digits} > 38 OR {places} > {_MOST_PLACES} THEN {_OTHER}
        ELSE (1::BIGINT << ({_PLACES_BIT} + {places})) + CASE WHEN {digits} > 18 THEN {_LONG} ELSE 0 END
            + CASE WHEN {is_short} AND {exact} THEN {_SHORT} ELSE {_PADDED} END
        END
    WHEN {is_scientific} THEN {_SHORT} + (1::BIGINT << {_PLACES_BIT})
    {TIMES}
    WHEN lower({{column}}) IN ('true', 'false') THEN {_BOOLEAN}
    ELSE {_OTHER} END)"""


JSON_MASK = f"""bit_or(CASE {{type}}
    WHEN 'UBIGINT' THEN {_INTEGER} WHEN 'BIGINT' THEN {_INTEGER} WHEN 'DOUBLE' THEN {_SHORT}
    WHEN 'BOOLEAN' THEN {_BOOLEAN} WHEN 'OBJECT' THEN {_PADDED} WHEN 'ARRAY' THEN {_LONG}
    WHEN 'VARCHAR' THEN CASE WHEN {{column}} = '' THEN 0 {TIMES} ELSE {_OTHER} END
    ELSE 0 END)"""
"""The same for a field of JSON objects, whose values have types. Text is text, or a date or a time."""
_JSON_KINDS = {
    **_KINDS,
    _INTEGER: Kind(ColumnType.INTEGER, "HUGEINT"),
    _PADDED: Kind(ColumnType.OBJECT, "JSON"),
    _LONG: Kind(ColumnType.LIST, "JSON"),
}


def native_type(native: str) -> ColumnType:
    """The type that one of DuckDB's native types means."""
    return next(
        (column_type for pattern, column_type in _NATIVE if re.fullmatch(pattern, native, re.DOTALL)), ColumnType.TEXT
    )


def is_certainly_text(mask: int | None) -> bool:
    """Whether the column is text, whatever its other values are."""
    return bool(mask) and kind_of(mask) == TEXT_KIND


def kind_of(mask: int | None) -> Kind:
    """The kind that fits all values of a column, or text if there is none."""
    kinds, places = (mask or 0) & ((1 << _PLACES_BIT) - 1), (mask or 0) >> _PLACES_BIT
    width = 38 if kinds & _LONG else 18
    kinds &= ~_LONG
    if places and not kinds & ~(_SHORT | _PADDED) and places.bit_count() == 1:
        return Kind(ColumnType.NUMBER, f"DECIMAL({width},{places.bit_length() - 1})")
    return _KINDS.get(kinds, TEXT_KIND)


def json_kind_of(mask: int | None) -> Kind:
    """The kind that fits all values of a field of JSON objects, or text if there is none."""
    return _JSON_KINDS.get(mask or 0, TEXT_KIND)


def declared_kind(declared: Declared, inferred: Kind, mask: int | None) -> Kind:
    """The kind of a column with a declared type. Its times have the native type that fits those that are times."""
    if declared.type == ColumnType.NUMBER:
        return inferred if inferred.type in (ColumnType.INTEGER, ColumnType.NUMBER) else DOUBLE
    if declared in UNITS:
        return Kind(ColumnType.TIMESTAMP, "TIMESTAMPTZ")
    if declared.type == ColumnType.TIMESTAMP:
        times = (mask or 0) & (_DATE | _LOCAL | _ZONED)
        return Kind(ColumnType.TIMESTAMP, _KINDS.get(times & ~_DATE or _LOCAL, TEXT_KIND).native)
    return _KINDS[_DATE] if declared.type == ColumnType.DATE else TEXT_KIND


def typed(column: str, kind: Kind, mark: str = ".") -> str:
    """The SQL that converts a text column to its kind. A value that does not fit a declared kind becomes null.

    Args:
        column: a quoted identifier.
        mark: the decimal mark.
    """
    if kind.type == ColumnType.DATE:
        return f"CASE WHEN regexp_full_match({column}, '{DATE}') THEN try_cast({column} AS DATE) END"
    is_marked = kind.type == ColumnType.NUMBER and mark != "."
    return f"try_cast({without_comma(column) if is_marked else column} AS {kind.native})"


def without_comma(column: str) -> str:
    """The SQL of a number with a decimal comma, as one with a point and without groups of thousands."""
    plain = f"replace(regexp_replace({column}, '{GROUP}', '', 'g'), ',', '.')"
    return f"CASE WHEN regexp_full_match({column}, '{COMMA_NUMBER}') THEN {plain} ELSE {column} END"


def epoch_as_text(column: str, microseconds: int) -> str:
    """The SQL of a number of seconds or milliseconds since 1970 as a time with a zone. Other text stays as it is.

    Args:
        column: a quoted identifier.
        microseconds: how many one unit has.
    """
    amount = f"cast(try_cast({column} AS DECIMAL(38, 9)) * {microseconds} AS HUGEINT)"
    time = f"strftime(make_timestamp(cast({amount} AS BIGINT)), '%Y-%m-%dT%H:%M:%S.%fZ')"
    is_epoch = (
        f"regexp_full_match({column}, '-?[0-9]{{1,15}}([.][0-9]{{1,9}})?') AND {amount} BETWEEN {_FIRST} AND {_LAST}"
    )
    return f"CASE WHEN {is_epoch} THEN {time} ELSE {column} END"
