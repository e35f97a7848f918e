"""PURE. From batches of source columns to the values that a destination takes, or the reason why a row can't be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from activations import digests
from activations.columns import Converted, Converter, convert, is_empty
from core.errors import Rejected
from destinations.contract import Field, Service
from segments.contract import ColumnType

KEEP, CLEAR = "keep", "clear"
_NO_PLACES = np.empty(0, dtype=np.int64)

SHOWN_CHARACTERS = 300
"""Of a source value that could not be converted."""


@dataclass(frozen=True)
class Slot:
    """One attribute at the destination and where its value comes from; `number` is its place in a record's digests."""

    number: int
    field: Field
    column: str = ""
    value: Any = None
    when_empty: str = KEEP
    adds: bool = False
    since: datetime | None = None
    """Records accepted before this moment, the first plan with this slot, are taken to hold the value already (backfill: from now on)."""
    is_match: bool = False
    """It notes a match that is a list, and is sent as the match alone."""


@dataclass(frozen=True)
class Layout:
    """Everything that decides how a row becomes a record: if two layouts have one digest, so have their rows."""

    service: Service
    key_column: str
    match_column: str
    match_field: Field
    slots: Sequence[Slot]
    types: Mapping[str, ColumnType]
    zone: ZoneInfo
    mode: str = "upsert"
    """A row that one mode left out may be sent in another."""

    @property
    def columns(self) -> list[str]:
        """The source columns that are read, each once, the key first."""
        wanted = [self.key_column, self.match_column, *(slot.column for slot in self.slots if slot.column)]
        return list(dict.fromkeys(wanted))

    def numbers(self) -> dict[str, int]:
        """The slot of each attribute."""
        return {slot.field.name: slot.number for slot in self.slots}

    def seed(self) -> int:
        """The digest of the layout. A change of any of it makes every row differ once, and sends nothing by itself."""
        described = {
            "version": digests.VERSION,
            "service": self.service.slug,
            "mode": self.mode,
            "match": [self.match_column, _describe(self.match_field)],
            "types": {name: self.types[name] for name in self.columns},
            "zone": str(self.zone),
            "slots": [[slot.number, slot.column, slot.value, slot.when_empty, slot.adds, _describe(slot.field)] for slot in self.slots],
        }
        return digests.of_text(json.dumps(described, sort_keys=True, default=str))


@dataclass(frozen=True)
class Rows:
    """A batch of rows as the destination would take them.

    Args:
        match: JSON of each row's match value; `identities` are what records are compared by.
        columns: what each slot of the layout makes of the rows, in the layout's order.
        refusals: the rows that can't be sent, with the first reason.
    """

    match: pl.Series
    identities: pl.Series
    columns: list[Converted]
    refusals: dict[int, Rejected]

    def raw(self, slots: Sequence[Slot], name: str, row: int) -> str:
        """What the source has for an attribute, as text; "" for nothing, and for a match that is no list."""
        found = [column.text[row] for slot, column in zip(slots, self.columns, strict=True) if slot.field.name == name]
        return str(found[0] or "")[:SHOWN_CHARACTERS] if found else ""

    def digests(self) -> tuple[np.ndarray, np.ndarray]:
        """The digest of each row's match value; and of its values, shape (rows, slots), 0 where one says nothing."""
        columns = [self.identities, *(column.json for column in self.columns)]
        found = digests.of_columns(pl.DataFrame([column.alias(str(place)) for place, column in enumerate(columns)]))
        return found[:, 0], found[:, 1:]

    def values(self, slots: Sequence[Slot]) -> pl.Series:
        """Each row's values as one JSON object by attribute; what says nothing is left out."""
        names = {place: orjson.dumps(slot.field.name).decode() + ":" for place, slot in enumerate(slots) if not slot.is_match}
        frame = pl.DataFrame({str(place): column.json for place, column in enumerate(self.columns)})
        members = [pl.lit(name) + pl.col(str(place)) for place, name in names.items()]
        if not members:
            return pl.Series(["{}"] * len(self.match), dtype=pl.String)
        joined = pl.concat_str(members, separator=",", ignore_nulls=True)
        return frame.select(pl.concat_str([pl.lit("{"), joined, pl.lit("}")]).alias("values"))["values"]


