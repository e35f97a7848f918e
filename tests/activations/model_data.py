"""What the model of the rules consists of: mappings, remembered records, and the plan of a run, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from destinations.contract import Verb
from tests.activations.vendor import MATCH, identity_of

Row = dict[str, Any]
"""The columns id, match, x, y, z of one row of the source."""


class _Doubt:
    """The value at the vendor if it is unknown. It equals no value."""

    def __repr__(self) -> str:
        return "DOUBT"


DOUBT = _Doubt()


@dataclass(frozen=True)
class Mapping:
    """A field mapping. `slot` is never used twice. `since` compares with `accepted_when` for "from now on"."""

    slot: int
    target: str
    column: str
    clear: bool = False
    since: int = 0


@dataclass
class RecordState:
    """What past runs stored about one key. `values` are the accepted ones by slot."""

    accepted: bool = False
    accepted_when: int = 0
    identity: Any = ""
    remote_id: str = ""
    values: dict[int, Any] = field(default_factory=dict)
    tried: str = ""
    tried_row: Any = None
    due_run: int = 0
    attempts: int = 0
    left: bool = False


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
