"""The shared request budget is spread evenly, fully used, never exceeded, and adjusted by the vendor's headers."""

from __future__ import annotations

import itertools
import random
import threading
from bisect import insort
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Unavailable
from destinations.contract import Limits, Purpose, Quota
from destinations.lanes import CATCH_UP_SECONDS, Lane
from destinations.models import Budget
from destinations.pacing import SHARE_OF_LIMIT, Pacer

if TYPE_CHECKING:
    from collections.abc import Callable

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
    assert lane.take()[0] == clock.now


@pytest.mark.django_db
def test_short_stall_is_made_up_for_in_part() -> None:
    clock = Clock()
    lane = Lane("attio:w:writes", 25.0, clock)
    lane.take()
    lane.turns.clear()
    clock.now += 0.9
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


# What is stored or sent by mistake


def stored(**values: float) -> None:
    Budget.objects.create(name="attio:w:writes", **{"rate": 25.0, **values})


@pytest.mark.django_db
@pytest.mark.parametrize("next_at", [1e15, float("inf"), 1_000_000.0 + 3600])
def test_turns_that_were_assigned_far_ahead_are_assigned_again(next_at: float) -> None:
    """A header made no sense, or the clock was set back by an hour."""
    clock = Clock()
    stored(next_at=next_at)
    assert Lane("attio:w:writes", 25.0, clock).take()[0] == pytest.approx(clock.now)
    assert Budget.objects.get().next_at < clock.now + 1


@pytest.mark.django_db
def test_turns_that_were_taken_before_the_clock_was_set_back_are_void() -> None:
    clock = Clock()
    lane = Lane("attio:w:writes", 25.0, clock)
    for _ in range(5):
        lane.take()
    assert lane.turns
    clock.now -= 86_400
    assert lane.take()[0] == pytest.approx(clock.now, abs=1)


@pytest.mark.django_db(transaction=True)
def test_wait_that_has_begun_does_not_last_longer_if_the_clock_is_set_back() -> None:
    clock = Clock()
    pacer = Pacer("attio:w", Limits(reads=5, writes=5), clock)
    pacer.wait(Purpose.WRITE)
    thread = threading.Thread(target=pacer.wait, args=[Purpose.WRITE])
    thread.start()
    clock.now -= 86_400
    thread.join(timeout=5)
    assert not thread.is_alive()


@pytest.mark.django_db
def test_turn_is_void_if_the_clock_is_set_back_before_the_wait_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    pacer = Pacer("attio:w", Limits(reads=5, writes=5), clock)
    lane = pacer.lanes[Purpose.WRITE]
    take = lane.take
    set_back = iter([86_400.0])

    def take_and_set_back() -> tuple[float, int]:
        taken = take()
        clock.now -= next(set_back, 0.0)
        return taken

    monkeypatch.setattr(lane, "take", take_and_set_back)
    ends_the_wait = threading.Timer(5, pacer.close)
    ends_the_wait.start()
    pacer.wait(Purpose.WRITE)
    ends_the_wait.cancel()
    assert pacer.take_counts() == {Purpose.WRITE: 1}


@pytest.mark.django_db
@pytest.mark.parametrize("rate", [0.0, -1.0, 1e-12, 1e300, float("inf")])
def test_senseless_rate_is_replaced(rate: float) -> None:
    stored(rate=rate)
    lane = Lane("attio:w:writes", 25.0, Clock())
    turns = [lane.take()[0] for _ in range(3)]
    assert turns[2] - turns[0] == pytest.approx(2 / 25)
    assert Budget.objects.get().rate == 25.0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("limit", "window_seconds"), [(-5, 10.0), (0, 10.0), (10**400, 10.0), (100, 0.0), (100, -1.0), (10**15, 1.0)]
)
def test_quota_that_makes_no_sense_is_ignored(limit: int, window_seconds: float) -> None:
    clock = Clock()
    pacer = Pacer("attio:w", LIMITS, clock)
    pacer.lanes[Purpose.WRITE].take()
    for rolling in (False, True):
        pacer.learn(Purpose.WRITE, Quota(0, datetime.max.replace(tzinfo=UTC), limit, window_seconds, rolling))
    assert pacer.lanes[Purpose.WRITE].rate == 25 * SHARE_OF_LIMIT
    assert pacer.lanes[Purpose.WRITE].take()[0] < clock.now + 1


@pytest.mark.django_db
def test_window_that_ends_too_late_pauses_for_one_window_at_most() -> None:
    clock = Clock()
    pacer = Pacer("attio:w", LIMITS, clock)
    pacer.lanes[Purpose.WRITE].take()
    pacer.learn(Purpose.WRITE, Quota(0, datetime(9999, 1, 1, tzinfo=UTC), limit=250, window_seconds=10))
    assert pacer.lanes[Purpose.WRITE].take()[0] <= clock.now + 10


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [1e15, float("inf"), float("nan"), 3600.0])
def test_pause_has_a_limit(seconds: float) -> None:
    clock = Clock()
    pacer = Pacer("attio:w", LIMITS, clock)
    pacer.lanes[Purpose.WRITE].take()
    pacer.pause(Purpose.WRITE, seconds)
    assert pacer.lanes[Purpose.WRITE].take()[0] == pytest.approx(clock.now + 120)


