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
from activations.columns import Converted, Converter, is_empty
from core.errors import Rejected
from destinations.contract import Field, Service
from segments.contract import ColumnType

KEEP, CLEAR = "keep", "clear"


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
    """Records accepted before this moment are taken to hold the value already (backfill: from now on)."""
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
        self.match = self._converter(layout.match_field, layout.match_column, KEEP)
        self.slots = [self._converter(slot.field, slot.column, slot.when_empty) for slot in layout.slots]

    def convert(self, batch: pa.RecordBatch) -> Rows:
        """Converts rows of raw source values, with the layout's columns in their order."""
        raw = dict(zip(self.layout.columns, batch.columns, strict=True))
        match = self.match.convert(raw[self.layout.match_column])
        columns = [
            match if slot.is_match else self._slot(slot, converter, raw, batch.num_rows)
            for slot, converter in zip(self.layout.slots, self.slots, strict=True)
        ]
        refusals: dict[int, Rejected] = {}
        for column in [*reversed(columns), match]:
            refusals.update(column.refusals)
        for place in np.flatnonzero(match.json.is_null().to_numpy()):
            if place not in match.refusals:
                refusals[int(place)] = self._match_empty()
        return Rows(match.json, self._identities(match), columns, refusals)

    def further(self, batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """What rows of the batch may be found by besides their first match value: the place of a row, and a digest."""
        layout = self.layout
        column = batch.columns[layout.columns.index(layout.match_column)]
        several = digests.as_text(column).str.contains(layout.service.several) if layout.match_field.multiple else None
        at = np.flatnonzero(several.fill_null(False).to_numpy()) if several is not None else np.empty(0, dtype=np.int64)
        if not len(at):
            return at, at
        found = [
            (place, name)
            for place, wire in zip(at.tolist(), self.match.convert(column.take(pa.array(at))).json, strict=True)
            if wire is not None
            for name in layout.service.identities(layout.match_field, orjson.loads(wire))[1:]
        ]
        places, names = zip(*found, strict=True) if found else ((), ())
        return np.array(places, dtype=np.int64), digests.of_texts(pl.Series(names, dtype=pl.String))

    def _slot(self, slot: Slot, converter: Converter, raw: Mapping[str, pa.Array], count: int) -> Converted:
        if slot.column:
            return converter.convert(raw[slot.column])
        return self._fixed(slot, count)

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
