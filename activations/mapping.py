"""PURE. From a row of the source to the values that a destination takes, or the reason why it can't be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from activations import digests
from core.errors import Rejected
from destinations.contract import Field, Service
from segments.contract import ColumnType
from segments.values import natural

KEEP, CLEAR = "keep", "clear"


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

    @property
    def columns(self) -> list[str]:
        """The source columns that are read, each once, the key first."""
        wanted = [self.key_column, self.match_column, *(slot.column for slot in self.slots if slot.column)]
        return list(dict.fromkeys(wanted))

    def seed(self) -> int:
        """The digest of the layout. A change of any of it makes every row differ once, and sends nothing by itself."""
        described = {
            "version": digests.VERSION,
            "service": self.service.slug,
            "match": [self.match_column, _describe(self.match_field)],
            "types": {name: self.types[name] for name in self.columns},
            "zone": str(self.zone),
            "slots": [[slot.number, slot.column, slot.value, slot.when_empty, slot.adds, _describe(slot.field)] for slot in self.slots],
        }
        return digests.of_text(json.dumps(described, sort_keys=True, default=str))


@dataclass(frozen=True)
class Converted:
    """A row as the destination would take it: wire values by attribute, and a digest for each slot that says something."""

    match_value: Any
    identity: str
    values: dict[str, Any]
    digests: dict[int, int]


def convert(layout: Layout, row: Mapping[str, Any]) -> Converted:
    """Converts one row of raw source values.

    Raises:
        Rejected: the row can't be sent; `field` names the attribute, the message the column.
    """
    natural_row = {name: natural(value, layout.types[name], layout.zone) for name, value in row.items()}
    match_value, identity = _match(layout, natural_row[layout.match_column])
    values: dict[str, Any] = {}
    found: dict[int, int] = {}
    for slot in layout.slots:
        value = natural_row[slot.column] if slot.column else slot.value
        if is_empty(value) and slot.when_empty == KEEP:
            continue
        wire = _wire(layout.service, slot, value)
        values[slot.field.name] = wire
        found[slot.number] = digests.of_value(wire)
    return Converted(match_value, identity, values, found)


def is_empty(value: Any) -> bool:
    """Whether a source value says nothing: null, a blank text, an empty list or object."""
    return value is None or (not value.strip() if isinstance(value, str) else isinstance(value, list | dict) and not value)


def changed_slots(layout: Layout, converted: Converted, accepted: bytes, accepted_at: datetime | None) -> Iterator[Slot]:
    """The slots whose value differs from what the destination last accepted."""
    for slot in layout.slots:
        digest = converted.digests.get(slot.number)
        before = digests.unpack(accepted, slot.number)
        if digest is not None and digest != before and not _taken_as_sent(slot, before, accepted_at):
            yield slot


def _taken_as_sent(slot: Slot, before: int, accepted_at: datetime | None) -> bool:
    return before == 0 and slot.since is not None and accepted_at is not None and accepted_at < slot.since


def _match(layout: Layout, value: Any) -> tuple[Any, str]:
    name = layout.match_field.name
    if is_empty(value):
        raise Rejected(
            "match_empty",
            f"The column {layout.match_column!r} is empty, so this record can't be found at the destination. Fill it in the source.",
            field=name,
        )
    wire = _named(layout.match_column, lambda: layout.service.convert(layout.match_field, value))
    return wire, layout.service.identity(layout.match_field, wire)


def _wire(service: Service, slot: Slot, value: Any) -> Any:
    if is_empty(value):
        return _named(slot.column, lambda: service.empty(slot.field))
    return _named(slot.column, lambda: service.convert(slot.field, value))


def _named(column: str, action: Any) -> Any:
    """Runs a conversion; a refusal also names the column that the value came from."""
    try:
        return action()
    except Rejected as refusal:
        origin = f"Column {column!r}: " if column else "Fixed value: "
        raise Rejected(refusal.code, origin + refusal.message, detail=refusal.detail, field=refusal.field) from None


def _describe(of: Field) -> list[Any]:
    return [of.name, of.type, of.multiple, of.writable, [[option.id, option.title] for option in of.options]]
