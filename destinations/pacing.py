"""Rate limiting: the request budget of a vendor workspace, spread evenly across all runs, workers and machines.

A turn is the time at which one request may be sent. A budget is a database row that stores how far turns have been
assigned. A process takes a lot: the next n turns, evenly spaced. No two lots overlap, and there are no gaps between
them, whichever processes take them, so that the vendor's limit is used fully and never exceeded. For example, at 25
requests per second, a process that takes 5 turns moves the stored time forward by 0.2 seconds, and the next process
starts there. If the vendor asks for a pause (by its headers or Retry-After), the stored time is moved forward, which
delays every process. If it accepts no more requests for longer than that, the budget is blocked, and runs end.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from core.http import LONGEST_WAIT_SECONDS
from destinations.answer_times import AnswerTimes
from destinations.contract import LONGEST_PAUSE_SECONDS, Limits, Purpose, Quota
from destinations.lanes import HIGHEST_RATE, LOT_SECONDS, LOWEST_RATE, Lane, blocked, stopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SHARE_OF_LIMIT = 0.985
"""The share of the vendor's limit to use. The rest absorbs network jitter, which would otherwise cause 429s."""
LOW_SHARE = 0.1
"""The share of a window's requests below which the remaining ones are spread over the rest of the window."""


class Pacer:
    """The gate of one run: a lane for reads and one for writes (or one for both), with request counters."""

    def __init__(self, workspace: str, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.closed = threading.Event()
        self.requests: Counter[Purpose] = Counter()
        self.answer_times = AnswerTimes()
        self.all_waited_seconds = 0.0
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
            Unavailable: `stopped`, because the run has stopped sending, or `blocked`, because the vendor accepts no
                more requests for longer than a run can wait. The request must not be sent.
        """
        started = time.monotonic()
        lane = self.lanes[purpose]
        while not self._wait_for_turn(lane):
            pass
        seconds = time.monotonic() - started
        self.waited.seconds = self.waited_seconds() + seconds
        self.waited.purpose = purpose
        with self.lock:
            self.requests[purpose] += 1
            self.all_waited_seconds += seconds

    def answered(self, status: int | None, seconds: float) -> None:
        """Counts how long the vendor took to answer; `status` is None if it did not."""
        self.answer_times.add(status, seconds)

    def waited_seconds(self) -> float:
        """How long this thread has waited for turns since it last called `forget_waits`, in seconds."""
        return float(getattr(self.waited, "seconds", 0.0))

    def is_writing(self) -> bool:
        """Whether the latest request of this thread writes records."""
        return getattr(self.waited, "purpose", None) is Purpose.WRITE

    def forget_waits(self) -> None:
        """Resets this thread's waiting time to zero."""
        self.waited.seconds = 0.0

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        """Adopts the rate from the vendor's headers, and slows down if other programs are using up the budget."""
        lane, rate = self.lanes[purpose], allowed_rate(quota)
        if rate is None or quota.limit is None or quota.window_seconds is None:
            return
        lane.correct(rate * SHARE_OF_LIMIT)
        if quota.rolling:
            self._make_room(lane, quota.remaining, quota.window_seconds)
        elif quota.remaining < quota.limit * LOW_SHARE:
            self._stretch(lane, quota, quota.window_seconds)

    def pause(self, purpose: Purpose, seconds: float) -> None:
        """Stops all sending for this many seconds, at most `LONGEST_PAUSE_SECONDS`: the vendor asked to slow down."""
        self._shift(self.lanes[purpose], self.clock() + seconds)

    def block(self, until: datetime) -> None:
        """Refuses all requests of this workspace, in all processes, until then or for `LONGEST_WAIT_SECONDS`."""
        moment = min(until.timestamp(), self.clock() + LONGEST_WAIT_SECONDS)
        for lane in self._each_lane():
            lane.block(moment)

    def refuse_if_blocked(self) -> None:
        """Raises Unavailable (`blocked`) if any request of this workspace would be refused."""
        if moment := max(lane.blocked_until() for lane in self._each_lane()):
            raise blocked(moment)

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

    def reopen(self) -> None:
        """Allows requests again after `close`, for a further stage of the same run."""
        self.closed.clear()
        for lane in self._each_lane():
            lane.winding_down = False

    def take_counts(self) -> dict[Purpose, int]:
        """The requests sent since the last call."""
        with self.lock:
            counts, self.requests = dict(self.requests), Counter()
        return counts

    def take_waited_seconds(self) -> float:
        """How long all requests have waited for their turns since the last call, added up, in seconds."""
        with self.lock:
            seconds, self.all_waited_seconds = self.all_waited_seconds, 0.0
        return seconds

    def _each_lane(self) -> list[Lane]:
        return list(dict.fromkeys(self.lanes.values()))

    def _stretch(self, lane: Lane, quota: Quota, window_seconds: float) -> None:
        """Pauses so that the remaining requests last until the window ends, if they would run out well before.

        For example, if 100 requests are left at a rate of 50 per second, and the window ends in 8 seconds, they would
        run out after 2 seconds. The lane therefore pauses for 6 seconds.
        """
        window_left = min(quota.reset_at.timestamp() - self.clock(), window_seconds)
        pause = window_left - quota.remaining / lane.rate
        if pause > 1.0:
            self._shift(lane, self.clock() + min(pause, window_left))

    def _make_room(self, lane: Lane, remaining: int, window_seconds: float) -> None:
        """Pauses until the window has room for the next request, because other programs use it too.

        In a rolling window, each request is available again `window_seconds` after it was sent. We know that of our
        own. So if 2 more are needed than remain, for example, the next one waits for our second oldest. A window that
        only we use is never short of more than what becomes available meanwhile.
        """
        now = self.clock()
        sent = lane.granted_since(now - window_seconds)
        unanswered = sum(turn > now - LOT_SECONDS for turn in sent) - 1
        short = max(0, unanswered) + 1 - remaining
        if short > 0 and sent:
            available_at = sent[min(short, len(sent)) - 1] + window_seconds
            if available_at > lane.next_turn() + LOT_SECONDS + 2 / lane.rate:
                self._shift(lane, available_at)

    def _shift(self, lane: Lane, until: float) -> None:
        longest = self.clock() + LONGEST_PAUSE_SECONDS
        lane.shift(min(until, longest) if math.isfinite(until) else longest)

    def _wait_for_turn(self, lane: Lane) -> bool:
        """Waits for one turn. Returns False if the lane was shifted or the clock was set back, which voids the turn."""
        self._raise_if_closed()
        turn, shifts = lane.take()
        seconds = turn - self.clock()
        if seconds > lane.furthest_seconds:
            return False
        # Once the wait has begun, a clock that is set back doesn't make it longer.
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0 and not self.closed.wait(min(left, 0.5)):
            if lane.shifts != shifts:
                return False
        self._raise_if_closed()
        return lane.shifts == shifts

    def _raise_if_closed(self) -> None:
        if self.closed.is_set():
            raise stopped()


def allowed_rate(quota: Quota) -> float | None:
    """PURE. The requests per second that a quota allows; None if it does not say so, or makes no sense."""
    try:
        rate = (quota.limit or 0) / (quota.window_seconds or 0)
    except (OverflowError, ZeroDivisionError):
        return None
    return rate if LOWEST_RATE <= rate <= HIGHEST_RATE else None
