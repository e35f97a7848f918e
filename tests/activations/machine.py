"""Whole runs against a plain model of the rules, over sequences of events that nobody thought of.

`test_machine.py` runs it; what it found is kept in `test_found.py`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from activations import digests, finish, runs
from activations.execute import execute
from activations.lease import Lease
from activations.models import Activation, Change, FieldMapping, Record, Run
from destinations.contract import Verb
from destinations.models import Connection, Destination
from destinations.registry import platforms, services
from segments.discovery import refresh_columns
from segments.models import DataModel, Source
from tests.activations.model_of_rules import DOUBT, Map, Plan, Row, Rules, Send, empty, written
from tests.activations.vendor import (
    ATTRIBUTES,
    KILLED_AFTER,
    KILLED_BEFORE,
    LOST_AFTER,
    LOST_BEFORE,
    MATCH,
    THROTTLED,
    UNREACHABLE,
    Killed,
    Memory,
    Movable,
    Request,
    Vendor,
    identity_of,
)

TRIES = 3
BREAKER = 4
SMALL = {
    "deliver.FIRST_PLACES": 1,
    "deliver.MOST_PLACES": 1,
    "deliver.CHUNK": 3,
    "deliver.CANCEL_SECONDS": 0.0,
    "deliver.IDLE_SECONDS": 0.001,
    "decide.ATTEMPTS": TRIES,
    "decide.BACKOFF_SECONDS": 0.0,
    "decide.BREAKER_FAILURES": BREAKER,
}
"""One request at a time, in an order that is the same each time; small chunks, so that a few rows are several; no waiting."""

MOST_ROWS = 6

Event = tuple[Any, ...]
PLACES = st.integers(0, MOST_ROWS - 1)
KEYS = st.sampled_from(["1", "2", "3", "1", "2", "3", None, " "])
MATCHES = st.sampled_from(["m", "n", "o", "m", "n", "M", None])
TEXTS = st.sampled_from(["A", "B", "A", "B", "C", None, "", "bad"])
NUMBERS = st.sampled_from([1, 2, None])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("changes"), PLACES, st.sampled_from("xxy"), TEXTS),
        st.tuples(st.just("changes"), PLACES, st.just("z"), NUMBERS),
        st.tuples(st.just("changes"), PLACES, st.just("match"), MATCHES),
        st.tuples(st.just("comes"), KEYS, MATCHES, TEXTS, TEXTS, NUMBERS),
        st.tuples(st.just("swap"), PLACES, PLACES),
        st.tuples(st.just("leaves"), PLACES),
    ),
    max_size=3,
)
FAULTS = st.lists(st.sampled_from([LOST_BEFORE, LOST_AFTER, THROTTLED, UNREACHABLE]), min_size=1, max_size=TRIES)


class Death:
    """Kills the worker at the n-th step of a run that touches the database, before or after its commit."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.before = False
        self.cancel: tuple[int, int] | None = None
        self.steps = 0

    def arm(self, at: int | None, before: bool) -> None:
        self.at, self.before, self.steps = at, before, 0

    def count(self) -> bool:
        """Whether this is the step."""
        self.steps += 1
        if self.cancel and self.steps == self.cancel[0]:
            Run.objects.filter(pk=self.cancel[1]).update(cancel_requested=True)
        return self.steps == self.at

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        fenced, end = Lease.fenced, finish._end

        @contextmanager
        def mortal(lease: Lease, **changes: Any) -> Iterator[None]:
            now = self.count()
            with fenced(lease, **changes):
                yield
                if now and self.before:
                    raise Killed
            if now:
                raise Killed

        def mortal_end(*args: Any, **changes: Any) -> None:
            now = self.count()
            if now and self.before:
                raise Killed
            end(*args, **changes)
            if now:
                raise Killed

        patch.setattr(Lease, "fenced", mortal)
        patch.setattr(finish, "_end", mortal_end)


