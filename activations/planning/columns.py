"""PURE. Converts whole columns of source values to the JSON of wire values.

Values that the service declares as plain are converted by the column, without a Python object for each value. All
others go through the service's `convert`, each distinct value once. The reason is time: of a million rows with ten
columns, most values are plain texts and numbers, and a Python call for each would take longer than the whole read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from activations import digests
from core.errors import Rejected
from destinations.contract import Origin
from segments.contract import ColumnType
from segments.values import natural

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from destinations.contract import Field, Plain, Service

CACHED_VALUES = 200_000
"""Distinct values of one column whose conversion is cached; then the cache starts over."""
_ESCAPED = r'["\\\x00-\x1f]'
_DIGITS = r"^-?(?:0|[1-9][0-9]{0,9})$"
_DECIMALS = r"^-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,20}$"
_DAY = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"
_DATETIME = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_UTC_DATETIME = _DATETIME + r"(?:Z|\+00|\+00:00)$"
_NAIVE_DATETIME = _DATETIME + "$"


@dataclass
class Converted:
    """One attribute of a batch of rows.

    Args:
        json: the wire value of each row as canonical JSON; null if nothing is sent, or if it can't be converted.
        text: the raw values as text.
        plain: which rows have a plain value.
        errors: the rows that can't be converted, with the reason.
    """

    json: pl.Series
    text: pl.Series
    plain: np.ndarray
    errors: dict[int, Rejected] = dataclasses.field(default_factory=dict)


@dataclass
class Converter:
    """Converts one column to one attribute, and caches the result for each distinct value."""

    service: Service
    field: Field
    type: ColumnType
    zone: ZoneInfo
    empty: Callable[[], Any] | None = None
    """Returns the wire value for an empty source value; None if empty values are not sent."""
    origin: str = ""
    """Where the values come from; prefixed to error messages."""
    cache: dict[Hashable, str | Rejected | None] = dataclasses.field(default_factory=dict)

    def plain(self, text: pl.Expr) -> pl.Expr:
        """The JSON of the plain values, from their text; null for all others."""
        plain = self.service.plain(self.field, str(self.type))
        if plain is None:
            return pl.when(pl.lit(False)).then(text)
        json = _FORMS[plain.form](plain, self.type, self.zone, text)
        return pl.concat_str([pl.lit("["), json, pl.lit("]")]) if plain.listed else json

    def convert_singly(self, converted: Converted, places: np.ndarray, raw: list[Any]) -> None:
        """Converts the values at `places`, which are not plain, value by value."""
        results = [self._value(value) for value in raw]
        converted.errors = {
            int(place): result for place, result in zip(places, results, strict=True) if isinstance(result, Rejected)
        }
        texts = pl.Series([None if isinstance(result, Rejected) else result for result in results], dtype=pl.String)
        converted.json = converted.json.scatter(places, texts)

    def _value(self, raw: Any) -> str | Rejected | None:
        if not isinstance(raw, Hashable):
            return self._json(raw)
        if raw not in self.cache:
            if len(self.cache) >= CACHED_VALUES:
                self.cache.clear()
            self.cache[raw] = self._json(raw)
        return self.cache[raw]

    def _json(self, raw: Any) -> str | Rejected | None:
        try:
            wire = self._wire(
                natural(raw, self.type, self.zone), Origin(self.zone, raw if isinstance(raw, str) else "")
            )
        except Rejected as error:
            return Rejected(error.code, self.origin + error.message, detail=error.detail, field=error.field)
        return None if wire is _NOTHING else digests.canonical(wire).decode(errors="surrogatepass")

    def _wire(self, value: Any, origin: Origin) -> Any:
        if not is_empty(value):
            return self.service.convert(self.field, value, origin)
        return self.empty() if self.empty else _NOTHING


def convert(converters: Sequence[Converter], values: Sequence[pa.Array], texts: pl.DataFrame) -> list[Converted]:
    """Converts columns of raw source values.

    Args:
        values: one column for each converter.
        texts: the same columns, as `digests.as_texts` returns them.
    """
    # One statement for all columns: between two of them, this thread would wait for other threads to release the GIL.
    converted_texts = texts.select(
        converter.plain(pl.col(name)).alias(name) for converter, name in zip(converters, texts.columns, strict=True)
    )
    plain = converted_texts.select(pl.all().is_not_null()).to_numpy()
    filled = texts.select(pl.all().is_not_null()).to_numpy()
    columns = []
    for place, converter in enumerate(converters):
        converted = Converted(converted_texts[str(place)], texts[str(place)], plain[:, place])
        rest = np.flatnonzero(~plain[:, place] & (filled[:, place] if converter.empty is None else True))
        if len(rest):
            converter.convert_singly(converted, rest, values[place].take(pa.array(rest)).to_pylist())
        columns.append(converted)
    return columns


def is_empty(value: Any) -> bool:
    """Whether a source value is empty: null, only whitespace, an empty list or an empty object."""
    return value is None or (
        not value.strip() if isinstance(value, str) else isinstance(value, list | dict) and not value
    )


_NOTHING = object()


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


_FORMS: dict[str, Callable[[Plain, ColumnType, ZoneInfo, pl.Expr], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "day": _day,
    "moment": _datetime,
    "seconds": _seconds,
}