class Mapper:
    """Converts batches of rows by one layout, and remembers what it converted value by value."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        mapped = [slot for slot in layout.slots if slot.column and not slot.is_match]
        self.columns = [layout.match_column, *(slot.column for slot in mapped)]
        self.match = self._converter(layout.match_field, layout.match_column, KEEP)
        self.converters = [self.match, *(self._converter(slot.field, slot.column, slot.when_empty) for slot in mapped)]

    def convert(self, batch: pa.RecordBatch, texts: pl.DataFrame) -> Rows:
        """Converts rows of raw source values, with the layout's columns in their order, and the same as text."""
        places = [self.layout.columns.index(column) for column in self.columns]
        named = texts.select(pl.col(str(place)).alias(str(number)) for number, place in enumerate(places))
        match, *converted = convert(self.converters, [batch.column(place) for place in places], named)
        made = iter(converted)
        columns = [
            match if slot.is_match else next(made) if slot.column else self._fixed(slot, batch.num_rows) for slot in self.layout.slots
        ]
        refusals: dict[int, Rejected] = {}
        for column in [*reversed(columns), match]:
            refusals.update(column.refusals)
        for place in np.flatnonzero(match.json.is_null().to_numpy()):
            if place not in match.refusals:
                refusals[int(place)] = self._match_empty()
        return Rows(match.json, self._identities(match), columns, refusals)

    def further(self, batch: pa.RecordBatch, texts: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """What rows of the batch may be found by besides their first match value: the place of a row, and a digest."""
        layout = self.layout
        if not layout.match_field.multiple:
            return _NO_PLACES, _NO_PLACES
        column = layout.columns.index(layout.match_column)
        text = texts[str(column)]
        at = np.flatnonzero(text.str.contains(layout.service.several).fill_null(False).to_numpy())
        if not len(at):
            return at, at
        (several,) = convert([self.match], [batch.column(column).take(pa.array(at))], text.gather(at).alias("0").to_frame())
        found = [
            (place, name)
            for place, wire in zip(at.tolist(), several.json, strict=True)
            if wire is not None
            for name in layout.service.identities(layout.match_field, orjson.loads(wire))[1:]
        ]
        places, names = zip(*found, strict=True) if found else ((), ())
        return np.array(places, dtype=np.int64), digests.of_texts(pl.Series(names, dtype=pl.String))

    def _fixed(self, slot: Slot, count: int) -> Converted:
        """One value for all rows, or one refusal."""
        text: str | None = None
        refusals: dict[int, Rejected] = {}
        try:
            if not is_empty(slot.value):
                text = digests.canonical(self.layout.service.convert(slot.field, slot.value)).decode()
            elif slot.when_empty == CLEAR:
                text = digests.canonical(self.layout.service.empty(slot.field)).decode()
        except Rejected as refusal:
            named = Rejected(refusal.code, "Fixed value: " + refusal.message, detail=refusal.detail, field=refusal.field)
            refusals = dict.fromkeys(range(count), named)
        texts = pl.Series([text], dtype=pl.String).new_from_index(0, count)
        return Converted(texts, texts, np.zeros(count, dtype=bool), refusals)

    def _identities(self, match: Converted) -> pl.Series:
        """What each match value is compared by; a plain value is its own identity."""
        others = np.flatnonzero(~match.plain & match.json.is_not_null().to_numpy())
        found = [self.layout.service.identity(self.layout.match_field, orjson.loads(wire)) for wire in match.json.gather(others)]
        identities = match.text.set(pl.Series(~match.plain), None)
        return identities.scatter(others, pl.Series(found, dtype=pl.String)) if len(others) else identities

    def _converter(self, to: Field, column: str, when_empty: str) -> Converter:
        layout = self.layout
        kind = layout.types.get(column, ColumnType.TEXT)
        empty = (lambda: layout.service.empty(to)) if when_empty == CLEAR else None
        return Converter(layout.service, to, kind, layout.zone, empty, f"Column {column!r}: ")

    def _match_empty(self) -> Rejected:
        words = (
            f"The column {self.layout.match_column!r} is empty, so this record can't be found at the destination. Fill it in the source."
        )
        return Rejected("match_empty", words, field=self.layout.match_field.name)


def _describe(of: Field) -> list[Any]:
    return [of.name, of.type, of.multiple, of.writable, [[option.id, option.title] for option in of.options]]
