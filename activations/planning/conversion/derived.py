"""PURE. Values that are made before they are converted: templates of several columns, and rounded numbers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from activations import text_template
from activations.planning.conversion.columns import CACHED_VALUES, is_empty, natural_value, spelled_as
from destinations.kit.values.text import plain_text
from segments.contract import ColumnType
from segments.values import LARGEST_EXPONENT, NUMBER

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from activations.planning.conversion.slots import Layout, Slot

ROUNDED = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.TEXT)
"""The types of columns whose values are rounded."""
_NUMBER = re.compile(rf"\s*({NUMBER})\s*", re.ASCII)
_DECIMAL = r"^-?(?:0|[1-9][0-9]{0,16})\.[0-9]+$"
_SPACE = r"[\s\x1c-\x1f]"
"""Whitespace as Python understands it, so that the same values are empty everywhere."""
_DIGITS = r"^(?:0|-?[1-9][0-9]*)$"


@dataclass
class ColumnText:
    """The text of a column, as a text attribute would get it. The result for each distinct value is cached."""

    type: ColumnType
    zone: ZoneInfo
    is_spelled: bool = False
    cache: dict[Hashable, str] = field(default_factory=dict)

    def of(self, raw: Any) -> str:
        """The text of one source value; "" if it is empty."""
        value = natural_value(raw, self.type, self.zone)
        if is_empty(value):
            return ""
        is_written = self.is_spelled and not isinstance(value, bool) and isinstance(value, int | float | Decimal | date)
        return (spelled_as(raw, self.type) if is_written else "") or plain_text(value)

    def series(self, values: pa.Array, text: pl.Series) -> pl.Series:
        """The texts of a column. `text`: its raw values, as `digests.as_texts` returns them."""
        if self.type == ColumnType.TEXT:
            return text
        if self.type == ColumnType.INTEGER and (text.is_null() | text.str.contains(_DIGITS)).all():
            return text
        return pl.Series([self._cached(raw) for raw in values.to_pylist()], dtype=pl.String)

    def _cached(self, raw: Any) -> str:
        if not isinstance(raw, Hashable):
            return self.of(raw)
        if raw not in self.cache:
            if len(self.cache) >= CACHED_VALUES:
                self.cache.clear()
            self.cache[raw] = self.of(raw)
        return self.cache[raw]


@dataclass
class Derived:
    """The values of a mapping with a template, or of one that rounds. They are text, whatever the columns are.

    Args:
        columns: the text of each column that it reads, by name.
        template: empty if it only rounds the one column.
    """

    columns: Mapping[str, ColumnText]
    template: str = ""
    rounds: bool = False

    def of(self, row: Mapping[str, Any]) -> str | None:
        """The value for one row of raw source values; None if it is empty."""
        return self.of_rows([row])[0]

    def of_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """The values for rows of raw source values, made together, which takes hardly longer than for one."""
        values = [pa.array([column.of(row.get(name)) or None for row in rows], pa.string())
                  for name, column in self.columns.items()]  # fmt: skip
        plain = {name: ColumnText(ColumnType.TEXT, column.zone) for name, column in self.columns.items()}
        texts = [pl.Series(value) for value in values]
        return list(Derived(plain, self.template, self.rounds).series(values, texts))

    def series(self, values: Sequence[pa.Array], texts: Sequence[pl.Series]) -> pl.Series:
        """The values of a batch of rows: those of each column, and the same as `digests.as_texts` returns them."""
        if not self.template:
            return rounded(texts[0]) if self.rounds else texts[0]
        parts = zip(self.columns.items(), values, texts, strict=True)
        frame = pl.DataFrame([column.series(value, text).alias(name) for (name, column), value, text in parts])
        joined = frame.select(_joined(self.template).alias("joined"))["joined"]
        return rounded(joined) if self.rounds else joined


class Input:
    """What one converter reads of a batch: a column as it is, or values that are made from columns first."""

    def __init__(self, layout: Layout, slot: Slot) -> None:
        self.places = [layout.columns.index(name) for name in slot.columns]
        kinds = {name: layout.types.get(name, ColumnType.TEXT) for name in slot.columns}
        rounds = slot.rounds and (bool(slot.template) or kinds[slot.column] in ROUNDED)
        texts = {name: ColumnText(kind, layout.zone, kind in layout.spelled) for name, kind in kinds.items()}
        self.derived = Derived(texts, slot.template, rounds) if slot.template or rounds else None

    def read(self, batch: pa.RecordBatch, texts: pl.DataFrame) -> tuple[pa.Array, pl.Series]:
        """The values and their texts, of rows with the layout's columns in their order."""
        values = [batch.column(place) for place in self.places]
        as_text = [texts[str(place)] for place in self.places]
        if self.derived is None:
            return values[0], as_text[0]
        series = self.derived.series(values, as_text)
        return series.to_arrow(compat_level=pl.CompatLevel.oldest()), series


def rounded(texts: pl.Series) -> pl.Series:
    """Numbers rounded to whole ones, halves away from zero. Whatever is not a number stays as it is."""
    frame = texts.alias("text").to_frame()
    text = pl.col("text")
    whole = text.str.extract(r"^-?([0-9]+)\.", 1).cast(pl.Int64, strict=False)
    magnitude = whole + (text.str.extract(r"\.([0-9])", 1) >= "5").cast(pl.Int64)
    sign = pl.when(text.str.starts_with("-") & (magnitude != 0)).then(pl.lit("-")).otherwise(pl.lit(""))
    results = frame.select(
        pl.when(text.str.contains(_DECIMAL)).then(sign + magnitude.cast(pl.String)).otherwise(text).alias("text"),
        rest=text.str.contains(r"[.eE][0-9+-]") & ~text.str.contains(_DECIMAL),
    )
    odd = results.filter(pl.col("rest"))["text"].unique()
    if not len(odd):
        return results["text"]
    return results["text"].replace(odd, pl.Series([_round(value) for value in odd], dtype=pl.String))


def _round(text: str) -> str:
    number = _NUMBER.fullmatch(text)
    if number is None or abs(Decimal(number[1]).adjusted()) > LARGEST_EXPONENT:
        return text
    # Not `quantize`, whose precision is limited: a number of any length is rounded.
    exact = Decimal(number[1])
    result = int(exact.to_integral_value(ROUND_HALF_UP))
    return str(result)


def _joined(template: str) -> pl.Expr:
    """The text of a template. Its whitespace is collapsed if a column is empty; null if all of them are."""
    parts = text_template.parse(template)
    joined = pl.concat_str(
        [pl.col(part.column).fill_null("") if part.column else pl.lit(part.text) for part in parts], ignore_nulls=True
    )
    empty = [
        pl.col(name).is_null() | pl.col(name).str.contains(f"^{_SPACE}*$") for name in text_template.columns(template)
    ]
    collapsed = joined.str.replace_all(f"{_SPACE}+", " ").str.strip_chars(" ")
    return pl.when(~pl.all_horizontal(empty)).then(pl.when(pl.any_horizontal(empty)).then(collapsed).otherwise(joined))
