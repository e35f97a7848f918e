"""PURE. The decisions about one record, newest first, each with the fields that it changed: former and new values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

MISSING = object()


@dataclass(frozen=True)
class Decided:
    """A change of the record, as stored.

    Args:
        outcome: a value of `Change.Outcome`; "" if it is not settled.
        values: what was to be sent, by attribute.
        changed: the attributes that differ from what was accepted before.
        sent: the attributes that were accepted.
        field: the attribute that a rejection is about.
        kept: why write policies left attributes as they are, by attribute.
    """

    activation: int
    at: datetime
    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict)
    changed: Sequence[str] = ()
    sent: Sequence[str] = ()
    field: str = ""
    dry_run: bool = False
    kept: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Difference:
    """A field of a change.

    Args:
        before: the value that was accepted last; MISSING if none is known.
        refused: the rejection is about this field.
        kept: why a write policy left the field as it is; "" if none did.
    """

    name: str
    before: Any
    after: Any
    refused: bool = False
    kept: str = ""

    @property
    def has_former(self) -> bool:
        return self.before is not MISSING and self.before != self.after


def differences(decided: Iterable[Decided]) -> list[list[Difference]]:
    """The fields of each change, in the order of the changes.

    Args:
        decided: the oldest first.
    """
    accepted: dict[tuple[int, str], Any] = {}
    found = []
    for change in decided:
        names = dict.fromkeys([*change.sent, *change.changed, *(change.kept or ())]) or change.values
        if change.field:
            names = dict.fromkeys([*names, change.field])
        found.append([_difference(change, name, accepted) for name in names if name in change.values])
        if change.outcome == "accepted" and not change.dry_run:
            accepted |= {(change.activation, name): change.values.get(name) for name in change.sent}
        elif change.outcome == "matched" and not change.dry_run:
            equal = {name: value for name, value in change.values.items() if name not in (change.kept or ())}
            accepted |= {(change.activation, name): value for name, value in equal.items()}
    return found


def _difference(change: Decided, name: str, accepted: Mapping[tuple[int, str], Any]) -> Difference:
    before = accepted.get((change.activation, name), MISSING)
    refused = name == change.field and change.outcome == "rejected"
    return Difference(name, before, change.values[name], refused, (change.kept or {}).get(name, ""))
