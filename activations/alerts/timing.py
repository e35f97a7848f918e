"""PURE. When a waiting alert is sent, so that one cause makes one message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

LONGEST_WAIT = timedelta(minutes=10)
"""For runs that may fail for the same reason."""
LONGEST_RECOVERY = timedelta(hours=1)
"""For other activations that the same cause affected."""
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=24)
CLAIM = timedelta(minutes=5)
"""Within this time, a message that is being sent is not sent by a different process."""


@dataclass(frozen=True)
class Waiting:
    """An alert that waits to be sent.

    Args:
        due_at: before this moment, it waits for others to join it, for a retry or for the digest.
        cause: what several activations have in common; "" if nothing is known.
    """

    pk: int
    created_at: datetime
    due_at: datetime
    attempts: int
    recovered: bool
    cause: str


def batch(
    waiting: Sequence[Waiting],
    busy: Collection[str],
    standing: Collection[str],
    now: datetime,
    group: timedelta,
    *,
    at_once: bool = False,
) -> list[Waiting]:
    """The alerts of one recipient that one message should contain now; empty if it is not time yet.

    Args:
        busy: causes of which more alerts may follow, because a run is about to read the same source.
        standing: causes that still affect an activation. A recovery waits for the last one.
        group: how long a new alert waits for others.
        at_once: whatever the moments at which they are due.
    """
    ready = [one for one in waiting if not _blocked(one, busy, standing, now)] if not at_once else list(waiting)
    if not any(at_once or _due(one, now) for one in ready):
        return []
    return [one for one in ready if at_once or _due(one, now) or one.due_at <= now + group]


def retry_at(attempts: int, now: datetime) -> datetime:
    """When a message is sent again that failed `attempts` times: after 1, 2, 4 … minutes, at most an hour."""
    return now + min(FIRST_RETRY * float(2 ** min(attempts - 1, 10)), LAST_RETRY)


def gives_up(created_at: datetime, now: datetime) -> bool:
    """Whether an alert is too old to be tried again."""
    return now - created_at >= GIVE_UP_AFTER


def next_digest(at: time, now: datetime) -> datetime:
    """The next moment of a daily digest, in UTC."""
    today = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def _blocked(one: Waiting, busy: Collection[str], standing: Collection[str], now: datetime) -> bool:
    if one.attempts:
        return False
    longest, causes = (LONGEST_RECOVERY, standing) if one.recovered else (LONGEST_WAIT, busy)
    return one.cause in causes and timedelta(0) <= now - one.created_at < longest


def _due(one: Waiting, now: datetime) -> bool:
    # Created in the future: the clock was set back since.
    return one.due_at <= now or one.created_at > now + FIRST_RETRY
