"""PURE. How often a request is retried, how long to back off, and how many failures in a row stop a run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.errors import Unavailable
from core.http import LONGEST_WAIT_SECONDS
from destinations.contract import LONGEST_PAUSE_SECONDS

if TYPE_CHECKING:
    import random
    from datetime import datetime

ATTEMPTS = 5
BACKOFF_SECONDS = 1.0
BACKOFF_AT_MOST = 30.0
BREAKER_FAILURES = 12


def backoff_seconds(attempt: int, problem: Unavailable, chance: random.Random) -> float:
    """Seconds to wait before the next attempt: at least what the vendor asked for, else doubling, with jitter."""
    doubling: float = min(BACKOFF_SECONDS * 2 ** (attempt - 1), BACKOFF_AT_MOST) * (0.5 + chance.random() / 2)
    return max(problem.retry_after or 0.0, doubling)


def may_retry(attempt: int, problem: Unavailable) -> bool:
    """Whether a request that got no usable answer is retried in this run. Rate limiting doesn't count as an attempt."""
    return problem.throttled or attempt < ATTEMPTS


def with_one_wait(problem: Unavailable, now: datetime) -> Unavailable:
    """The same problem, with the wait that the vendor asked for stated in one way, and at most `LONGEST_WAIT_SECONDS`.

    It is `retry_after` if a live run can wait that long, and otherwise `not_before`: the run ends, and continues then.
    """
    seconds = (problem.not_before - now).total_seconds() if problem.not_before else problem.retry_after
    if seconds is None:
        return problem
    seconds = min(seconds, LONGEST_WAIT_SECONDS) if seconds > 0 else 0.0
    waits = seconds <= LONGEST_PAUSE_SECONDS
    return Unavailable(
        problem.code,
        problem.message,
        detail=problem.detail,
        retry_after=seconds if waits else None,
        not_before=None if waits else now + timedelta(seconds=seconds),
        throttled=problem.throttled,
        ambiguous=problem.ambiguous,
    )