@pytest.mark.django_db
def test_blocked_budget_refuses_requests_in_every_process_until_then() -> None:
    clock = Clock()
    pacer, other = Pacer("attio:w", LIMITS, clock), Pacer("attio:w", LIMITS, clock)
    pacer.lanes[Purpose.WRITE].take()
    pacer.refuse_if_blocked()
    until = datetime.fromtimestamp(clock.now + 7200, UTC)
    pacer.block(until)
    for purpose in (Purpose.WRITE, Purpose.LOOKUP, Purpose.DISCOVERY):
        with pytest.raises(Unavailable) as refused:
            other.wait(purpose)
        assert (refused.value.code, refused.value.not_before) == ("blocked", until)
    with pytest.raises(Unavailable):
        other.refuse_if_blocked()
    assert other.take_counts() == {}
    clock.now += 7200
    other.refuse_if_blocked()
    assert other.lanes[Purpose.WRITE].take()[0] == pytest.approx(clock.now, abs=1)


@pytest.mark.django_db
def test_block_has_a_limit_and_a_longer_one_that_is_stored_is_ignored() -> None:
    clock = Clock()
    pacer = Pacer("attio:w", LIMITS, clock)
    pacer.block(datetime(9999, 1, 1, tzinfo=UTC))
    assert {budget.blocked_until for budget in Budget.objects.all()} == {clock.now + 36 * 3600}
    Budget.objects.update(blocked_until=1e15)
    pacer.refuse_if_blocked()
    assert pacer.lanes[Purpose.WRITE].take()[0] == pytest.approx(clock.now, abs=1)
    assert Budget.objects.get(name="attio:w:writes").blocked_until == 0


# Rolling windows


class RollingVendor:
    """Allows `limit` requests in any `window` seconds, by the times at which they arrive."""

    def __init__(self, limit: int, window: float, others: list[float]) -> None:
        self.limit, self.window = limit, window
        self.arrivals = sorted(others)
        self.ours = 0
        self.refused = 0

    def answer(self, now: float) -> int:
        """The number of requests that remain after this one."""
        used = sum(now - self.window < arrival <= now for arrival in self.arrivals)
        if used >= self.limit:
            self.refused += 1
            return 0
        self.ours += 1
        insort(self.arrivals, now)
        return self.limit - used - 1


def deliver(vendor: RollingVendor, clock: Clock, seconds: float, latency: Callable[[], float]) -> None:
    """Sends requests for this many seconds, and passes on what each answer says once it has arrived."""
    pacer = Pacer("v:w", Limits(1, vendor.limit / vendor.window), clock)
    lane, end = pacer.lanes[Purpose.WRITE], clock.now + seconds
    answers: list[tuple[float, int]] = []
    while clock.now < end:
        turn, shifts = lane.take()
        while answers and answers[0][0] <= turn:
            clock.now, remaining = max(clock.now, answers[0][0]), heappop(answers)[1]
            now = datetime.fromtimestamp(clock.now + vendor.window, UTC)
            pacer.learn(Purpose.WRITE, Quota(remaining, now, vendor.limit, vendor.window, rolling=True))
        if lane.shifts != shifts:
            continue
        clock.now = max(clock.now, turn)
        delay = latency()
        heappush(answers, (clock.now + 2 * delay, vendor.answer(clock.now + delay)))


@pytest.mark.django_db
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    size=st.sampled_from([(10, 1.0), (100, 10.0), (110, 10.0), (190, 10.0), (60, 60.0), (300, 30.0)]),
    jitter=st.floats(0.001, 0.02),
    seed=st.integers(0, 10**6),
)
def test_rolling_window_is_used_fully_and_never_exceeded(size: tuple[int, float], jitter: float, seed: int) -> None:
    Budget.objects.all().delete()
    chance, clock = random.Random(seed), Clock()
    vendor = RollingVendor(*size, [])
    windows = 3
    deliver(vendor, clock, windows * vendor.window, lambda: 0.03 + chance.random() * jitter / 2)
    assert vendor.refused == 0
    assert vendor.ours >= 0.95 * vendor.limit * windows


@pytest.mark.django_db
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(share=st.floats(0.05, 0.95), ago=st.floats(0, 0.9), seed=st.integers(0, 10**6))
def test_rolling_window_that_others_have_used_is_not_exceeded(share: float, ago: float, seed: int) -> None:
    Budget.objects.all().delete()
    chance, clock = random.Random(seed), Clock()
    burst = [clock.now - ago * 10 + n * 0.001 for n in range(int(share * 100))]
    vendor = RollingVendor(100, 10.0, burst)
    deliver(vendor, clock, 60, lambda: 0.02 + chance.random() * 0.01)
    assert vendor.refused == 0
    assert vendor.ours >= 0.95 * (6 * 100 - 2 * len(burst))
