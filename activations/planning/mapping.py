"""PURE. Converts batches of source rows to the values that a destination takes, or to reasons why it can't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from activations import digests
from activations.planning.conversion.columns import Converted, Converter, convert, is_empty
from activations.planning.conversion.derived import Input
from activations.planning.conversion.slots import CLEAR, Layout, Slot
from core.errors import Rejected
from destinations.contract import Origin
from destinations.kit.values.text import clean
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Sequence


_NO_ROWS = np.empty(0, dtype=np.int64)

SHOWN_CHARACTERS = 300
"""How much of a source value that could not be converted is shown."""


@dataclass(frozen=True)
class Rows:
    """A batch of rows, converted for the destination.

    Args:
        match: the JSON of each row's match value.
        identities: what match values are compared by.
        columns: the converted values of each slot, in the layout's order.
        errors: the rows that can't be sent, each with the first reason.
    """

    match: pl.Series
    identities: pl.Series
    columns: list[Converted]
    errors: dict[int, Rejected]

    def raw_text(self, slots: Sequence[Slot], name: str, row: int) -> str:
        """The source value of an attribute as text; "" if it is empty, or if no slot has this attribute."""
        texts = [column.text[row] for slot, column in zip(slots, self.columns, strict=True) if slot.field.name == name]
        return clean(str(texts[0] or "")[:SHOWN_CHARACTERS]) if texts else ""

    def digests(self) -> tuple[np.ndarray, np.ndarray]:
        """The digest of each row's match value, and those of its values in shape (rows, slots); 0 if not sent."""
        columns = [self.identities, *(column.json for column in self.columns)]
        table = digests.of_columns(pl.DataFrame([column.alias(str(place)) for place, column in enumerate(columns)]))
        return table[:, 0], table[:, 1:]

    def values(self, slots: Sequence[Slot]) -> pl.Series:
        """Each row's values as one JSON object by attribute, without those that are not sent."""
        names = {
            place: orjson.dumps(slot.field.name).decode() + ":" for place, slot in enumerate(slots) if not slot.is_match
        }
        frame = pl.DataFrame({str(place): column.json for place, column in enumerate(self.columns)})
        members = [pl.lit(name) + pl.col(str(place)) for place, name in names.items()]
        if not members:
            return pl.Series(["{}"] * len(self.match), dtype=pl.String)
        joined = pl.concat_str(members, separator=",", ignore_nulls=True)
        return frame.select(pl.concat_str([pl.lit("{"), joined, pl.lit("}")]).alias("values"))["values"]


class Mapper:
    """Converts batches of rows by one layout, and caches the conversions of single values."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        mapped = [slot for slot in layout.slots if slot.columns and not slot.is_match]
        match = Slot(-1, layout.match_field, layout.match_column)
        self.match = self._converter(match)
        self.converters = [self.match, *map(self._converter, mapped)]
        self.inputs = [Input(layout, slot) for slot in (match, *mapped)]

    def convert(self, batch: pa.RecordBatch, texts: pl.DataFrame) -> Rows:
        """Converts rows of raw source values; both arguments have the layout's columns, in their order."""
        values, named = zip(*(each.read(batch, texts) for each in self.inputs), strict=True)
        frame = pl.DataFrame([text.alias(str(number)) for number, text in enumerate(named)])
        match, *converted = convert(self.converters, values, frame)
        remaining = iter(converted)
        columns = [
            match if slot.is_match else next(remaining) if slot.columns else self._fixed(slot, batch.num_rows)
            for slot in self.layout.slots
        ]
        errors: dict[int, Rejected] = {}
        # The last one wins, so this goes backwards: the reason of the match comes first, then those of the slots.
        for column in [*reversed(columns), match]:
            errors.update(column.errors)
        for place in np.flatnonzero(match.json.is_null().to_numpy()):
            if place not in match.errors:
                errors[int(place)] = self._match_empty()
        return Rows(match.json, self._identities(match), columns, errors)

    def further_matches(self, batch: pa.RecordBatch, texts: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """The match values of rows besides their first one, e.g. second domains: row numbers, and a digest for each."""
        layout = self.layout
        if not layout.match_field.multiple:
            return _NO_ROWS, _NO_ROWS
        column = layout.columns.index(layout.match_column)
        text = texts[str(column)]
        candidates = np.flatnonzero(text.str.contains(layout.service.several).fill_null(False).to_numpy())
        if not len(candidates):
            return candidates, candidates
        (lists,) = convert(
            [self.match],
            [batch.column(column).take(pa.array(candidates))],
            text.gather(candidates).alias("0").to_frame(),
        )
        pairs = [
            (place, identity)
            for place, wire in zip(candidates.tolist(), lists.json, strict=True)
            if wire is not None
            for identity in layout.service.identities(layout.match_field, orjson.loads(wire))[1:]
        ]
        places, identities = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(places, dtype=np.int64), digests.of_texts(pl.Series(identities, dtype=pl.String))

    def _fixed(self, slot: Slot, count: int) -> Converted:
        """One value for all rows, or one error for all."""
        text: str | None = None
        errors: dict[int, Rejected] = {}
        try:
            if not is_empty(slot.value):
                origin = Origin(self.layout.zone, country=slot.country)
                text = digests.canonical(self.layout.service.convert(slot.field, slot.value, origin)).decode()
            elif slot.when_empty == CLEAR:
                text = digests.canonical(self.layout.service.empty(slot.field)).decode()
        except Rejected as error:
            prefixed = Rejected(error.code, "Fixed value: " + error.message, detail=error.detail, field=error.field)
            errors = dict.fromkeys(range(count), prefixed)
        texts = pl.Series([text], dtype=pl.String).new_from_index(0, count)
        return Converted(texts, texts, np.zeros(count, dtype=bool), errors)

    def _identities(self, match: Converted) -> pl.Series:
        """What each match value is compared by. A plain value is its own identity."""
        others = np.flatnonzero(~match.plain & match.json.is_not_null().to_numpy())
        converted = [
            self.layout.service.identity(self.layout.match_field, orjson.loads(wire))
            for wire in match.json.gather(others)
        ]
        identities = match.text.set(pl.Series(~match.plain), None)
        return identities.scatter(others, pl.Series(converted, dtype=pl.String)) if len(others) else identities

    def _converter(self, slot: Slot) -> Converter:
        layout = self.layout
        kind = ColumnType.TEXT if slot.template else layout.types.get(slot.column, ColumnType.TEXT)
        empty = (lambda: layout.service.empty(slot.field)) if slot.when_empty == CLEAR else None
        return Converter(
            layout.service,
            slot.field,
            kind,
            layout.zone,
            empty,
            f"Template “{slot.template}”: " if slot.template else f"Column “{slot.column}”: ",
            is_spelled=kind in layout.spelled,
            country=slot.country,
        )

    def _match_empty(self) -> Rejected:
        message = (
            f"The column “{self.layout.match_column}” is empty, so this record can't be found at the destination. "
            "Fill it in the source."
        )
        return Rejected("match_empty", message, field=self.layout.match_field.name)
