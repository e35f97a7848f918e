"""A lane: the turns that this process has taken from one request budget, and the budget's row in the database.

Whatever is stored may be wrong: by a vendor's header that made no sense, or because a clock was set back. So it is
checked when it is read, and replaced if it can't be right.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connection

from core.errors import Unavailable
from core.http import LONGEST_WAIT_SECONDS
from destinations.contract import LONGEST_PAUSE_SECONDS
from destinations.models import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

LOT_SECONDS = 0.3
CATCH_UP_SECONDS = 0.2
"""How much of a stall in this program is made up for afterwards. Vendors count per second, or over longer windows."""
IDLE_SECONDS = 1.0
"""After a longer stall, nothing is made up for: the vendor's window may begin only now."""
LOWEST_RATE, HIGHEST_RATE = 1 / 86_400, 10_000_000.0
"""Requests per second. Any other rate is a mistake."""
MOST_WAITING = 200
"""How many requests may wait for their turns at the same time."""
MOST_REMEMBERED = 20_000


class Lane:
    """The turns of this process from one budget. The database is used only to take a lot, not for each turn."""

    def __init__(self, name: str, rate: float, clock: Callable[[], float]) -> None:
        self.name = name
        self.rate = rate
        self.clock = clock
        self.lock = threading.Lock()
        self.turns: deque[float] = deque()
        self.granted: deque[float] = deque(maxlen=MOST_REMEMBERED)
        """The turns that requests were sent at, or will be."""
        self.end = 0.0
        self.lot = 1
        self.shifts = 0
        self.winding_down = False
        self.owner = threading.get_ident()

    @property
    def furthest_seconds(self) -> float:
        """How far ahead of the clock a turn can be. Beyond that, the clock was set back since it was assigned."""
        return LONGEST_PAUSE_SECONDS + 60 + MOST_WAITING / self.rate

    def take(self) -> tuple[float, int]:
        """The next turn (seconds since 1970), and how often the lane had been shifted when it was taken.

        Raises:
            Unavailable: as `Pacer.wait`.
        """
        with self.lock:
            if not self.turns and self.winding_down:
                raise stopped()
            if self.turns and self.turns[0] - self.clock() > self.furthest_seconds:
                self._void_turns()
            if not self.turns:
                self._take_lot()
            turn = self.turns.popleft()
            self.granted.append(turn)
            return turn, self.shifts

    def shift(self, until: float) -> None:
        """Blocks this budget's requests until `until` (seconds since 1970). Turns that were already taken are void."""
        with self.lock:
            self._void_turns()
            Budget.objects.filter(name=self.name, next_at__lt=until).update(next_at=until)
            self._close_connection()

    def block(self, until: float) -> None:
        """Refuses this budget's requests until `until`, without waiting for it. See `blocked_until`."""
        with self.lock:
            self._void_turns()
            Budget.objects.get_or_create(name=self.name, defaults={"rate": self.rate})
            Budget.objects.filter(name=self.name).update(blocked_until=until)
            self._close_connection()

    def blocked_until(self) -> float:
        """Until when requests are refused (seconds since 1970); 0 if they are not."""
        stored = Budget.objects.filter(name=self.name).values_list("blocked_until", flat=True).first() or 0.0
        return stored if is_blocked(stored, self.clock()) else 0.0

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

    def next_turn(self) -> float:
        """When the next request can be sent, as far as this process knows."""
        with self.lock:
            return self.turns[0] if self.turns else self.end

    def granted_since(self, moment: float) -> list[float]:
        """The turns that were granted after this moment, in order."""
        with self.lock:
            return sorted(turn for turn in self.granted if turn > moment)

    def _void_turns(self) -> None:
        """Discards the turns that were taken. Requests that still wait for theirs have to take another one."""
        now = self.clock()
        self.turns.clear()
        self.granted = deque((turn for turn in self.granted if turn <= now), MOST_REMEMBERED)
        self.lot = 1
        self.shifts += 1

    def _take_lot(self) -> None:
        count = max(1, min(self.lot, int(self.rate * LOT_SECONDS)))
        start, self.rate = self._reserve(count)
        self.end = start + count / self.rate
        self.turns.extend(start + turn / self.rate for turn in range(count))
        # Lots grow up to LOT_SECONDS of turns: a run with a few requests doesn't take turns that it won't use.
        self.lot = count * 2
        self._close_connection()

    def _reserve(self, count: int) -> tuple[float, float]:
        """Takes `count` turns from the budget. Returns the time of the first, and the current rate.

        The UPDATE succeeds only if no other process has moved `next_at` since it was read. Otherwise it is tried again,
        so that no lock is held and no turn is assigned twice.

        Raises:
            Unavailable: `blocked`.
        """
        budget, _ = Budget.objects.get_or_create(name=self.name, defaults={"rate": self.rate})
        while True:
            now = self.clock()
            if is_blocked(budget.blocked_until, now):
                raise blocked(budget.blocked_until)
            rate = budget.rate if LOWEST_RATE <= budget.rate <= HIGHEST_RATE else self.rate
            is_plausible = now - IDLE_SECONDS < budget.next_at <= now + self.furthest_seconds
            start = max(budget.next_at, now - CATCH_UP_SECONDS) if is_plausible else now
            unmoved = Budget.objects.filter(pk=budget.pk, next_at=budget.next_at, blocked_until=budget.blocked_until)
            if unmoved.update(next_at=start + count / rate, blocked_until=0):
                if rate != budget.rate:
                    Budget.objects.filter(pk=budget.pk).update(rate=rate)
                return start, rate
            budget = Budget.objects.get(name=self.name)

    def _close_connection(self) -> None:
        """Closes a sending thread's database connection, so that none is held while it waits."""
        if threading.get_ident() != self.owner:
            connection.close()


def is_blocked(until: float, now: float) -> bool:
    """PURE. Whether a block applies. A longer one than a vendor can request is a mistake, and doesn't."""
    return now < until <= now + LONGEST_WAIT_SECONDS + 60


def blocked(until: float) -> Unavailable:
    """The refusal of a request while its budget is blocked."""
    return Unavailable(
        "blocked",
        "The destination asked to wait before the next request.",
        not_before=datetime.fromtimestamp(until, UTC),
    )


def stopped() -> Unavailable:
    """The refusal of a request whose run has stopped sending."""
    return Unavailable("stopped", "The run stopped before this request was sent.")
