"""The rules of a run in plain Python, written from the promises and not from the code, to compare whole runs with.

Everything is a dict or a small dataclass. Nothing is hashed, batched or stored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.activations.model_data import DOUBT, Mapping, Plan, RecordState, Row, Send
from tests.activations.vendor import MATCH, UNREADABLE, identity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass
class Rules:
    """The activation as it is configured, and the baseline that past runs left."""

    match_may_change: bool
    mode: str = "upsert"
    from_now_on: bool = False
    mappings: list[Mapping] = field(default_factory=list)
    baseline: dict[str, RecordState] = field(default_factory=dict)
    clock: int = 0

    def plan(self, rows: Sequence[Row], number: int, *, full: bool, by_person: bool) -> Plan:
        """The decision about every row. Changes nothing."""
        plan = Plan()
        keys = Counter(row["id"] for row in rows if usable(row["id"]))
        plan.keyless = sum(not usable(row["id"]) for row in rows)
        plan.keys = set(keys)
        plan.left = [
            key for key, record in self.baseline.items() if record.accepted and not record.left and key not in keys
        ]
        unique = [row for row in rows if usable(row["id"]) and keys[row["id"]] == 1]
        plan.invalid = {key: "duplicate" for key, count in keys.items() if count > 1}
        plan.invalid_rows = sum(count for count in keys.values() if count > 1)
        usable_rows = []
        for row in unique:
            if reason := self.unusable(row):
                plan.invalid[row["id"]] = reason
                plan.invalid_rows += 1
            else:
                usable_rows.append(row)
        matches = Counter(identity_of(row["match"]) for row in usable_rows)
        for row in usable_rows:
            if matches[identity_of(row["match"])] > 1:
                plan.invalid[row["id"]] = "twin"
                plan.invalid_rows += 1
            else:
                self._decide(plan, row, number, full, by_person)
        if self.mode != "insert":
            self._send_by_match(plan)
        return plan

    def _send_by_match(self, plan: Plan) -> None:
        """Makes known records go by their match value, and not by the vendor's ID.

        These are records that take a match value which another one gives up, and those whose record goes to a
        different key.
        """
        movers = {send.key: send for send in plan.sends if send.remote_id and MATCH in send.changed}
        chosen = {
            key
            for key, send in movers.items()
            for other in movers
            if other != key and self.baseline[other].identity == send.identity
        }
        while True:
            claims = {send.identity: send.key for send in plan.sends if not send.remote_id or send.key in chosen}
            displaced = {
                key
                for key, record in self.baseline.items()
                if record.accepted and claims.get(record.identity, key) != key
            }
            if displaced & movers.keys() <= chosen:
                break
            chosen |= displaced & movers.keys()
        for send in plan.sends:
            if send.key in chosen:
                send.remote_id, send.changed = "", list(send.values)

    def _decide(self, plan: Plan, row: Row, number: int, full: bool, by_person: bool) -> None:
        key, record = row["id"], self.baseline.get(row["id"], RecordState())
        if self._waits(record, row, number, full or by_person):
            plan.waiting.append(key)
        elif record.tried == "skipped" and record.tried_row == self.fingerprint(row) and not full:
            plan.skipped.append(key)
        elif (send := self.send(row, record, full)) is None:
            plan.unchanged.append(key)
        elif (
            record.accepted
            and self.mode == "insert"
            and (self.match_may_change or record.identity == identity_of(row["match"]))
        ):
            plan.skipped.append(key)
        else:
            plan.sends.append(send)

    def _waits(self, record: RecordState, row: Row, number: int, all_due: bool) -> bool:
        return (
            record.tried == "rejected"
            and record.tried_row == self.fingerprint(row)
            and number < record.due_run
            and not all_due
        )

    def send(self, row: Row, record: RecordState, full: bool) -> Send | None:
        """What would be written for a row; None if the vendor has all of it."""
        values = dict(self.values(row))
        if not record.accepted:
            return Send(row["id"], row, row["match"], values, list(values), True, record.remote_id)
        changed = [
            mapping.target
            for mapping in self.mappings
            if mapping.target in values and self._differs(mapping, values[mapping.target], record)
        ]
        moved = record.identity is DOUBT or record.identity != identity_of(row["match"])
        if full:
            changed = list(values)
        if not changed and not moved:
            return None
        if moved and not self.match_may_change:
            return Send(row["id"], row, row["match"], values, list(values), False, "")
        return Send(
            row["id"], row, row["match"], values, [*changed, *([MATCH] if moved else [])], False, record.remote_id
        )

    def _differs(self, mapping: Mapping, value: Any, record: RecordState) -> bool:
        if mapping.slot in record.values:
            return record.values[mapping.slot] is DOUBT or record.values[mapping.slot] != value
        return not self._predates(record, mapping)

    def _predates(self, record: RecordState, mapping: Mapping) -> bool:
        """Whether the mapping applies from now on, and the record was accepted before."""
        if mapping.from_now_on is None:
            return self.from_now_on
        return mapping.from_now_on and record.accepted_when < mapping.since

    def values(self, row: Row) -> Iterator[tuple[str, Any]]:
        """The attributes for which a row has something to send, with their values."""
        for mapping in self.mappings:
            if not empty(row[mapping.column]):
                yield mapping.target, row[mapping.column]
            elif mapping.clear:
                yield mapping.target, None

    def unusable(self, row: Row) -> str:
        """Why a row can't be sent, or ""."""
        if empty(row["match"]):
            return "match"
        return "value" if any(row[mapping.column] == UNREADABLE for mapping in self.mappings) else ""

    def fingerprint(self, row: Row) -> Any:
        """The row, mappings and mode of a rejection or skip. If any of it differs, the row is due immediately."""
        columns = ["match", *(mapping.column for mapping in self.mappings)]
        mappings = [(mapping.slot, mapping.column, mapping.clear) for mapping in self.mappings]
        return self.mode, [row[name] for name in columns], mappings

    # Effects

    def take_plan(self, plan: Plan, rows: Sequence[Row], *, counts: bool = True) -> None:
        """Applies the effects of a plan that was carried out completely.

        Args:
            counts: whether it was delivered. If not, because it was discarded, no record takes over a different one.
        """
        by_key = {row["id"]: row for row in rows}
        self.settle_new_mappings()
        if self.mode != "insert" and counts:
            for send in plan.sends:
                self._displace(send)
        for key in plan.left:
            self.baseline[key].left = True
        for key, record in self.baseline.items():
            if key not in plan.keys and not record.accepted:
                record.tried, record.attempts = "", 0
        for key in plan.keys & set(self.baseline):
            self.baseline[key].left = False
        for key, why in plan.invalid.items():
            self.record_of(key).tried = "invalid " + why
        for key in plan.skipped:
            record = self.record_of(key)
            record.tried, record.tried_row = "skipped", self.fingerprint(by_key[key])
        for key in plan.unchanged:
            record = self.baseline[key]
            record.tried, record.attempts = "", 0
            record.fill(self.mappings, dict(self.values(by_key[key])))

    def settle_new_mappings(self) -> None:
        """Applies that a run plans with mappings for the first time: the activation's choice is theirs from then on."""
        self.clock += 1
        for place, mapping in enumerate(self.mappings):
            if mapping.from_now_on is None:
                self.mappings[place] = replace(mapping, from_now_on=self.from_now_on, since=self.clock)

    def _displace(self, send: Send) -> None:
        """Applies that a record without a remote ID takes over whatever record has its match value."""
        if send.remote_id:
            return
        for key, record in self.baseline.items():
            if key != send.key and record.accepted and record.identity == send.identity:
                record.void()

    def record_of(self, key: str) -> RecordState:
        return self.baseline.setdefault(key, RecordState())

    def accepted(self, send: Send, remote_id: str) -> None:
        """Applies that the vendor accepted the record."""
        record = self.record_of(send.key)
        self.clock += 1
        sent = send.changed
        if remote_id != send.remote_id:
            sent = list(send.values)
            record.values.clear()
            record.unsent.clear()
        record.accepted, record.accepted_when = True, self.clock
        record.identity, record.remote_id = send.identity, remote_id
        record.tried, record.attempts, record.left = "", 0, False
        record.fill(self.mappings, dict(self.values(send.row)), sent)

    def rejected(self, send: Send, number: int, remote_id: str) -> None:
        """Applies that the vendor rejected the record: it is due at the next run, then after 2, 4, 8 … runs."""
        record = self.record_of(send.key)
        record.attempts += 1
        record.tried, record.tried_row = "rejected", self.fingerprint(send.row)
        record.due_run = number + 2 ** (record.attempts - 1)
        record.remote_id = remote_id
        self._assume(record, send)

    def _assume(self, record: RecordState, send: Send) -> None:
        """A mapping that applies from now on counts as accepted with the value that the record is first due with."""
        if record.accepted:
            left_out = [mapping for mapping in self.mappings if mapping.target not in send.changed]
            record.fill([mapping for mapping in left_out if mapping.slot not in record.values], dict(send.values))

    def skipped(self, send: Send) -> None:
        """Applies that the vendor lacks the record (update mode), or has it already (insert mode)."""
        record = self.record_of(send.key)
        record.tried, record.tried_row, record.attempts, record.remote_id = "skipped", self.fingerprint(send.row), 0, ""
        self._assume(record, send)

    def gone(self, key: str) -> None:
        """Applies that the record no longer exists at the vendor: nothing that was accepted counts."""
        record = self.record_of(key)
        record.values.update({mapping.slot: DOUBT for mapping in self.mappings})

    def unknown(self, send: Send) -> None:
        """Applies that the vendor's values are unknown: whatever was sent is sent again."""
        if record := self.baseline.get(send.key):
            record.tried = ""


def usable(key: Any) -> bool:
    return key is not None and bool(key.strip())


def empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
