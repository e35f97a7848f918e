"""PURE. Everything that decides how a row becomes a record: the attributes with their sources, and the match."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activations import digests, text_template

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from destinations.contract import Field, Service
    from segments.contract import ColumnType

KEEP, CLEAR = "keep", "clear"
CONVERSIONS = 2
"""Increased when conversions change, so that every row is converted once more. Values that stay equal are not sent."""


@dataclass(frozen=True)
class Slot:
    """One attribute at the destination and the source of its value; `number` is its position in a record's digests."""

    number: int
    field: Field
    column: str = ""
    value: Any = None
    when_empty: str = KEEP
    adds: bool = False
    since: datetime | None = None
    """Records that were accepted before this time are assumed to have the value already."""
    country: str = ""
    """The country of national phone numbers, as ISO alpha-2."""
    template: str = ""
    """Text with columns in braces, instead of one column."""
    rounds: bool = False
    """Whether numbers are rounded to whole ones, halves away from zero."""
    is_match: bool = False
    """Whether it only tracks changes of a match that is a list. Its value is sent as the match, not as an attribute."""

    @property
    def columns(self) -> list[str]:
        """The source columns that it reads; none for a fixed value."""
        return text_template.columns(self.template) if self.template else [self.column] if self.column else []

    def description(self) -> list[Any]:
        """Everything about it that decides what is sent. Later options stand in it only if they are set.

        Otherwise, the digests of rows that were stored before an option existed would no longer apply.
        """
        options = {name: value for name, value in (("template", self.template), ("round", self.rounds)) if value}
        described = [self.number, self.column, self.value, self.when_empty, self.adds, self.country]
        return [*described, _describe(self.field), *([options] if options else [])]


@dataclass(frozen=True)
class Layout:
    """Everything that decides how a row becomes a record. Equal rows have equal digests if their layouts are equal."""

    service: Service
    key_column: str
    match_column: str
    match_field: Field
    slots: Sequence[Slot]
    types: Mapping[str, ColumnType]
    zone: ZoneInfo
    spelled: Collection[ColumnType] = ()
    """The types whose values the source's files spell as text."""
    mode: str = "upsert"
    """Part of the digest, because a row that one mode skips may be sent in a different mode."""

    @property
    def columns(self) -> list[str]:
        """The source columns to read, without duplicates, the key first."""
        names = [self.key_column, self.match_column, *(name for slot in self.slots for name in slot.columns)]
        return list(dict.fromkeys(names))

    def numbers(self) -> dict[str, int]:
        """The slot number of each attribute."""
        return {slot.field.name: slot.number for slot in self.slots}

    def seed(self) -> int:
        """The digest of the layout, which seeds the row digests.

        Any change makes every row differ once. That costs one conversion per row, and sends nothing on its own.
        """
        description = {
            "version": digests.VERSION,
            "conversions": CONVERSIONS,
            "spelled": sorted(self.spelled),
            "service": self.service.slug,
            "mode": self.mode,
            "match": [self.match_column, _describe(self.match_field)],
            "types": {name: self.types[name] for name in self.columns},
            "zone": str(self.zone),
            "slots": [slot.description() for slot in self.slots],
        }
        return digests.of_text(json.dumps(description, sort_keys=True, default=str))


def _describe(field: Field) -> list[Any]:
    options = [[option.id, option.title] for option in field.options]
    return [field.name, field.type, field.multiple, field.writable, options]