class World:
    """What stays over all sequences of one test: the source's file, the account, and who may die."""

    def __init__(self, path: Path, service: type[Movable], patch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.platform = Memory(Vendor())
        self.service = service(self.platform)
        self.death = Death()
        self.death.patch(patch)
        patch.setitem(platforms.all, "memory", self.platform)
        patch.setitem(services.all, self.service.slug, self.service)
        self.source([])
        made_of = Source.objects.create(name="Rows", engine="sqlite", config={"path": path.name})
        self.model = DataModel.objects.create(name="Rows", source=made_of, table="things", primary_key="id")
        refresh_columns(self.model)
        connection = Connection.objects.create(name="Memory", platform="memory")
        self.destination = Destination.objects.create(name="Things", connection=connection, service=self.service.slug)

    def source(self, rows: list[Row]) -> None:
        """Makes the source hold these rows, in this order."""
        with sqlite3.connect(self.path) as file:
            file.execute('create table if not exists things (id text, "match" text, x text, y text, z integer)')
            file.execute("delete from things")
            file.executemany("insert into things values (:id, :match, :x, :y, :z)", rows)
        file.close()


class Machine(RuleBasedStateMachine):
    """Anything may happen between runs, and runs may end anywhere."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        Activation.objects.all().delete()
        self.vendor = self.world.platform.vendor = Vendor()
        self.expected: dict[str, dict[str, Any]] = {}
        self.rows: list[Row] = []
        self.read: list[Row] = []
        self.dirty = True
        self.model = Rules(self.world.service.match_may_change)
        self.live: Run | None = None
        self.messy, self.deaths, self.faults = False, 0, 0
        self.full = False
        self.there: dict[str, str] = {}
        self.shared: set[str] = set()
        self.activation = Activation.objects.create(
            name="Things", model=self.world.model, destination=self.world.destination, match_column="match", match_field=MATCH
        )
        self._map("a", "x", False)
        self._map("b", "y", True)

    # Between runs

    def _happen(self, events: list[Event]) -> None:
        """Changes the source. Places count around, so that an event fits any number of rows."""
        for name, *what in events:
            if name == "comes" and len(self.rows) < MOST_ROWS:
                self.rows.append(dict(zip(("id", "match", "x", "y", "z"), what, strict=True)))
            elif name == "changes" and self.rows:
                self._row(what[0])[what[1]] = what[2]
            elif name == "swap" and self.rows:
                one, other = self._row(what[0]), self._row(what[1])
                one["match"], other["match"] = other["match"], one["match"]
            elif name == "leaves" and self.rows:
                self.rows.remove(self._row(what[0]))
        self.dirty |= bool(events)

    def _row(self, place: int) -> Row:
        return self.rows[place % len(self.rows)]

    @initialize(number=st.integers(0, 3))
    def some_rows_are_there(self, number: int) -> None:
        pairs = list(zip("123", "mno", strict=True))
        self.rows += [{"id": key, "match": match, "x": "A", "y": "A", "z": 1} for key, match in pairs[:number]]

    @precondition(lambda self: not self.live)
    @rule(attribute=st.sampled_from(ATTRIBUTES), column=st.sampled_from("xyz"), clear=st.booleans(), from_now_on=st.booleans())
    def a_mapping_is_added(self, attribute: str, column: str, clear: bool, from_now_on: bool) -> None:
        if all(one.target != attribute for one in self.model.maps):
            self._backfill(from_now_on)
            self._map(attribute, column, clear)

    @precondition(lambda self: not self.live)
    @rule(place=PLACES, column=st.sampled_from(["", *"xyz"]), clear=st.booleans())
    def a_mapping_is_removed_or_takes_another_column(self, place: int, column: str, clear: bool) -> None:
        one = self.model.maps[place % len(self.model.maps)]
        if column:
            FieldMapping.objects.filter(slot=one.slot).update(column=column, when_empty="clear" if clear else "keep")
            self.model.maps[self.model.maps.index(one)] = replace(one, column=column, clear=clear)
        elif len(self.model.maps) > 1:
            FieldMapping.objects.get(slot=one.slot).delete()
            self.model.maps.remove(one)

    @precondition(lambda self: not self.live)
    @rule(mode=st.sampled_from(["upsert", "upsert", "update", "insert"]))
    def the_mode_changes(self, mode: str) -> None:
        Activation.objects.update(mode=mode)
        self.model.mode = mode

    @precondition(lambda self: not self.live)
    @rule(value=st.sampled_from(["A", "B", "B", "C", 2]))
    def the_vendor_changes_its_mind_about_a_value(self, value: Any) -> None:
        self.vendor.refused ^= {value}

    @precondition(lambda self: not self.live)
    @rule(match=st.sampled_from("mno"))
    def somebody_adds_or_deletes_a_record_at_the_vendor(self, match: str) -> None:
        if held := self.vendor.holder(match):
            del self.vendor.records[held], self.expected[held]
        else:
            remote_id = self.vendor.add(match, {"a": "theirs", "d": "theirs"})
            self.expected[remote_id] = dict(self.vendor.records[remote_id])

    def _a_day_passes(self) -> None:
        Record.objects.update(retry_at=datetime.now(UTC) - timedelta(days=1))
        for kept in self.model.kept.values():
            kept.due_run = 0
            if kept.tried == "skipped":
                kept.tried_row = None

    def _map(self, target: str, column: str, clear: bool) -> None:
        made = FieldMapping(activation=self.activation, target=target, column=column, when_empty="clear" if clear else "keep")
        made.save()
        self.model.maps.append(Map(made.slot, target, column, clear))

    def _backfill(self, from_now_on: bool) -> None:
        Activation.objects.update(backfill="new" if from_now_on else "all")
        self.model.from_now_on = from_now_on

    # Runs

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, kind=st.sampled_from(["schedule", "schedule", "schedule", "manual", "full"]), a_day_later=st.booleans())
    def a_run(self, events: list[Event], kind: str, a_day_later: bool) -> None:
        self._happen(events)
        if a_day_later:
            self._a_day_passes()
        self._begin("schedule" if kind == "schedule" else "manual", full=kind == "full")
        self._work()

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS)
    def two_runs(self, events: list[Event]) -> None:
        """The second one, without changes, has nothing to send but what was refused."""
        self._happen(events)
        for _ in range(2):
            self._begin("schedule")
            self._work()

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, faults=st.dictionaries(st.sampled_from("mno"), FAULTS, min_size=1, max_size=2))
    def a_run_with_faults(self, events: list[Event], faults: dict[str, list[str]]) -> None:
        self._happen(events)
        self._begin("schedule")
        self.messy = True
        self.vendor.faults = {identity: list(found) for identity, found in faults.items()}
        self.faults = sum(map(len, faults.values()))
        self._work()

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, after=st.integers(-1, 3))
    def a_run_while_the_vendor_goes_down(self, events: list[Event], after: int) -> None:
        self._happen(events)
        if after < 0:
            self._run_against_nobody()
        else:
            self._begin("schedule")
            self.messy = True
            self.vendor.down_after = after
            self._work()

    def _run_against_nobody(self) -> None:
        before = self._baseline()
        self.vendor.down = True
        asked = runs.request(self.activation, "schedule", enqueue=False)
        execute(asked.pk)
        self.vendor.down = False
        done = Run.objects.get(pk=asked.pk)
        assert (done.state, done.error_code, done.changes.count()) == ("failed", "unavailable", 0)
        assert self._baseline() == before

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, step=st.integers(3, 12))
    def a_run_that_is_cancelled(self, events: list[Event], step: int) -> None:
        self._happen(events)
        live = self._begin("schedule")
        self.messy = True
        self.world.death.cancel = (step, live.pk)
        self._work()
        self.world.death.cancel = None

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, full=st.booleans())
    def a_dry_run(self, events: list[Event], full: bool) -> None:
        self._happen(events)
        before = self._baseline()
        self._begin("manual", full=full, dry_run=True)
        self._work()
        assert self._baseline() == before

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, step=st.integers(1, 16), before=st.booleans(), by_person=st.booleans())
    def a_run_is_cut(self, events: list[Event], step: int, before: bool, by_person: bool) -> None:
        self._happen(events)
        self._begin("manual" if by_person else "schedule")
        self._work(step, before)

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, identity=st.sampled_from("mno"), kind=st.sampled_from([KILLED_BEFORE, KILLED_AFTER]))
    def a_worker_dies_while_it_sends(self, events: list[Event], identity: str, kind: str) -> None:
        self._happen(events)
        self._begin("schedule")
        self.vendor.faults = {identity: [kind]}
        self._work()

    @precondition(lambda self: self.live)
    @rule(events=EVENTS)
    def another_worker_goes_on(self, events: list[Event]) -> None:
        self._happen(events)
        self._work()

    @precondition(lambda self: self.live)
    @rule(events=EVENTS, step=st.integers(1, 10), before=st.booleans())
    def another_worker_goes_on_and_is_cut(self, events: list[Event], step: int, before: bool) -> None:
        self._happen(events)
        self._work(step, before)

    @precondition(lambda self: self.live)
    @rule(after=st.integers(0, 2))
    def another_worker_goes_on_while_the_vendor_goes_down(self, after: int) -> None:
        self.vendor.down_after = after
        self._work()

    def _begin(self, trigger: str, *, full: bool = False, dry_run: bool = False) -> Run:
        self.live = runs.request(self.activation, trigger, full=full, dry_run=dry_run, enqueue=False)
        self.messy, self.deaths, self.faults = False, 0, 0
        self.full = full or not self.model.kept
        self.vendor.requests.clear()
        self.there = {remote_id: identity_of(record[MATCH]) for remote_id, record in self.vendor.records.items()}
        return self.live

    def _work(self, step: int | None = None, before: bool = False) -> None:
        """One worker works on the live run, until its end or its own."""
        assert self.live
        if self.dirty:
            self.world.source(self.rows)
            self.dirty = False
        self.live.refresh_from_db()
        if self.live.state in ("queued", "planning"):
            self.read = [dict(row) for row in self.rows]
        self.world.death.arm(step, before)
        try:
            while execute(self.live.pk):
                pass
        except Killed:
            self.messy = True
            self.deaths += 1
            Run.objects.filter(pk=self.live.pk).update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
        self.world.death.arm(None, False)
        self.vendor.down_after = None
        self.live.refresh_from_db()
        if not self.live.is_live:
            self.vendor.faults = {}
            done, self.live = self.live, None
            self._compare(done)

    # What must hold of a run that ended

    def _compare(self, done: Run) -> None:
        by_person = done.trigger == "manual"
        plan = self.model.plan(self.read, done.number, full=self.full, by_person=by_person)
        self._compare_counts(done, plan)
        if done.dry_run:
            assert (done.state, self.vendor.requests) == ("planned", [])
            return
        assert not done.changes.exclude(state="settled").exists()
        changes = {change.key: change for change in done.changes.exclude(outcome="invalid").filter(match_identity__gt="")}
        assert set(changes) == {send.key for send in plan.sends}
        self._compare_told(done, plan)
        self.model.take_plan(plan, self.read)
        for send in plan.sends:
            self._settle(done, send, changes[send.key])
        self._compare_state(done)
        self._compare_requests(plan)
        assert self.vendor.records == self.expected
        self._compare_promise(done, plan, changes)

    def _compare_counts(self, done: Run, plan: Plan) -> None:
        delivered_skips = done.changes.filter(outcome="skipped").exclude(match_identity="").count()
        new = sum(send.is_new for send in plan.sends)
        found = {
            "full": done.kind == "full", "rows": done.rows, "invalid": done.invalid, "waiting": done.waiting, "left": done.left,
            "new": done.new, "known": done.known, "planned": done.planned, "unchanged": done.unchanged,
            "skipped": done.skipped - delivered_skips,
        }  # fmt: skip
        expected = {
            "full": self.full, "rows": len(self.read), "invalid": plan.keyless + plan.invalid_rows, "waiting": len(plan.waiting),
            "left": len(plan.left), "new": new, "known": len(plan.sends) - new, "planned": len(plan.sends),
            "unchanged": len(plan.unchanged), "skipped": len(plan.skipped),
        }  # fmt: skip
        if self.model.mode == "insert":
            # A known record is none of insert mode's business, whether its row changed or not.
            found["unchanged"], expected["unchanged"] = (
                found["unchanged"] + found.pop("skipped"),
                expected["unchanged"] + expected.pop("skipped"),
            )
        assert found == expected
        assert done.rows == done.unchanged + done.waiting + done.planned + done.invalid + done.skipped - delivered_skips
        if not done.dry_run:
            assert done.planned == done.accepted + done.rejected + done.unknown + done.not_sent + delivered_skips

    def _compare_told(self, done: Run, plan: Plan) -> None:
        """Who became invalid in this run is listed with a reason."""
        told = set(done.changes.filter(outcome="invalid").values_list("key", flat=True))
        before = {key: kept.tried for key, kept in self.model.kept.items()}
        assert {key for key, why in plan.invalid.items() if before.get(key) != "invalid " + why} <= told

    def _settle(self, done: Run, send: Send, change: Change) -> None:
        """Checks the outcome of one record and takes it over."""
        asked = [request for request in self.vendor.requests if request.identity == send.identity]
        outcome = change.outcome
        assert outcome in self._allowed(send, asked), (send, asked)
        if outcome == "accepted":
            remote_id = self._written_to(send, asked)
            self._expect(send, remote_id)
            self.model.accepted(send, remote_id)
        elif outcome == "rejected":
            self.model.refused(send, done.number, "" if send.remote_id not in self.there else send.remote_id)
        elif outcome == "skipped":
            self.model.skipped(send)
        elif outcome == "unknown":
            self.model.unknown(send)
        if outcome in ("rejected", "skipped") and send.remote_id and send.remote_id not in self.there:
            self.model.gone(send.key)
        if outcome != "accepted":
            self._look_at_doubt(send, asked, outcome)

    def _allowed(self, send: Send, asked: list[Request]) -> set[str]:
        """The outcomes that the rules allow for a record."""
        results = {request.result for request in asked}
        if self.messy:
            possible = {"unknown", "not_sent"}
            possible |= {"accepted"} if "written" in results or self.model.mode == "insert" and not send.changed else set()
            possible |= {"rejected"} if "refused" in results else set()
            return possible | ({"skipped"} if self.model.mode != "upsert" else set())
        requests = send.first_requests(held_by=self._holder_before(send), mode=self.model.mode, there=send.remote_id in self.there)
        if not any(verb is not Verb.UPDATE or send.remote_id in self.there or self._holder_before(send) for verb, _ in requests):
            return {"skipped"}
        verb, values = requests[-1]
        if self.vendor.refused & set(values.values()):
            return {"rejected"}
        if self.model.match_may_change and MATCH in send.changed and verb is Verb.UPDATE:
            # Whether the other record has moved away by then depends on who comes first.
            return {"rejected"} if "refused" in results else {"accepted"}
        return {"accepted"}

    def _written_to(self, send: Send, asked: list[Request]) -> str:
        """The vendor's id of the record that took it, which from then on is this key's."""
        written_to = [request.remote_id for request in asked if request.result == "written"]
        remote_id = written_to[-1] if written_to else self.vendor.holder(send.identity)
        if any(kept.remote_id == remote_id for key, kept in self.model.kept.items() if key != send.key):
            self.shared.add(remote_id)
        return remote_id

    def _holder_before(self, send: Send) -> str:
        return next((remote_id for remote_id, identity in self.there.items() if identity == send.identity), "")

    def _expect(self, send: Send, remote_id: str) -> None:
        """The vendor's record after a write that it accepted."""
        assert remote_id
        known = self.expected.get(remote_id)
        if known is None or remote_id != send.remote_id:
            self.expected.setdefault(remote_id, {**dict.fromkeys(ATTRIBUTES), MATCH: send.match}).update(send.values)
        else:
            whole = {**send.values, MATCH: send.match}
            known.update({name: whole[name] for name in send.changed})

    def _look_at_doubt(self, send: Send, asked: list[Request], outcome: str) -> None:
        """What an unanswered write may have left behind must be in doubt, so that the next run sends it whatever it is."""
        applied = [request for request in asked if request.result == "written"]
        record = Record.objects.filter(key=send.key).first()
        kept = self.model.kept.get(send.key)
        for request in applied:
            self.expected.setdefault(request.remote_id, {}).update(self.vendor.records[request.remote_id])
        if not kept or not record or not kept.accepted:
            return
        if not applied and outcome != "unknown" and not self.messy:
            return
        for one in self.model.maps:
            if digests.unpack(bytes(record.field_digests), one.slot) in (0, 1) and one.slot in kept.held:
                kept.held[one.slot] = DOUBT
        if record.match_digest == 0:
            kept.identity = DOUBT
        for request in applied:
            for one in self.model.maps:
                if one.target in request.values and one.slot in kept.held:
                    assert kept.held[one.slot] in (DOUBT, request.values[one.target]), (send, outcome)
        if not record.tried:
            kept.tried = ""

    def _compare_state(self, done: Run) -> None:
        if self.messy:
            assert done.state in ("succeeded", "completed_with_warnings", "cancelled", "failed")
        if done.state == "succeeded":
            assert not done.rejected + done.unknown + done.not_sent + done.invalid + done.waiting

    def _compare_requests(self, plan: Plan) -> None:
        """Exactly the writes of the plan; after a death or a fault the same ones may come again."""
        expected: Counter[Any] = Counter()
        for send in plan.sends:
            for verb, first in send.first_requests(
                held_by=self._holder_before(send), mode=self.model.mode, there=send.remote_id in self.there
            ):
                expected[send.identity, verb, repr(sorted(first.items()))] += 1
        found = written(self.vendor.requests)
        if self.messy:
            whole = {send.identity: {**send.values, MATCH: send.match} for send in plan.sends}
            for identity, verb, held in found:
                assert identity in whole
                assert (identity, verb, held) in expected or verb is not Verb.UPDATE or held == repr(sorted(whole[identity].items()))
            # One place for requests: a death repeats one record, which takes two requests where the first one meets nothing.
            assert found.total() <= expected.total() + 2 * self.deaths + self.faults
        else:
            assert found == expected

    def _compare_promise(self, done: Run, plan: Plan, changes: dict[str, Change]) -> None:
        """The destination holds what the source says, for every row that counts as unchanged or accepted.

        Left out is what was never sent because its mapping holds from now on; what the activation says of the next
        mapping is no reason.
        """
        if self.model.mode == "insert":
            return
        sure = {*plan.unchanged, *(key for key, change in changes.items() if change.outcome == "accepted")}
        for row in self.read:
            kept = self.model.kept.get(row["id"])
            if row["id"] not in sure or kept is None or kept.remote_id not in set(self.vendor.records) - self.shared:
                continue
            there = self.vendor.records[kept.remote_id]
            assert identity_of(there[MATCH]) == identity_of(row["match"])
            for one in self.model.maps:
                if one.slot not in kept.filled and (one.clear or not empty(row[one.column])):
                    assert there[one.target] == (None if empty(row[one.column]) else row[one.column]), (row, one)

    def _baseline(self) -> list[Any]:
        return list(Record.objects.order_by("pk").values_list())
