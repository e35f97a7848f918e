"""Values of records that a lookup has just returned, so that the write that follows need not read them again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.contract import Wire

MAX_ENTRIES = 5_000
COMPOUND_TYPES = ("location", "personal-name")
"""The types whose values are cached: those whose parts can be mapped separately."""


@dataclass(frozen=True)
class CachedRecord:
    """A record as a lookup returned it. Without an ID, the lookup found no record."""

    record_id: str = ""
    values: Mapping[str, Any] | None = None


class LookupCache:
    """Lookup results by match value. Each is used for one write. Safe for many threads."""

    def __init__(self) -> None:
        self._entries: dict[str, CachedRecord] = {}

    def store(self, identity: str, record: Mapping[str, Any] | None) -> None:
        """Caches the record with this match value; None if no record has it."""
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.clear()
        self._entries[identity] = (
            CachedRecord(record["id"]["record_id"], _compound_values(record.get("values") or {}))
            if record
            else CachedRecord()
        )

    def take(self, match_value: Wire, remote_id: str = "") -> Mapping[str, Any] | None:
        """Removes and returns the values of the record with this match value: empty if there is no such record.

        None if the cache can't answer: a match value was not looked up, or the values belong to different records.

        Args:
            remote_id: the ID of the expected record, if it is known.
        """
        popped = [self._entries.pop(name, None) for name in _identities(match_value)]
        cached = [entry for entry in popped if entry]
        records = {entry.record_id: entry for entry in cached if entry.record_id}
        if len(cached) < len(popped) or len(records) > 1 or (remote_id and remote_id not in records):
            return None
        return next((entry.values or {} for entry in records.values()), {})


def _compound_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        slug: entries
        for slug, entries in values.items()
        if entries and entries[0].get("attribute_type") in COMPOUND_TYPES
    }


def _identities(match_value: Wire) -> Sequence[str]:
    wires = match_value if isinstance(match_value, list) else [match_value]
    return [wire if isinstance(wire, str) else json.dumps(wire, sort_keys=True) for wire in wires]
