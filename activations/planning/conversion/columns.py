"""PURE. Converts whole columns of source values to the JSON of wire values.

Values that the service declares as plain are converted by the column, without a Python object for each value. All
others go through the service's `convert`, each distinct value once. The reason is time: of a million rows with ten
columns, most values are plain texts and numbers, and a Python call for each would take longer than the whole read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from activations import digests
from activations.planning.conversion.plain_columns import FORMS
from core.errors import Rejected
from destinations.contract import Origin
from segments.contract import ColumnType
from segments.values import DATE, natural

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from destinations.contract import Field, Service

CACHED_VALUES = 200_000
"""Distinct values of one column whose conversion is cached; then the cache starts over."""
NOTHING = object()
"""The result of a conversion that sends nothing. `None` is a wire value of its own: it clears an attribute."""
_DATE = re.compile(DATE, re.ASCII)
_WHOLE = re.compile(r"-?[0-9]+\.0+", re.ASCII)


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
    is_spelled: bool = False
    """Whether people or other programs wrote the values as text, so that their spelling is part of them."""
    country: str = ""
    """The country of national phone numbers."""
    cache: dict[Hashable, str | Rejected | None] = dataclasses.field(default_factory=dict)

    def plain(self, text: pl.Expr) -> pl.Expr:
        """The JSON of the plain values, from their text; null for all others."""
        plain = self.service.plain(self.field, str(self.type))
        if plain is None:
            return pl.when(pl.lit(False)).then(text)
        json = FORMS[plain.form](plain, self.type, self.zone, text)
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
            wire = self.wire(raw)
        except Rejected as error:
            return Rejected(error.code, self.origin + error.message, detail=error.detail, field=error.field)
        return None if wire is NOTHING else digests.canonical(wire).decode(errors="surrogatepass")

    def wire(self, raw: Any) -> Any:
        """The wire value of one source value; `NOTHING` if nothing is sent.

        Raises:
            Rejected: it can't be converted.
        """
        value = natural_value(raw, self.type, self.zone)
        if not is_empty(value):
            spelling = spelled_as(raw, self.type) if self.is_spelled else ""
            return self.service.convert(self.field, value, Origin(self.zone, spelling, self.country))
        return self.empty() if self.empty else NOTHING


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


def natural_value(raw: Any, kind: ColumnType, zone: ZoneInfo) -> Any:
    """The natural value. A date among times stays a date, so that it means the same in every column."""
    is_date = kind == ColumnType.TIMESTAMP and isinstance(raw, str) and _DATE.fullmatch(raw)
    return natural(raw, ColumnType.DATE if is_date else kind, zone)


def spelled_as(raw: Any, kind: ColumnType) -> str:
    """How the source spelled a value that it wrote as text. An integer that became `7.0` is `7`."""
    text = raw if isinstance(raw, str) else format(raw, "f") if isinstance(raw, Decimal) else ""
    return "" if kind == ColumnType.INTEGER and _WHOLE.fullmatch(text) else text


def is_empty(value: Any) -> bool:
    """Whether a source value is empty: null, only whitespace, an empty list or an empty object."""
    return value is None or (
        not value.strip() if isinstance(value, str) else isinstance(value, list | dict) and not value
    )
