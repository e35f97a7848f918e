"""Rate limiting: the request budget of a vendor workspace, spread evenly across all runs, workers and machines.

A turn is the time at which one request may be sent. A budget is a database row that stores how far turns have been
assigned. A process takes a lot: the next n turns, evenly spaced. No two lots overlap, and there are no gaps between
them, whichever processes take them, so that the vendor's limit is used fully and never exceeded. For example, at 25
requests per second, a process that takes 5 turns moves the stored time forward by 0.2 seconds, and the next process
starts there. If the vendor asks for a pause (by its headers or Retry-After), the stored time is moved forward, which
delays every process.
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
"""The share of the vendor's limit to use. The rest absorbs network jitter, which would otherwise cause 429s."""
LOW_SHARE = 0.1
"""The share of a window's requests below which the remaining ones are spread over the rest of the window."""
CATCH_UP_SECONDS = 0.2
"""How much of a stall in this program is made up for afterwards. Vendors count per second, or over longer windows."""


class Lane:
    """The turns of this process from one budget. The database is used only to take a lot, not for each turn."""

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
        """The next turn (seconds since 1970), and how often the lane had been shifted when it was taken.

        Raises:
            Unavailable: as `Pacer.wait`.
        """
        with self.lock:
            if not self.turns and self.winding_down:
                raise _stopped()
            if not self.turns:
                self._take_lot()
            return self.turns.popleft(), self.shifts

    def shift(self, until: float) -> None:
        """Blocks this budget's requests until `until` (seconds since 1970). Turns that were already taken are void."""
        with self.lock:
            self.turns.clear()
            self.lot = 1
            self.shifts += 1
            Budget.objects.filter(name=self.name, next_at__lt=until).update(next_at=until)
            self._close_connection()

    def move(self, name: str) -> None:
        """Takes turns from the budget with this name from now on."""
        with self.lock:
            if name != self.name:
                self.turns.clear()
                self.lot = 1
                self.name = name

    def give_back(self) -> None:
        """Returns unused turns to the budget, unless another process has already taken the lot after them."""
        with self.lock:
            left, self.turns = len(self.turns), deque()
            if left:
                first_unused = self.end - left / self.rate
                Budget.objects.filter(name=self.name, next_at=self.end).update(next_at=first_unused)
                self._close_connection()

    def correct(self, rate: float) -> None:
        """Adopts the rate from the vendor's headers if it differs by more than 1%."""
        if abs(rate - self.rate) > self.rate * 0.01:
            with self.lock:
                self.rate = rate
                Budget.objects.filter(name=self.name).update(rate=rate)
                self._close_connection()

    def _take_lot(self) -> None:
        count = max(1, min(self.lot, int(self.rate * LOT_SECONDS)))
        start, self.rate = _reserve(self.name, self.rate, count, self.clock)
        self.end = start + count / self.rate
        self.turns.extend(start + turn / self.rate for turn in range(count))
        # Lots grow up to LOT_SECONDS of turns: a run with a few requests doesn't take turns that it won't use.
        self.lot = count * 2
        self._close_connection()

    def _close_connection(self) -> None:
        """Closes a sending thread's database connection, so that none is held while it waits."""
        if threading.get_ident() != self.owner:
            connection.close()


def _reserve(name: str, rate: float, count: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Takes `count` turns from the budget. Returns the time of the first, and the current rate.

    The UPDATE succeeds only if no other process has moved `next_at` since it was read. Otherwise it is tried again, so
    that no lock is held and no turn is assigned twice.
    """
    Budget.objects.get_or_create(name=name, defaults={"rate": rate})
    while True:
        next_at, rate = Budget.objects.values_list("next_at", "rate").get(name=name)
        start = max(next_at, clock() - CATCH_UP_SECONDS)
        if Budget.objects.filter(name=name, next_at=next_at).update(next_at=start + count / rate):
            return start, rate


class Pacer:
    """The gate of one run: a lane for reads and one for writes (or one for both), with request counters."""

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
        """Switches to the budget of this workspace, which a first run learns only from its first response."""
        for lane in self._each_lane():
            lane.move(f"{workspace}:{lane.name.rpartition(':')[2]}")

    def wait(self, purpose: Purpose) -> None:
        """Blocks until this request may be sent, and counts it.

        Raises:
            Unavailable: `stopped`, because the run has stopped sending. The request must not be sent.
        """
        started = time.monotonic()
        lane = self.lanes[purpose]
        while not self._wait_for_turn(lane):
            pass
        self.waited.seconds = self.waited_seconds() + time.monotonic() - started
        with self.lock:
            self.requests[purpose] += 1

    def waited_seconds(self) -> float:
        """How long this thread has waited for turns since it last called `forget_waits`, in seconds."""
        return float(getattr(self.waited, "seconds", 0.0))

    def forget_waits(self) -> None:
        """Resets this thread's waiting time to zero."""
        self.waited.seconds = 0.0

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        """Adopts the rate from the vendor's headers, and slows down if other programs are using up the budget."""
        lane = self.lanes[purpose]
        if quota.limit and quota.window_seconds:
            lane.correct(quota.limit / quota.window_seconds * SHARE_OF_LIMIT)
            if quota.remaining < quota.limit * LOW_SHARE:
                self._stretch(lane, quota)

    def pause(self, purpose: Purpose, seconds: float) -> None:
        """Stops all sending for this many seconds, because the vendor asked to slow down."""
        self.lanes[purpose].shift(self.clock() + seconds)

    def wind_down(self) -> bool:
        """Takes no more lots from the budgets. Returns whether write turns are left, which would go to waste."""
        for lane in self._each_lane():
            lane.winding_down = True
        return bool(self.lanes[Purpose.WRITE].turns)

    def close(self) -> None:
        """Ends all waiting and returns unused turns to the budgets."""
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
        """Pauses so that the remaining requests last until the window ends, if they would run out well before.

        For example, if 100 requests are left at a rate of 50 per second, and the window ends in 8 seconds, they would
        run out after 2 seconds. The lane therefore pauses for 6 seconds.
        """
        window_left = (quota.reset_at - datetime.fromtimestamp(self.clock(), UTC)).total_seconds()
        pause = window_left - quota.remaining / lane.rate
        if pause > 1.0:
            lane.shift(self.clock() + min(pause, window_left))

    def _wait_for_turn(self, lane: Lane) -> bool:
        """Waits for one turn. Returns False if the lane was shifted meanwhile, which voids the turn."""
        self._raise_if_closed()
        turn, shifts = lane.take()
        while (delay := turn - self.clock()) > 0 and not self.closed.wait(min(delay, 0.5)):
            if lane.shifts != shifts:
                return False
        self._raise_if_closed()
        return lane.shifts == shifts

    def _raise_if_closed(self) -> None:
        if self.closed.is_set():
            raise _stopped()


def _stopped() -> Unavailable:
    return Unavailable("stopped", "The run stopped before this request was sent.")
