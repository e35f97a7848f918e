"""PURE. Whole columns of source values to JSON of wire values and their digests.

What a service declares as plain is converted by the column, without a Python object for each value; every other value goes
through the service's `convert`, each different one once.
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
from segments.contract import ColumnType
from segments.values import natural

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from destinations.contract import Field, Plain, Service

MOST_REMEMBERED = 200_000
_ESCAPED = r'["\\\x00-\x1f]'
_DIGITS = r"^-?(?:0|[1-9][0-9]{0,9})$"
_DECIMALS = r"^-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,20}$"
_DAY = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"
_CLOCKED = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_MOMENT = _CLOCKED + r"(?:Z|\+00|\+00:00)$"
_ZONELESS = _CLOCKED + "$"


@dataclass
class Converted:
    """One attribute of a batch of rows.

    Args:
        json: the wire value of each row as canonical JSON; null where it says nothing, or can't be converted.
        refusals: the rows that can't be converted, with the reason.
        text: the raw values as text; `plain` says where that text is the wire value itself.
    """

    json: pl.Series
    text: pl.Series
    plain: np.ndarray
    refusals: dict[int, Rejected] = dataclasses.field(default_factory=dict)


@dataclass
class Converter:
    """How one column becomes one attribute. Remembers what the service made of each different value."""

    service: Service
    field: Field
    type: ColumnType
    zone: ZoneInfo
    empty: Callable[[], Any] | None = None
    """Gives the wire value of an empty source value; None where it says nothing."""
    origin: str = ""
    """Where the values come from, as the beginning of a refusal's message."""
    remembered: dict[Hashable, str | Rejected | None] = dataclasses.field(default_factory=dict)

    def plain(self, text: pl.Expr) -> pl.Expr:
        """The JSON of the values that are plain, from their text; null for all others."""
        plain = self.service.plain(self.field, str(self.type))
        if plain is None:
            return pl.when(pl.lit(False)).then(text)
        shape = _SHAPES[plain.form](plain, self.type, self.zone, text)
        return pl.concat_str([pl.lit("["), shape, pl.lit("]")]) if plain.listed else shape

    def one_by_one(self, converted: Converted, rest: np.ndarray, raw: list[Any]) -> None:
        """Converts the values in the places `rest`, which are not plain."""
        found = [self._value(value) for value in raw]
        converted.refusals = {
            int(place): what for place, what in zip(rest, found, strict=True) if isinstance(what, Rejected)
        }
        texts = pl.Series([None if isinstance(what, Rejected) else what for what in found], dtype=pl.String)
        converted.json = converted.json.scatter(rest, texts)

    def _value(self, raw: Any) -> str | Rejected | None:
        if not isinstance(raw, Hashable):
            return self._made(raw)
        if raw not in self.remembered:
            if len(self.remembered) >= MOST_REMEMBERED:
                self.remembered.clear()
            self.remembered[raw] = self._made(raw)
        return self.remembered[raw]

    def _made(self, raw: Any) -> str | Rejected | None:
        try:
            wire = self._wire(natural(raw, self.type, self.zone))
        except Rejected as refusal:
            return Rejected(refusal.code, self.origin + refusal.message, detail=refusal.detail, field=refusal.field)
        return None if wire is _NOTHING else digests.canonical(wire).decode(errors="surrogatepass")

    def _wire(self, value: Any) -> Any:
        if not is_empty(value):
            return self.service.convert(self.field, value)
        return self.empty() if self.empty else _NOTHING


def convert(converters: Sequence[Converter], values: Sequence[pa.Array], texts: pl.DataFrame) -> list[Converted]:
    """Converts columns of raw source values.

    Args:
        texts: the same columns, as `digests.as_texts` gives them.
    """
    # One statement for all columns: between two, this thread has to wait until the others let it go on.
    made = texts.select(
        one.plain(pl.col(name)).alias(name) for one, name in zip(converters, texts.columns, strict=True)
    )
    plain, filled = made.select(pl.all().is_not_null()).to_numpy(), texts.select(pl.all().is_not_null()).to_numpy()
    found = []
    for place, converter in enumerate(converters):
        converted = Converted(made[str(place)], texts[str(place)], plain[:, place])
        rest = np.flatnonzero(~plain[:, place] & (filled[:, place] if converter.empty is None else True))
        if len(rest):
            converter.one_by_one(converted, rest, values[place].take(pa.array(rest)).to_pylist())
        found.append(converted)
    return found


def is_empty(value: Any) -> bool:
    """Whether a source value says nothing: null, a blank text, an empty list or object."""
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


def _moment(_plain: Plain, _type: ColumnType, zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    fraction = value.str.slice(20, 6).str.strip_chars_end("Z+:0")
    decimals = pl.when(fraction == "").then(pl.lit("")).otherwise(pl.lit(".") + fraction.str.pad_end(6, "0"))
    written = pl.concat_str(
        [pl.lit('"'), value.str.slice(0, 10), pl.lit("T"), value.str.slice(11, 8), decimals, pl.lit('Z"')]
    )
    return pl.when(_is_moment(value, zone)).then(written)


def _seconds(_plain: Plain, column_type: ColumnType, zone: ZoneInfo, value: pl.Expr) -> pl.Expr:
    if column_type == ColumnType.DATE:
        days = value.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64)
        return pl.when(_is_day(value)).then((days * 86_400).cast(pl.String))
    return pl.when(_is_moment(value, zone) & ~value.str.contains(r"\.[0-9]*[1-9]")).then(
        _clock(value).dt.epoch("s").cast(pl.String)
    )


def _is_day(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_DAY) & value.str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _is_moment(value: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    written = value.str.contains(_MOMENT)
    if zone.key == "UTC":
        written |= value.str.contains(_ZONELESS)
    return written & value.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _clock(value: pl.Expr) -> pl.Expr:
    stamp = value.str.slice(0, 10) + pl.lit(" ") + value.str.slice(11, 8)
    return stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")


def _quoted(value: pl.Expr) -> pl.Expr:
    return pl.concat_str([pl.lit('"'), value, pl.lit('"')])


_SHAPES: dict[str, Callable[[Plain, ColumnType, ZoneInfo, pl.Expr], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "day": _day,
    "moment": _moment,
    "seconds": _seconds,
}
