"""PURE. The slots of a schedule: the moments at which a run is due. Counted with arithmetic, however long the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, takewhile
from typing import TYPE_CHECKING, NamedTuple

from activations.scheduling import cron

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
"""Of each unit. Seconds are not offered to people: they are for proofs with real processes, which can't wait."""
_LONGEST_SECONDS = 10**10
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Timing:
    """When runs are due: at an interval, or at the firings of a cron expression.

    Args:
        every: the interval; None if there is an expression.
        anchored_at: the moment from which the interval counts, unless there is `starts_at`. No slot itself.
        starts_at: no slot is earlier. An interval counts from it, and begins with it.
        ends_at: no slot is later.
    """

    anchored_at: datetime
    every: timedelta | None = None
    expression: str = ""
    zone: tzinfo = UTC
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Slots(NamedTuple):
    """One or more slots in a row: the first, the last, and how many there are."""

    first: datetime
    last: datetime
    number: int


def length(every: int | None, unit: str) -> timedelta:
    """The interval of a number of units."""
    return timedelta(seconds=min((every or 0) * SECONDS[unit], _LONGEST_SECONDS))


def due(timing: Timing, after: datetime, until: datetime) -> Slots | None:
    """The slots in (after, until]; None if there are none.

    Raises:
        Misconfigured: the cron expression is not valid.
    """
    if timing.ends_at:
        until = min(until, timing.ends_at)
    if until <= after:
        return None
    if timing.every:
        return _steps(timing, timing.every, after, until)
    found = cron.tally(timing.expression, timing.zone, _not_before_start(timing, after), until)
    return Slots(*found) if found else None


def upcoming(timing: Timing, after: datetime) -> Iterator[datetime]:
    """The slots after a moment, in order and without an end unless the schedule has one.

    Raises:
        Misconfigured: the cron expression is not valid.
    """
    if timing.every:
        every, (origin, least) = timing.every, _origin(timing)
        slots: Iterator[datetime] = (origin + every * number for number in count(max(least, _step(timing, after) + 1)))
    else:
        slots = cron.firings(timing.expression, timing.zone, _not_before_start(timing, after))
    return takewhile(lambda slot: timing.ends_at is None or slot <= timing.ends_at, slots)


def _steps(timing: Timing, every: timedelta, after: datetime, until: datetime) -> Slots | None:
    origin, least = _origin(timing)
    first, last = max(least, _step(timing, after) + 1), _step(timing, until)
    if last < first:
        return None
    return Slots(origin + every * first, origin + every * last, last - first + 1)


def _step(timing: Timing, moment: datetime) -> int:
    """The number of the last step of the interval at or before a moment."""
    assert timing.every
    return (moment - _origin(timing)[0]) // timing.every


def _origin(timing: Timing) -> tuple[datetime, int]:
    """The moment from which an interval counts, and the number of its first step."""
    return (timing.starts_at, 0) if timing.starts_at else (timing.anchored_at, 1)


def _not_before_start(timing: Timing, after: datetime) -> datetime:
    return max(after, timing.starts_at - _INSTANT) if timing.starts_at else after
