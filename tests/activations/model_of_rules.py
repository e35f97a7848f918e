"""The rules of a run in plain Python, written from the promises and not from the code: what the state machine compares with.

Everything is a dict or a small dataclass; nothing is hashed, batched or stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from destinations.contract import Verb
from tests.activations.vendor import MATCH, UNREADABLE, Request, identity_of

Row = dict[str, Any]
"""The columns id, match, x, y, z of one row of the source."""


class _Doubt:
    """What the vendor holds where nobody knows: equal to no value."""

    def __repr__(self) -> str:
        return "DOUBT"


DOUBT = _Doubt()


@dataclass(frozen=True)
class Map:
    """A mapping. `slot` is never used twice.

    Args:
        from_now_on: what was chosen when a run first planned with it; None before, when the choice is open.
        since: when that was, among the acceptances.
    """

    slot: int
    target: str
    column: str
    clear: bool = False
    from_now_on: bool | None = None
    since: int = 0


@dataclass
class Kept:
    """What is remembered of one key."""

    accepted: bool = False
    accepted_when: int = 0
    identity: Any = ""
    remote_id: str = ""
    held: dict[int, Any] = field(default_factory=dict)
    filled: set[int] = field(default_factory=set)
    """The slots of `held` that were never sent, since their mapping holds from now on."""
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
        """The write requests that deliver it where nothing goes wrong. `there`: its remote id exists at the vendor."""
        whole = {**self.values, MATCH: self.match}
        part = {name: whole[name] for name in self.changed}
        if self.remote_id and there:
            return [(Verb.UPDATE, part)]
        gone = [(Verb.UPDATE, part)] if self.remote_id else []
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
    met: set[str] = field(default_factory=set)


@dataclass
class Rules:
    """The activation as a person configured it, and everything that past runs made of it."""

    match_may_change: bool
    mode: str = "upsert"
    from_now_on: bool = False
    maps: list[Map] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    clock: int = 0

    def plan(self, rows: Sequence[Row], number: int, *, full: bool, by_person: bool) -> Plan:
        """Decides about every row, and changes nothing."""
        made = Plan()
        keys = Counter(row["id"] for row in rows if usable(row["id"]))
        made.keyless = sum(not usable(row["id"]) for row in rows)
        made.met = set(keys)
        made.left = [key for key, kept in self.kept.items() if kept.accepted and not kept.left and key not in keys]
        single = [row for row in rows if usable(row["id"]) and keys[row["id"]] == 1]
        made.invalid = {key: "duplicate" for key, count in keys.items() if count > 1}
        made.invalid_rows = sum(count for count in keys.values() if count > 1)
        good = []
        for row in single:
            if why := self.unusable(row):
                made.invalid[row["id"]] = why
                made.invalid_rows += 1
            else:
                good.append(row)
        matches = Counter(identity_of(row["match"]) for row in good)
        for row in good:
            if matches[identity_of(row["match"])] > 1:
                made.invalid[row["id"]] = "twin"
                made.invalid_rows += 1
            else:
                self._decide(made, row, number, full, by_person)
        if self.mode != "insert":
            self._send_by_match(made)
        return made

    def _send_by_match(self, made: Plan) -> None:
        """Known records that take a match which another one leaves, or whose record goes to another key, go by their match."""
        movers = {send.key: send for send in made.sends if send.remote_id and MATCH in send.changed}
        chosen = {key for key, send in movers.items() for other in movers if other != key and self.kept[other].identity == send.identity}
        while True:
            claims = {send.identity: send.key for send in made.sends if not send.remote_id or send.key in chosen}
            robbed = {key for key, kept in self.kept.items() if kept.accepted and claims.get(kept.identity, key) != key}
            if robbed & movers.keys() <= chosen:
                break
            chosen |= robbed & movers.keys()
        for send in made.sends:
            if send.key in chosen:
                send.remote_id, send.changed = "", list(send.values)

    def _decide(self, made: Plan, row: Row, number: int, full: bool, by_person: bool) -> None:
        key, kept = row["id"], self.kept.get(row["id"], Kept())
        if self._waits(kept, row, number, full or by_person):
            made.waiting.append(key)
        elif kept.tried == "skipped" and kept.tried_row == self.look(row) and not full:
            made.skipped.append(key)
        elif (send := self.send(row, kept, full)) is None:
            made.unchanged.append(key)
        elif kept.accepted and self.mode == "insert" and (self.match_may_change or kept.identity == identity_of(row["match"])):
            made.skipped.append(key)
        else:
            made.sends.append(send)

    def _waits(self, kept: Kept, row: Row, number: int, all_due: bool) -> bool:
        return kept.tried == "rejected" and kept.tried_row == self.look(row) and number < kept.due_run and not all_due

    def send(self, row: Row, kept: Kept, full: bool) -> Send | None:
        """What would be written for a row, None where the vendor holds all of it."""
        values = dict(self.values(row))
        if not kept.accepted:
            return Send(row["id"], row, row["match"], values, list(values), True, kept.remote_id)
        changed = [one.target for one in self.maps if one.target in values and self._differs(one, values[one.target], kept)]
        moved = kept.identity is DOUBT or kept.identity != identity_of(row["match"])
        if full:
            changed = list(values)
        if not changed and not moved:
            return None
        if moved and not self.match_may_change:
            return Send(row["id"], row, row["match"], values, list(values), False, "")
        return Send(row["id"], row, row["match"], values, [*changed, *([MATCH] if moved else [])], False, kept.remote_id)

    def _differs(self, one: Map, value: Any, kept: Kept) -> bool:
        if one.slot in kept.held:
            return kept.held[one.slot] is DOUBT or kept.held[one.slot] != value
        return not self._predates(one, kept)

    def _predates(self, one: Map, kept: Kept) -> bool:
        """Whether the mapping holds from now on, and the record was there before."""
        if one.from_now_on is None:
            return self.from_now_on
        return one.from_now_on and kept.accepted_when < one.since

    def values(self, row: Row) -> Iterator[tuple[str, Any]]:
        """The attributes that a row says something about."""
        for one in self.maps:
            if not empty(row[one.column]):
                yield one.target, row[one.column]
            elif one.clear:
                yield one.target, None

    def unusable(self, row: Row) -> str:
        """Why a row can't be sent as it is, "" where it can."""
        if empty(row["match"]):
            return "match"
        return "value" if any(row[one.column] == UNREADABLE for one in self.maps) else ""

    def look(self, row: Row) -> Any:
        """All of a row, the mappings and the mode that a refusal was about: where it differs, the row is due at once."""
        columns = ["match", *(one.column for one in self.maps)]
        return self.mode, [row[name] for name in columns], [(one.slot, one.column, one.clear) for one in self.maps]

    # What becomes of it

    def take_plan(self, made: Plan, rows: Sequence[Row]) -> None:
        """The effects of a plan that was carried to its end."""
        by_key = {row["id"]: row for row in rows}
        self._settle_choices()
        if self.mode != "insert":
            for send in made.sends:
                self._rob(send)
        for key in made.left:
            self.kept[key].left = True
        for key in made.met & set(self.kept):
            self.kept[key].left = False
        for key, why in made.invalid.items():
            self.remember(key).tried = "invalid " + why
        for key in made.skipped:
            kept = self.remember(key)
            kept.tried, kept.tried_row = "skipped", self.look(by_key[key])
        for key in made.unchanged:
            kept = self.kept[key]
            kept.tried, kept.attempts = "", 0
            self._fill(kept, by_key[key])

    def _settle_choices(self) -> None:
        """What the activation says of added mappings holds for good for those that were planned with for the first time."""
        self.clock += 1
        for place, one in enumerate(self.maps):
            if one.from_now_on is None:
                self.maps[place] = replace(one, from_now_on=self.from_now_on, since=self.clock)

    def _rob(self, send: Send) -> None:
        """A record without an id to go by takes over what the vendor has with its match: no longer another key's."""
        if send.remote_id:
            return
        for key, kept in self.kept.items():
            if key != send.key and kept.accepted and kept.identity == send.identity:
                kept.accepted, kept.identity, kept.remote_id, kept.held, kept.filled = False, "", "", {}, set()

    def remember(self, key: str) -> Kept:
        return self.kept.setdefault(key, Kept())

    def accepted(self, send: Send, remote_id: str) -> None:
        """The vendor took it."""
        kept = self.remember(send.key)
        self.clock += 1
        sent = send.changed
        if remote_id != send.remote_id:
            sent = list(send.values)
            kept.held.clear()
            kept.filled.clear()
        kept.accepted, kept.accepted_when, kept.identity, kept.remote_id = True, self.clock, send.identity, remote_id
        kept.tried, kept.attempts, kept.left = "", 0, False
        self._fill(kept, send.row, sent)

    def _fill(self, kept: Kept, row: Row, sent: Sequence[str] = ()) -> None:
        values = dict(self.values(row))
        for one in self.maps:
            if one.target in values:
                self._note_filled(kept, one, sent)
                kept.held[one.slot] = values[one.target]
            elif one.from_now_on and one.slot not in kept.held:
                # From now on: nothing was said when it was added, so that whatever is said later is news.
                kept.held[one.slot] = DOUBT

    def _note_filled(self, kept: Kept, one: Map, sent: Sequence[str]) -> None:
        if one.target in sent:
            kept.filled.discard(one.slot)
        elif one.slot not in kept.held:
            kept.filled.add(one.slot)

    def refused(self, send: Send, number: int, remote_id: str) -> None:
        """The vendor refused it: due at the next run, then after 2, 4, 8 … runs."""
        kept = self.remember(send.key)
        kept.attempts += 1
        kept.tried, kept.tried_row, kept.due_run = "rejected", self.look(send.row), number + 2 ** (kept.attempts - 1)
        kept.remote_id = remote_id

    def skipped(self, send: Send) -> None:
        """Update mode: the vendor has no such record. Insert mode: it has one already."""
        kept = self.remember(send.key)
        kept.tried, kept.tried_row, kept.attempts, kept.remote_id = "skipped", self.look(send.row), 0, ""

    def gone(self, key: str) -> None:
        """The vendor has no such record any more: nothing that was accepted counts."""
        kept = self.remember(key)
        kept.held.update({one.slot: DOUBT for one in self.maps})

    def unknown(self, send: Send) -> None:
        """Nobody knows what the vendor holds: whatever it was about is sent again."""
        if kept := self.kept.get(send.key):
            kept.tried = ""


def usable(key: Any) -> bool:
    return key is not None and bool(key.strip())


def empty(value: Any) -> bool:
    return value is None or isinstance(value, str) and not value.strip()


def written(requests: Sequence[Request]) -> Counter[tuple[str, Verb, str]]:
    """Requests as they can be counted: whom they were about, how, and what they held."""
    return Counter((request.identity, request.verb, repr(sorted(request.values.items()))) for request in requests)
