"""What the model of the rules consists of: mappings, remembered records, and the plan of a run, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from destinations.contract import Verb
from tests.activations.vendor import MATCH, identity_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
"""The columns id, match, x, y, z of one row of the source."""


class _Doubt:
    """The value at the vendor if it is unknown. It equals no value."""

    def __repr__(self) -> str:
        return "DOUBT"


DOUBT = _Doubt()


@dataclass(frozen=True)
class Mapping:
    """A field mapping. `slot` is never used twice.

    Args:
        from_now_on: what was chosen when a run first planned with it; None before that, while the choice is open.
        since: when that was, to compare with `accepted_when`.
    """

    slot: int
    target: str
    column: str
    clear: bool = False
    from_now_on: bool | None = None
    since: int = 0


@dataclass
class RecordState:
    """What past runs stored about one key.

    Args:
        values: the accepted ones by slot.
        unsent: the slots of `values` that were never sent, because their mapping applies from now on.
    """

    accepted: bool = False
    accepted_when: int = 0
    identity: Any = ""
    remote_id: str = ""
    values: dict[int, Any] = field(default_factory=dict)
    unsent: set[int] = field(default_factory=set)
    tried: str = ""
    tried_row: Any = None
    due_run: int = 0
    attempts: int = 0
    left: bool = False

    def void(self) -> None:
        """Forgets what was accepted, because a different key takes the record over."""
        self.accepted, self.identity, self.remote_id = False, "", ""
        self.values, self.unsent = {}, set()

    def fill(self, mappings: Sequence[Mapping], values: dict[str, Any], sent: Sequence[str] = ()) -> None:
        """Stores the values of a row that was accepted or is unchanged. `sent`: the attributes that were written."""
        for mapping in mappings:
            if mapping.target in values:
                if mapping.target in sent:
                    self.unsent.discard(mapping.slot)
                elif mapping.slot not in self.values:
                    self.unsent.add(mapping.slot)
                self.values[mapping.slot] = values[mapping.target]
            elif mapping.from_now_on and mapping.slot not in self.values:
                # "From now on", and no value when the mapping was added: whatever value comes later is sent.
                self.values[mapping.slot] = DOUBT


@dataclass
class Send:
    """One record that a run has to write."""

    key: str
    row: Row
    match: Any
    values: dict[str, Any]
    changed: list[str]
    is_new: bool
    remote_id: str

    @property
    def identity(self) -> str:
        return identity_of(self.match)

    def first_requests(self, *, held_by: str, mode: str, there: bool) -> list[tuple[Verb, dict[str, Any]]]:
        """The write requests that deliver it if nothing fails.

        Args:
            held_by: the remote ID of the record that has its match value, or "".
            there: whether its own remote ID exists at the vendor.
        """
        whole = {**self.values, MATCH: self.match}
        changes = {name: whole[name] for name in self.changed}
        if self.remote_id and there:
            return [(Verb.UPDATE, changes)]
        gone = [(Verb.UPDATE, changes)] if self.remote_id else []
        if mode == "upsert":
            return [*gone, (Verb.UPSERT, whole)]
        if mode == "update":
            return [*gone, (Verb.UPDATE, self.values)] if held_by else gone
        return gone if held_by else [*gone, (Verb.CREATE, whole)]


@dataclass
class Plan:
    """What one run decides."""

    sends: list[Send] = field(default_factory=list)
    invalid: dict[str, str] = field(default_factory=dict)
    keyless: int = 0
    invalid_rows: int = 0
    waiting: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
