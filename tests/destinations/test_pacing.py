"""The shared request budget is spread evenly, fully used, never exceeded, and adjusted by the vendor's headers."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Unavailable
from destinations.contract import Limits, Purpose, Quota
from destinations.models import Budget
from destinations.pacing import CATCH_UP_SECONDS, SHARE_OF_LIMIT, Lane, Pacer

LIMITS = Limits(reads=100, writes=25)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.django_db
def test_two_processes_share_evenly_spaced_turns() -> None:
    clock = Clock()
    lanes = [Lane("attio:w:writes", 25.0, clock), Lane("attio:w:writes", 25.0, clock)]
    turns = [lane.take()[0] for _ in range(100) for lane in lanes]
    turns = sorted([*turns, *lanes[0].turns, *lanes[1].turns])
    gaps = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert len(set(turns)) == len(turns) >= 200
    assert max(gaps) == pytest.approx(1 / 25, abs=1e-6)
    assert min(gaps) == pytest.approx(1 / 25, abs=1e-6)


@pytest.mark.django_db
def test_idle_budget_does_not_save_up_turns() -> None:
    clock = Clock()
    lane = Lane("attio:w:writes", 25.0, clock)
    lane.take()
    lane.turns.clear()
    clock.now += 60
    assert clock.now - lane.take()[0] == pytest.approx(CATCH_UP_SECONDS)


@pytest.mark.django_db
def test_unused_turns_go_to_other_runs() -> None:
    clock = Clock()
    pacer, other = Pacer("attio:w", LIMITS, clock), Pacer("attio:w", LIMITS, clock)
    turns = [pacer.lanes[Purpose.WRITE].take()[0] for _ in range(20)]
    pacer.close()
    assert other.lanes[Purpose.WRITE].take()[0] == pytest.approx(turns[-1] + 1 / (25 * SHARE_OF_LIMIT))


@pytest.mark.django_db
def test_winding_down_uses_the_remaining_turns_and_takes_no_more() -> None:
    pacer = Pacer("attio:w", Limits(reads=1000, writes=1000))
    pacer.wait(Purpose.WRITE)
    pacer.wait(Purpose.WRITE)
    taken = Budget.objects.get(name="attio:w:writes").next_at
    left = 0
    while pacer.wind_down():
        pacer.wait(Purpose.WRITE)
        left += 1
    assert left > 0
    with pytest.raises(Unavailable, match="stopped before"):
        pacer.wait(Purpose.WRITE)
    assert Budget.objects.get(name="attio:w:writes").next_at == taken


@pytest.mark.django_db
def test_two_runs_share_the_budget_even_if_one_started_before_the_workspace_was_known() -> None:
    clock = Clock()
    early, late = Pacer("intercom:1", LIMITS, clock), Pacer("intercom:w", LIMITS, clock)
    early.lanes[Purpose.DISCOVERY].take()
    early.move("intercom:w")
    turns = sorted(pacer.lanes[Purpose.WRITE].take()[0] for pacer in (early, late) for _ in range(50))
    assert turns[-1] - turns[0] >= 99 / (25 * SHARE_OF_LIMIT) - 1e-6
    assert {lane.name for pacer in (early, late) for lane in pacer.lanes.values()} == {
        "intercom:w:reads",
        "intercom:w:writes",
    }


@pytest.mark.django_db
def test_pause_delays_every_run_of_the_workspace() -> None:
    clock = Clock()
    paused, other = Pacer("attio:w", LIMITS, clock), Pacer("attio:w", LIMITS, clock)
    paused.lanes[Purpose.WRITE].take()
    paused.pause(Purpose.WRITE, 7)
    assert other.lanes[Purpose.WRITE].take()[0] >= clock.now + 7
    assert paused.lanes[Purpose.WRITE].take()[0] >= clock.now + 7


@pytest.mark.django_db
def test_reads_and_writes_share_a_budget_only_if_the_vendor_counts_them_together() -> None:
    separate = Pacer("attio:w", LIMITS)
    shared = Pacer("intercom:w", Limits(reads=10, writes=10, shared=True))
    assert separate.lanes[Purpose.LOOKUP] is not separate.lanes[Purpose.WRITE]
    assert shared.lanes[Purpose.LOOKUP] is shared.lanes[Purpose.WRITE]


@pytest.mark.django_db
def test_vendors_headers_set_the_rate() -> None:
    clock = Clock()
    pacer = Pacer("intercom:w", Limits(reads=10, writes=10, shared=True), clock)
    pacer.lanes[Purpose.WRITE].take()
    reset = datetime.fromtimestamp(clock.now, UTC) + timedelta(seconds=5)
    pacer.learn(Purpose.WRITE, Quota(remaining=900, reset_at=reset, limit=1660, window_seconds=10))
    assert pacer.lanes[Purpose.WRITE].rate == pytest.approx(166 * SHARE_OF_LIMIT)
    assert Budget.objects.get().rate == pytest.approx(166 * SHARE_OF_LIMIT)


@pytest.mark.django_db
def test_lane_waits_until_an_exhausted_budget_resets() -> None:
    clock = Clock()
    pacer = Pacer("intercom:w", Limits(reads=166, writes=166, shared=True), clock)
    pacer.lanes[Purpose.WRITE].take()
    reset = datetime.fromtimestamp(clock.now, UTC) + timedelta(seconds=8)
    pacer.learn(Purpose.WRITE, Quota(remaining=0, reset_at=reset, limit=1660, window_seconds=10))
    assert pacer.lanes[Purpose.WRITE].take()[0] == pytest.approx(clock.now + 8, abs=0.1)


@pytest.mark.django_db(transaction=True)
def test_closing_ends_all_waiting_without_a_request_being_sent() -> None:
    pacer = Pacer("attio:w", LIMITS)
    pacer.lanes[Purpose.WRITE].take()
    pacer.pause(Purpose.WRITE, 60)
    caught: list[Unavailable] = []

    def wait() -> None:
        try:
            pacer.wait(Purpose.WRITE)
        except Unavailable as problem:
            caught.append(problem)

    thread = threading.Thread(target=wait)
    thread.start()
    pacer.close()
    thread.join(timeout=5)
    assert [problem.code for problem in caught] == ["stopped"]
    assert pacer.take_counts() == {}
