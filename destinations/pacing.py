"""The shared request budget of one vendor workspace: requests leave evenly, across all runs, workers and machines.

A budget is a row that says up to which moment requests have been handed out. A process takes a lot: the next n turns,
evenly spaced behind that moment. Lots of all processes follow one another without gap or overlap, so the vendor's limit
is used fully and not exceeded. What the vendor says (headers, Retry-After) moves the row's moment, and so everybody.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connection

from core.errors import Unavailable
from destinations.contract import Limits, Purpose, Quota
from destinations.models import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

LOT_SECONDS = 0.3
SHARE_OF_LIMIT = 0.985
"""Of the vendor's limit: the rest absorbs jitter on the way, which would otherwise be answered with 429."""
LOW_SHARE = 0.1
CATCH_UP_SECONDS = 0.2
"""How much of a stall of ours is made up for afterwards. Vendors count by the second or longer."""


class Lane:
    """This process's part of one budget. Threads take turns from it; taking a lot is the only use of the database."""

    def __init__(self, name: str, rate: float, clock: Callable[[], float]) -> None:
        self.name = name
        self.rate = rate
        self.clock = clock
        self.lock = threading.Lock()
        self.turns: deque[float] = deque()
        self.end = 0.0
        self.lot = 1
        self.shifts = 0
        self.winding_down = False
        self.owner = threading.get_ident()

    def take(self) -> tuple[float, int]:
        """The next turn (seconds since 1970) and the number of shifts it was given under. Raises as `Pacer.wait`."""
        with self.lock:
            if not self.turns and self.winding_down:
                raise _stopped()
            if not self.turns:
                self._take_lot()
            return self.turns.popleft(), self.shifts

    def shift(self, moment: float) -> None:
        """Nobody of this budget sends before `moment`; turns handed out already are void."""
        with self.lock:
            self.turns.clear()
            self.lot = 1
            self.shifts += 1
            Budget.objects.filter(name=self.name, next_at__lt=moment).update(next_at=moment)
            self._close()

    def move(self, name: str) -> None:
        """Takes its turns from the budget of this name from now on."""
        with self.lock:
            if name != self.name:
                self.turns.clear()
                self.lot = 1
                self.name = name

    def give_back(self) -> None:
        """Hands back turns that nobody here wants any more, where no other process has taken the next lot yet."""
        with self.lock:
            left, self.turns = len(self.turns), deque()
            if left:
                unused = self.end - left / self.rate
                Budget.objects.filter(name=self.name, next_at=self.end).update(next_at=unused)
                self._close()

    def correct(self, rate: float) -> None:
        """Takes over the rate that the vendor's headers tell."""
        if abs(rate - self.rate) > self.rate * 0.01:
            with self.lock:
                self.rate = rate
                Budget.objects.filter(name=self.name).update(rate=rate)
                self._close()

    def _take_lot(self) -> None:
        count = max(1, min(self.lot, int(self.rate * LOT_SECONDS)))
        start, self.rate = _reserve(self.name, self.rate, count, self.clock)
        self.end = start + count / self.rate
        self.turns.extend(start + turn / self.rate for turn in range(count))
        self.lot = count * 2
        self._close()

    def _close(self) -> None:
        """A sending thread must not keep a database connection while it waits."""
        if threading.get_ident() != self.owner:
            connection.close()


def _reserve(name: str, rate: float, count: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Takes `count` turns of the budget: the moment of the first, and the rate in force."""
    Budget.objects.get_or_create(name=name, defaults={"rate": rate})
    while True:
        next_at, rate = Budget.objects.values_list("next_at", "rate").get(name=name)
        start = max(next_at, clock() - CATCH_UP_SECONDS)
        if Budget.objects.filter(name=name, next_at=next_at).update(next_at=start + count / rate):
            return start, rate


class Pacer:
    """The gate of one run: a lane for reads and one for writes (or one for both), counters, and a way to stop waiting."""

    def __init__(self, workspace: str, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.closed = threading.Event()
        self.requests: Counter[Purpose] = Counter()
        self.lock = threading.Lock()
        self.waited = threading.local()
        writes = Lane(f"{workspace}:writes", limits.writes * SHARE_OF_LIMIT, clock)
        reads = writes if limits.shared else Lane(f"{workspace}:reads", limits.reads * SHARE_OF_LIMIT, clock)
        self.lanes = {Purpose.WRITE: writes, Purpose.LOOKUP: reads, Purpose.DISCOVERY: reads}

    def move(self, workspace: str) -> None:
        """Shares the budget of this workspace from now on: whose it is, a first run learns only from its first answer."""
        for lane in self._each_lane():
            lane.move(f"{workspace}:{lane.name.rpartition(':')[2]}")

    def wait(self, purpose: Purpose) -> None:
        """Blocks until this request may leave, and counts it.

        Raises:
            Unavailable: `stopped`, the run no longer wants to send; the request did not leave.
        """
        begun = time.monotonic()
        lane = self.lanes[purpose]
        while not self._wait_for_turn(lane):
            pass
        self.waited.seconds = self.waited_seconds() + time.monotonic() - begun
        with self.lock:
            self.requests[purpose] += 1

    def waited_seconds(self) -> float:
        """How long this thread has waited for its turns since `forget_waits`."""
        return float(getattr(self.waited, "seconds", 0.0))

    def forget_waits(self) -> None:
        """Starts this thread's count of waiting anew."""
        self.waited.seconds = 0.0

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        """Follows the vendor's headers: its rate, and less of it where others use up the same budget."""
        lane = self.lanes[purpose]
        if quota.limit and quota.window_seconds:
            lane.correct(quota.limit / quota.window_seconds * SHARE_OF_LIMIT)
            if quota.remaining < quota.limit * LOW_SHARE:
                self._stretch(lane, quota)

    def pause(self, purpose: Purpose, seconds: float) -> None:
        """Nobody sends for that long: the vendor asked to slow down."""
        self.lanes[purpose].shift(self.clock() + seconds)

    def wind_down(self) -> bool:
        """Takes no more turns from the budgets; whether writes still have some that were taken, and would be lost to everybody."""
        for lane in self._each_lane():
            lane.winding_down = True
        return bool(self.lanes[Purpose.WRITE].turns)

    def close(self) -> None:
        """Ends all waiting, and hands back the turns that were not used."""
        self.closed.set()
        for lane in self._each_lane():
            lane.give_back()

    def take_counts(self) -> dict[Purpose, int]:
        """The requests sent since the last call."""
        with self.lock:
            counts, self.requests = dict(self.requests), Counter()
        return counts

    def _each_lane(self) -> list[Lane]:
        return list(dict.fromkeys(self.lanes.values()))

    def _stretch(self, lane: Lane, quota: Quota) -> None:
        """Spreads what remains over the time until the window ends, where it would be used up long before."""
        left = (quota.reset_at - datetime.fromtimestamp(self.clock(), UTC)).total_seconds()
        spare = left - quota.remaining / lane.rate
        if spare > 1.0:
            lane.shift(self.clock() + min(spare, left))

    def _wait_for_turn(self, lane: Lane) -> bool:
        self._refuse_when_closed()
        turn, shifts = lane.take()
        while (delay := turn - self.clock()) > 0 and not self.closed.wait(min(delay, 0.5)):
            if lane.shifts != shifts:
                return False
        self._refuse_when_closed()
        return lane.shifts == shifts

    def _refuse_when_closed(self) -> None:
        if self.closed.is_set():
            raise _stopped()


def _stopped() -> Unavailable:
    return Unavailable("stopped", "The run stopped before this request was sent.")
