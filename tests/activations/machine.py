"""Compares whole runs with a plain model of the rules, over random sequences of events.

`test_machine.py` runs it. The failures that it found are listed in `test_found.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from activations.execute import execute
from activations.guards import decide
from activations.models import Activation, FieldMapping, Record, Run
from activations.runs import requests as runs
from core.errors import Misconfigured
from tests.activations.comparison import Comparison
from tests.activations.environment import TRIES
from tests.activations.model_data import Mapping, Row
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
    identity_of,
)

MOST_ROWS = 6

Event = tuple[Any, ...]
PLACES = st.integers(0, MOST_ROWS - 1)
KEYS = st.sampled_from(["1", "2", "3", "1", "2", "3", None, " "])
MATCHES = st.sampled_from(["m", "n", "o", "m", "n", "M", None])
TEXTS = st.sampled_from(["A", "B", "A", "B", "C", None, "", "bad"])
NUMBERS = st.sampled_from([1, 2, None])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), PLACES, st.sampled_from("xxy"), TEXTS),
        st.tuples(st.just("change"), PLACES, st.just("z"), NUMBERS),
        st.tuples(st.just("change"), PLACES, st.just("match"), MATCHES),
        st.tuples(st.just("add"), KEYS, MATCHES, TEXTS, TEXTS, NUMBERS),
        st.tuples(st.just("swap"), PLACES, PLACES),
        st.tuples(st.just("remove"), PLACES),
    ),
    max_size=3,
)
FAULTS = st.lists(st.sampled_from([LOST_BEFORE, LOST_AFTER, THROTTLED, UNREACHABLE]), min_size=1, max_size=TRIES)


class Machine(Comparison):
    """Anything may happen between runs, and runs may end anywhere."""

    guards: ClassVar[bool] = False
    """Whether every run that would create records is held."""

    def __init__(self) -> None:
        super().__init__()
        self._map("a", "x", False)
        self._map("b", "y", True)

    # Between runs

    def _change_source(self, events: list[Event]) -> None:
        """Changes the source. Places wrap around, so that an event fits any number of rows."""
        for name, *arguments in events:
            if name == "add" and len(self.rows) < MOST_ROWS:
                self.rows.append(dict(zip(("id", "match", "x", "y", "z"), arguments, strict=True)))
            elif name == "change" and self.rows:
                self._row(arguments[0])[arguments[1]] = arguments[2]
            elif name == "swap" and self.rows:
                first, second = self._row(arguments[0]), self._row(arguments[1])
                first["match"], second["match"] = second["match"], first["match"]
            elif name == "remove" and self.rows:
                self.rows.remove(self._row(arguments[0]))
        self.dirty |= bool(events)

    def _row(self, place: int) -> Row:
        return self.rows[place % len(self.rows)]

    @initialize(number=st.integers(0, 3))
    def add_first_rows(self, number: int) -> None:
        pairs = list(zip("123", "mno", strict=True))
        self.rows += [{"id": key, "match": match, "x": "A", "y": "A", "z": 1} for key, match in pairs[:number]]

    @precondition(lambda self: not self.live)
    @rule(
        attribute=st.sampled_from(ATTRIBUTES),
        column=st.sampled_from("xyz"),
        clear=st.booleans(),
        from_now_on=st.booleans(),
    )
    def add_mapping(self, attribute: str, column: str, clear: bool, from_now_on: bool) -> None:
        if all(mapping.target != attribute for mapping in self.model.mappings):
            self._backfill(from_now_on)
            self._map(attribute, column, clear)

    @precondition(lambda self: not self.live)
    @rule(place=PLACES, column=st.sampled_from(["", *"xyz"]), clear=st.booleans())
    def remove_or_change_mapping(self, place: int, column: str, clear: bool) -> None:
        mapping = self.model.mappings[place % len(self.model.mappings)]
        if column:
            FieldMapping.objects.filter(slot=mapping.slot).update(
                column=column, when_empty="clear" if clear else "keep"
            )
            changed = replace(mapping, column=column, clear=clear)
            self.model.mappings[self.model.mappings.index(mapping)] = changed
        elif len(self.model.mappings) > 1:
            FieldMapping.objects.get(slot=mapping.slot).delete()
            self.model.mappings.remove(mapping)

    @precondition(lambda self: not self.live)
    @rule(mode=st.sampled_from(["upsert", "upsert", "update", "insert"]))
    def change_mode(self, mode: str) -> None:
        Activation.objects.update(mode=mode)
        self.model.mode = mode

    @precondition(lambda self: not self.live)
    @rule(value=st.sampled_from(["A", "B", "B", "C", 2]))
    def vendor_starts_or_stops_rejecting_a_value(self, value: Any) -> None:
        self.vendor.rejected ^= {value}

    @precondition(lambda self: not self.live)
    @rule(match=st.sampled_from("mno"))
    def person_adds_or_deletes_a_record_at_the_vendor(self, match: str) -> None:
        if remote_id := self.vendor.holder(match):
            del self.vendor.records[remote_id], self.expected[remote_id]
        else:
            remote_id = self.vendor.add(match, {"a": "theirs", "d": "theirs"})
            self.expected[remote_id] = dict(self.vendor.records[remote_id])

    def _advance_one_day(self) -> None:
        Record.objects.update(retry_at=datetime.now(UTC) - timedelta(days=1))
        for state in self.model.baseline.values():
            state.due_run = 0
            if state.tried == "skipped":
                state.tried_row = None

    def _map(self, target: str, column: str, clear: bool) -> None:
        mapping = FieldMapping(
            activation=self.activation, target=target, column=column, when_empty="clear" if clear else "keep"
        )
        mapping.save()
        self.model.mappings.append(Mapping(mapping.slot, target, column, clear))

    def _backfill(self, from_now_on: bool) -> None:
        Activation.objects.update(backfill="new" if from_now_on else "all")
        self.model.from_now_on = from_now_on

    # Runs

    @precondition(lambda self: not self.live)
    @rule(
        events=EVENTS,
        kind=st.sampled_from(["schedule", "schedule", "schedule", "manual", "full"]),
        a_day_later=st.booleans(),
        guarded=st.booleans(),
    )
    def complete_run(self, events: list[Event], kind: str, a_day_later: bool, guarded: bool) -> None:
        """Guarded, it is held if it would create records."""
        self._change_source(events)
        if a_day_later:
            self._advance_one_day()
        self._begin("schedule" if kind == "schedule" else "manual", full=kind == "full", guarded=guarded)
        self._work()

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS)
    def two_runs(self, events: list[Event]) -> None:
        """The second run has no changes to send, except records that were rejected."""
        self._change_source(events)
        for _ in range(2):
            if not self.live:
                self._begin("schedule")
                self._work()

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, faults=st.dictionaries(st.sampled_from("mno"), FAULTS, min_size=1, max_size=2))
    def run_with_faults(self, events: list[Event], faults: dict[str, list[str]]) -> None:
        self._change_source(events)
        self._begin("schedule")
        self.disturbed = True
        self.vendor.faults = {identity: list(kinds) for identity, kinds in faults.items()}
        self.faults = sum(map(len, faults.values()))
        self._work()

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, after=st.integers(-1, 3))
    def run_while_the_vendor_goes_down(self, events: list[Event], after: int) -> None:
        self._change_source(events)
        if after < 0:
            self._run_while_the_vendor_is_down()
        else:
            self._begin("schedule")
            self.disturbed = True
            self.vendor.down_after = after
            self._work()

    def _run_while_the_vendor_is_down(self) -> None:
        before = self._baseline()
        self.vendor.down = True
        requested = runs.request(self.activation, "schedule", enqueue=False)
        execute(requested.pk)
        self.vendor.down = False
        done = Run.objects.get(pk=requested.pk)
        assert (done.state, done.error_code, done.changes.count()) == ("failed", "unavailable", 0)
        assert self._baseline() == before

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, step=st.integers(3, 12))
    def run_that_is_cancelled(self, events: list[Event], step: int) -> None:
        self._change_source(events)
        live = self._begin("schedule")
        self.disturbed = True
        self.environment.kill.cancel = (step, live.pk)
        self._work()
        self.environment.kill.cancel = None

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, full=st.booleans())
    def dry_run(self, events: list[Event], full: bool) -> None:
        self._change_source(events)
        before = self._baseline()
        self._begin("manual", full=full, dry_run=True)
        self._work()
        assert self._baseline() == before

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, step=st.integers(1, 16), before=st.booleans(), by_person=st.booleans(), guarded=st.booleans())
    def run_that_is_killed(
        self, events: list[Event], step: int, before: bool, by_person: bool, guarded: bool = False
    ) -> None:
        self._change_source(events)
        self._begin("manual" if by_person else "schedule", guarded=guarded)
        self._work(step, before)

    @precondition(lambda self: not self.live)
    @rule(events=EVENTS, identity=st.sampled_from("mno"), kind=st.sampled_from([KILLED_BEFORE, KILLED_AFTER]))
    def run_whose_worker_dies_while_it_sends(self, events: list[Event], identity: str, kind: str) -> None:
        self._change_source(events)
        self._begin("schedule")
        self.vendor.faults = {identity: [kind]}
        self._work()

    @precondition(lambda self: self.is_held)
    @rule(
        events=EVENTS,
        step=st.none() | st.integers(1, 10),
        before=st.booleans(),
        mode=st.sampled_from(["upsert", "update", "insert"]),
    )
    def held_run_is_approved(self, events: list[Event], step: int | None, before: bool, mode: str) -> None:
        """Its plan is sent as it was held, whatever the source contains by then; not while the settings differ."""
        self._change_source(events)
        self._refused_while_settings_differ(mode)
        decide.approve(self._held(), "ops", enqueue=False)
        self._work(step, before)

    @precondition(lambda self: self.is_held)
    @rule(events=EVENTS, step=st.none() | st.integers(1, 4), before=st.booleans())
    def held_run_is_discarded(self, events: list[Event], step: int | None, before: bool) -> None:
        self._change_source(events)
        decide.discard(self._held(), "ops", enqueue=False)
        self._work(step, before)

    def _refused_while_settings_differ(self, mode: str) -> None:
        Activation.objects.update(mode=mode)
        if mode != self.model.mode:
            with pytest.raises(Misconfigured, match="has changed since this run was planned"):
                decide.approve(self._held(), "ops", enqueue=False)
        Activation.objects.update(mode=self.model.mode)

    def _held(self) -> Run:
        """The run as the page of a person loads it, with the present settings."""
        assert self.live
        return Run.objects.get(pk=self.live.pk)

    @precondition(lambda self: self.live and not self.is_held)
    @rule(events=EVENTS)
    def next_worker_continues(self, events: list[Event]) -> None:
        self._change_source(events)
        self._work()

    @precondition(lambda self: self.live and not self.is_held)
    @rule(events=EVENTS, step=st.integers(1, 10), before=st.booleans())
    def next_worker_is_killed(self, events: list[Event], step: int, before: bool) -> None:
        self._change_source(events)
        self._work(step, before)

    @precondition(lambda self: self.live and not self.is_held)
    @rule(after=st.integers(0, 2))
    def next_worker_continues_while_the_vendor_goes_down(self, after: int) -> None:
        self.vendor.down_after = after
        self._work()

    def _begin(self, trigger: str, *, full: bool = False, dry_run: bool = False, guarded: bool = False) -> Run:
        self.guarded = guarded or self.guards
        Activation.objects.update(hold_creates=0 if self.guarded else None)
        self.live = runs.request(self.activation, trigger, full=full, dry_run=dry_run, enqueue=False)
        self.disturbed, self.kills, self.faults = False, 0, 0
        self.full = full or not self.model.baseline
        self.vendor.requests.clear()
        self.there = {remote_id: identity_of(record[MATCH]) for remote_id, record in self.vendor.records.items()}
        return self.live

    def _work(self, step: int | None = None, before: bool = False) -> None:
        """A worker executes the live run until the run ends or the worker is killed."""
        assert self.live
        if self.dirty:
            self.environment.fill_source(self.rows)
            self.dirty = False
        self.live.refresh_from_db()
        if self.live.state in ("queued", "planning"):
            self.read = [dict(row) for row in self.rows]
        self.environment.kill.arm(step, before)
        try:
            while execute(self.live.pk):
                pass
        except Killed:
            self.disturbed = True
            self.kills += 1
            Run.objects.filter(pk=self.live.pk).update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
        self.environment.kill.arm(None, False)
        self.vendor.down_after = None
        self.live.refresh_from_db()
        if self.is_held:
            self._compare_held(self.live)
        elif not self.live.is_live:
            self.vendor.faults = {}
            done, self.live = self.live, None
            self._compare(done)

    def _baseline(self) -> list[Any]:
        return list(Record.objects.order_by("pk").values_list())
