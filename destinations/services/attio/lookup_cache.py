"""What look-ups saw of records that are written next, so that those need not be read once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.contract import Wire

MOST = 5_000
PARTED = ("location", "personal-name")
"""Types whose values are kept: those of which parts may be mapped."""


@dataclass(frozen=True)
class Glance:
    """A record as a look-up saw it; without an id, that there was none."""

    record_id: str = ""
    values: Mapping[str, Any] | None = None


class Glances:
    """By match value; each is good for one write. Safe for many threads."""

    def __init__(self) -> None:
        self._held: dict[str, Glance] = {}

    def note(self, identity: str, record: Mapping[str, Any] | None) -> None:
        """Keeps what was seen under a match value; None where no record has it."""
        if len(self._held) >= MOST:
            self._held.clear()
        self._held[identity] = (
            Glance(record["id"]["record_id"], _parted(record.get("values") or {})) if record else Glance()
        )

    def take(self, match_value: Wire, remote_id: str = "") -> Mapping[str, Any] | None:
        """The values of the one record with this match value, empty where there is none; None where nobody looked.

        Args:
            remote_id: the record that is meant, where that is known.
        """
        found = [self._held.pop(name, None) for name in _identities(match_value)]
        seen = [glance for glance in found if glance]
        records = {glance.record_id: glance for glance in seen if glance.record_id}
        if len(seen) < len(found) or len(records) > 1 or (remote_id and remote_id not in records):
            return None
        return next((glance.values or {} for glance in records.values()), {})


def _parted(values: Mapping[str, Any]) -> dict[str, Any]:
    return {slug: entries for slug, entries in values.items() if entries and entries[0].get("attribute_type") in PARTED}


def _identities(match_value: Wire) -> Sequence[str]:
    several = match_value if isinstance(match_value, list) else [match_value]
    return [wire if isinstance(wire, str) else json.dumps(wire, sort_keys=True) for wire in several]
