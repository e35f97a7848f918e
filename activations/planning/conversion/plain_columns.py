"""PURE. The expressions that convert the plain values of a column together; see `destinations.contract.Plain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from destinations.kit.values.text import CONTROL
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from destinations.contract import Plain

_ESCAPED = rf'["\\\t\n\r{CONTROL}]'
"""The characters that JSON escapes, and those that are never sent."""
_DIGITS = r"^-?(?:0|[1-9][0-9]{0,9})$"
_DECIMALS = r"^-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,20}$"
_DAY = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"
_DATETIME = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_UTC_DATETIME = _DATETIME + r"(?:Z|\+00|\+00:00)$"
_NAIVE_DATETIME = _DATETIME + "$"


def _text(plain: Plain, column_type: ColumnType, _zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    if column_type == ColumnType.INTEGER:
        fits = value.str.contains(_DIGITS) & (value != "-0")
    else:
        fits = (value.str.strip_chars() != "") & ~value.str.contains(_ESCAPED)
    if plain.pattern:
        fits &= value.str.contains(f"^(?:{plain.pattern})$") & ~value.str.ends_with("\n")
    if plain.most_characters:
        fits &= value.str.len_chars() <= plain.most_characters
    return pl.when(fits).then(_quoted(value))


def _number(plain: Plain, _type: ColumnType, _zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    whole = value.str.contains(_DIGITS) & (value != "-0") & (value.cast(pl.Int64, strict=False).abs() <= plain.largest)
    if not plain.places:
        return pl.when(whole).then(value)
    if plain.rounds:
        exact = value.cast(pl.Decimal(38, 20), strict=False).round(plain.places, mode="half_to_even").cast(pl.String)
        written = exact.str.strip_chars_end("0").str.strip_chars_end(".")
        return (
            pl.when(whole)
            .then(value)
            .when(value.str.contains(_DECIMALS))
            .then(pl.when(written == "-0").then(pl.lit("0")).otherwise(written))
        )
    decimals = rf"^-?(?:0|[1-9][0-9]{{0,8}})\.[0-9]{{0,{plain.places - 1}}}[1-9]0*$"
    fits = value.str.contains(decimals) & (
        value.str.split(".").list.get(1, null_on_oob=True).str.strip_chars_end("0").str.len_chars() <= plain.places
    )
    integral = value.str.contains(r"^-?[1-9][0-9]{0,8}\.0+$")
    return (
        pl.when(whole)
        .then(value)
        .when(fits)
        .then(value.str.strip_chars_end("0"))
        .when(integral)
        .then(value.str.replace(r"\.0+$", ""))
    )


def _boolean(_plain: Plain, _type: ColumnType, _zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    return (
        pl.when(value.is_in(["true", "t", "1"]))
        .then(pl.lit("true"))
        .when(value.is_in(["false", "f", "0"]))
        .then(pl.lit("false"))
    )


def _day(_plain: Plain, _type: ColumnType, _zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    return pl.when(_is_day(value)).then(_quoted(value))


def _datetime(_plain: Plain, _type: ColumnType, zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    fraction = value.str.slice(20, 6).str.strip_chars_end("Z+:0")
    decimals = pl.when(fraction == "").then(pl.lit("")).otherwise(pl.lit(".") + fraction.str.pad_end(6, "0"))
    written = pl.concat_str(
        [pl.lit('"'), value.str.slice(0, 10), pl.lit("T"), value.str.slice(11, 8), decimals, pl.lit('Z"')]
    )
    return pl.when(_is_datetime(value, zone)).then(written)


def _seconds(_plain: Plain, column_type: ColumnType, zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    if column_type == ColumnType.DATE:
        days = value.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64)
        return pl.when(_is_day(value)).then((days * 86_400).cast(pl.String))
    return pl.when(_is_datetime(value, zone) & ~value.str.contains(r"\.[0-9]*[1-9]")).then(
        _to_datetime(value).dt.epoch("s").cast(pl.String)
    )


def _is_day(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_DAY) & value.str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _is_datetime(value: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    written = value.str.contains(_UTC_DATETIME)
    if zone.key == "UTC":
        written |= value.str.contains(_NAIVE_DATETIME)
    return written & value.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _to_datetime(value: pl.Expr) -> pl.Expr:
    stamp = value.str.slice(0, 10) + pl.lit(" ") + value.str.slice(11, 8)
    return stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")


def _quoted(value: pl.Expr) -> pl.Expr:
    return pl.concat_str([pl.lit('"'), value, pl.lit('"')])


FORMS: dict[str, Callable[[Plain, ColumnType, ZoneInfo, pl.Expr], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "day": _day,
    "moment": _datetime,
    "seconds": _seconds,
}
"""How each form of a plain value is written: the JSON of the values that have it, null for all others."""
