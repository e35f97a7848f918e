"""Compares a run that ended with the model of the rules: counts, outcomes, requests and the vendor's records."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from activations import digests
from activations.models import Activation, Change, Record, Run
from activations.runs import requests as runs
from destinations.contract import Verb
from tests.activations.model_data import DOUBT, Plan, Row, Send
from tests.activations.model_of_rules import Rules, empty
from tests.activations.vendor import ATTRIBUTES, MATCH, Request, Vendor, identity_of, request_counts

if TYPE_CHECKING:
    from tests.activations.environment import Environment


class Comparison(RuleBasedStateMachine):
    """The state of one sequence, and what must hold whenever a run ends."""

    environment: ClassVar[Environment]

    def __init__(self) -> None:
        super().__init__()
        Activation.objects.all().delete()
        self.vendor = self.environment.platform.vendor = Vendor()
        self.expected: dict[str, dict[str, Any]] = {}
        self.rows: list[Row] = []
        self.read: list[Row] = []
        self.dirty = True
        self.model = Rules(self.environment.service.match_may_change)
        self.live: Run | None = None
        self.disturbed, self.kills, self.faults = False, 0, 0
        self.full, self.guarded = False, False
        self.there: dict[str, str] = {}
        self.shared: set[str] = set()
        self.activation = Activation.objects.create(
            name="Things",
            model=self.environment.model,
            destination=self.environment.destination,
            match_column="match",
            match_field=MATCH,
            hold_first_creates=False,
            hold_empty=False,
        )

    @property
    def is_held(self) -> bool:
        """Whether the live run waits for approval."""
        return self.live is not None and self.live.state == Run.State.HELD

    def _compare_held(self, run: Run) -> None:
        """Nothing was sent, and no different run starts before a person has decided."""
        plan = self.model.plan(self.read, run.number, full=self.full, by_person=run.trigger == "manual")
        assert self._creates(plan)
        assert (self.vendor.requests, [hold["kind"] for hold in run.hold]) == ([], ["creates"])
        self._compare_counts(run, plan, settled=False)
        with pytest.raises(runs.Held):
            runs.request(self.activation, "schedule", enqueue=False)

    def _creates(self, plan: Plan) -> bool:
        return self.model.mode != "update" and any(send.is_new for send in plan.sends)

    def _compare(self, done: Run) -> None:
        by_person = done.trigger == "manual"
        plan = self.model.plan(self.read, done.number, full=self.full, by_person=by_person)
        if done.state == "cancelled" and not done.rows + done.left and (self.read or plan.left):
            # Cancelled before the source was read: nothing may have been decided but what new mappings apply to.
            assert (done.planned, done.changes.count(), self.vendor.requests) == (0, 0, [])
            self.model.settle_new_mappings()
            return
        self._compare_counts(done, plan, settled=not done.dry_run)
        if done.dry_run:
            assert (done.state, self.vendor.requests) == ("planned", [])
            return
        assert not done.changes.exclude(state="settled").exists()
        changes = {
            change.key: change for change in done.changes.exclude(outcome="invalid").filter(match_identity__gt="")
        }
        assert set(changes) == {send.key for send in plan.sends}
        self._compare_reasons(done, plan)
        if self.guarded and not done.decision:
            assert self.disturbed or not self._creates(plan)
        self.model.take_plan(plan, self.read, counts=done.decision != Run.Decision.DISCARDED)
        self._note_fills(plan)
        for send in plan.sends:
            self._settle(done, send, changes[send.key])
        self._compare_state(done)
        if done.decision != Run.Decision.DISCARDED:
            self._compare_requests(plan)
        assert self.vendor.records == self.expected
        self._compare_promise(done, plan, changes)

    def _compare_counts(self, done: Run, plan: Plan, *, settled: bool) -> None:
        delivered_skips = done.changes.filter(outcome="skipped").exclude(match_identity="").count()
        new = sum(send.is_new for send in plan.sends)
        counts = {
            "full": done.kind == "full", "rows": done.rows, "invalid": done.invalid, "waiting": done.waiting,
            "left": done.left, "new": done.new, "known": done.known, "planned": done.planned,
            "unchanged": done.unchanged, "skipped": done.skipped - delivered_skips,
        }  # fmt: skip
        expected = {
            "full": self.full, "rows": len(self.read), "invalid": plan.keyless + plan.invalid_rows,
            "waiting": len(plan.waiting), "left": len(plan.left), "new": new, "known": len(plan.sends) - new,
            "planned": len(plan.sends), "unchanged": len(plan.unchanged), "skipped": len(plan.skipped),
        }  # fmt: skip
        if self.model.mode == "insert":
            # Insert mode ignores known records, whether their rows changed or not.
            counts["unchanged"] += counts.pop("skipped")
            expected["unchanged"] += expected.pop("skipped")
        assert counts == expected
        assert done.rows == done.unchanged + done.waiting + done.planned + done.invalid + done.skipped - delivered_skips
        if settled:
            assert done.planned == done.accepted + done.rejected + done.unknown + done.not_sent + delivered_skips

    def _compare_reasons(self, done: Run, plan: Plan) -> None:
        """Every row that became invalid in this run is listed with a reason."""
        listed = set(done.changes.filter(outcome="invalid").values_list("key", flat=True))
        before = {key: record.tried for key, record in self.model.baseline.items()}
        assert {key for key, reason in plan.invalid.items() if before.get(key) != "invalid " + reason} <= listed

    def _settle(self, done: Run, send: Send, change: Change) -> None:
        """Checks the outcome of one record, and applies it to the model."""
        requests = [request for request in self.vendor.requests if request.identity == send.identity]
        outcome = change.outcome
        allowed = {"not_sent"} if done.decision == Run.Decision.DISCARDED else self._allowed(send, requests)
        assert outcome in allowed, (send, requests)
        if outcome == "accepted":
            remote_id = self._written_to(send, requests)
            self._expect(send, remote_id)
            self.model.accepted(send, remote_id)
        elif outcome == "rejected":
            self.model.rejected(send, done.number, "" if send.remote_id not in self.there else send.remote_id)
        elif outcome == "skipped":
            self.model.skipped(send)
        elif outcome == "unknown":
            self.model.unknown(send)
        if outcome in ("rejected", "skipped") and send.remote_id and send.remote_id not in self.there:
            self.model.gone(send.key)
        if outcome != "accepted":
            self._compare_doubt(send, requests, outcome)

    def _allowed(self, send: Send, requests: list[Request]) -> set[str]:
        """The outcomes that the rules allow for a record."""
        results = {request.result for request in requests}
        if self.disturbed:
            possible = {"unknown", "not_sent"}
            possible |= (
                {"accepted"} if "written" in results or (self.model.mode == "insert" and not send.changed) else set()
            )
            possible |= {"rejected"} if "rejected" in results else set()
            return possible | ({"skipped"} if self.model.mode != "upsert" else set())
        expected = send.first_requests(
            held_by=self._holder_before(send), mode=self.model.mode, there=send.remote_id in self.there
        )
        if not any(
            verb is not Verb.UPDATE or send.remote_id in self.there or self._holder_before(send) for verb, _ in expected
        ):
            return {"skipped"}
        verb, values = expected[-1]
        if self.vendor.rejected & set(values.values()):
            return {"rejected"}
        if self.model.match_may_change and MATCH in send.changed and verb is Verb.UPDATE:
            # The other record may have moved away by then, or not: that depends on which is sent first.
            return {"rejected"} if "rejected" in results else {"accepted"}
        return {"accepted"}

    def _written_to(self, send: Send, requests: list[Request]) -> str:
        """The vendor's ID of the record that was written, which belongs to this key from then on."""
        written_to = [request.remote_id for request in requests if request.result == "written"]
        remote_id = written_to[-1] if written_to else self.vendor.holder(send.identity)
        if any(record.remote_id == remote_id for key, record in self.model.baseline.items() if key != send.key):
            self.shared.add(remote_id)
        return remote_id

    def _holder_before(self, send: Send) -> str:
        return next((remote_id for remote_id, identity in self.there.items() if identity == send.identity), "")

    def _expect(self, send: Send, remote_id: str) -> None:
        """Notes the vendor's expected record after a write that it accepted."""
        assert remote_id
        known = self.expected.get(remote_id)
        if known is None or remote_id != send.remote_id:
            self.expected.setdefault(remote_id, {**dict.fromkeys(ATTRIBUTES), MATCH: send.match}).update(send.values)
        else:
            whole = {**send.values, MATCH: send.match}
            known.update({name: whole[name] for name in send.changed})

    def _note_fills(self, plan: Plan) -> None:
        """A row may be found to share its key or match before or after its slots from now on were filled.

        Nothing is sent for it either way. A filled slot only says more about when its value changes.
        """
        for record in Record.objects.filter(key__in=plan.invalid, accepted_at__isnull=False):
            state = self.model.baseline[record.key]
            values = [dict(self.model.values(row)) for row in self.read if row["id"] == record.key]
            for mapping in self.model.mappings:
                digest = digests.unpack(bytes(record.field_digests), mapping.slot)
                if mapping.from_now_on and digest and mapping.slot not in state.values:
                    given = [row[mapping.target] for row in values if mapping.target in row]
                    held = (value for value in given if digests.of_value(value) == digest)
                    state.values[mapping.slot] = next(held, DOUBT)
                    state.unsent.add(mapping.slot)

    def _compare_doubt(self, send: Send, requests: list[Request], outcome: str) -> None:
        """Values that an unanswered write may have changed must be in doubt, so that the next run sends them.

        That holds whatever the source contains by then.
        """
        applied = [request for request in requests if request.result == "written"]
        record = Record.objects.filter(key=send.key).first()
        state = self.model.baseline.get(send.key)
        for request in applied:
            self.expected.setdefault(request.remote_id, {}).update(self.vendor.records[request.remote_id])
        if not state or not record or not state.accepted:
            return
        if not applied and outcome != "unknown" and not self.disturbed:
            return
        for mapping in self.model.mappings:
            if digests.unpack(bytes(record.field_digests), mapping.slot) in (0, 1) and mapping.slot in state.values:
                state.values[mapping.slot] = DOUBT
        if record.match_digest == 0:
            state.identity = DOUBT
        for request in applied:
            for mapping in self.model.mappings:
                if mapping.target in request.values and mapping.slot in state.values:
                    assert state.values[mapping.slot] in (DOUBT, request.values[mapping.target]), (send, outcome)
        if not record.tried:
            state.tried = ""

    def _compare_state(self, done: Run) -> None:
        if done.decision == Run.Decision.DISCARDED:
            assert (done.state, done.accepted, self.vendor.requests) == ("cancelled", 0, [])
        elif self.disturbed:
            assert done.state in ("succeeded", "completed_with_warnings", "cancelled", "failed")
        if done.state == "succeeded":
            assert not done.rejected + done.unknown + done.not_sent + done.invalid + done.waiting

    def _compare_requests(self, plan: Plan) -> None:
        """Exactly the writes of the plan were sent. After a kill or a fault, the same ones may be repeated."""
        expected: Counter[Any] = Counter()
        for send in plan.sends:
            for verb, first in send.first_requests(
                held_by=self._holder_before(send), mode=self.model.mode, there=send.remote_id in self.there
            ):
                expected[send.identity, verb, repr(sorted(first.items()))] += 1
        sent = request_counts(self.vendor.requests)
        if self.disturbed:
            whole = {send.identity: {**send.values, MATCH: send.match} for send in plan.sends}
            for identity, verb, values in sent:
                assert identity in whole
                assert (
                    (identity, verb, values) in expected
                    or verb is not Verb.UPDATE
                    or values == repr(sorted(whole[identity].items()))
                )
            # One request at a time: a kill repeats one batch, which takes two requests if the first finds no record.
            batch = self.environment.service.limits.write_batch
            assert sent.total() <= expected.total() + batch * (2 * self.kills + self.faults)
        else:
            assert sent == expected

    def _compare_promise(self, done: Run, plan: Plan, changes: dict[str, Change]) -> None:
        """For every row that counts as unchanged or accepted, the destination has the values of the source.

        The only exception is a value that was never sent because its mapping applies from now on, whatever the
        activation's choice for later mappings is by then.
        """
        if self.model.mode == "insert":
            return
        certain = {*plan.unchanged, *(key for key, change in changes.items() if change.outcome == "accepted")}
        for row in self.read:
            state = self.model.baseline.get(row["id"])
            if (
                row["id"] not in certain
                or state is None
                or state.remote_id not in set(self.vendor.records) - self.shared
            ):
                continue
            there = self.vendor.records[state.remote_id]
            assert identity_of(there[MATCH]) == identity_of(row["match"])
            for mapping in self.model.mappings:
                if mapping.slot not in state.unsent and (mapping.clear or not empty(row[mapping.column])):
                    assert there[mapping.target] == (None if empty(row[mapping.column]) else row[mapping.column]), (
                        row,
                        mapping,
                    )
