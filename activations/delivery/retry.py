"""PURE. How often a request is retried, how long to back off, and how many failures in a row stop a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from core.errors import Unavailable
from core.http import LONGEST_WAIT_SECONDS
from destinations.contract import LONGEST_PAUSE_SECONDS

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from datetime import datetime

    from core.errors import Problem

ATTEMPTS = 5
BACKOFF_SECONDS = 1.0
BACKOFF_AT_MOST = 30.0
BREAKER_FAILURES = 12
NEVER_SENT = ("stopped", "blocked")
"""The codes of requests that were never sent, because the run stopped, or the rate limit leaves no room for hours."""


@dataclass(frozen=True)
class Breaker:
    """A circuit breaker that counts requests in a row without an answer. Once it is open, the vendor counts as down."""

    failures: int = 0
    at_most: int = field(default_factory=lambda: BREAKER_FAILURES)

    @property
    def is_open(self) -> bool:
        return self.failures >= self.at_most

    def after(self, problems: Sequence[Problem | None]) -> Breaker:
        """The breaker after the answer to one more request, however many records it was about.

        An answer to any of them closes it. Rate limiting and requests that were never sent don't count.

        Args:
            problems: the problem of each record, or None if it was answered.
        """
        failures = [problem for problem in problems if isinstance(problem, Unavailable)]
        if len(failures) < len(problems):
            return replace(self, failures=0)
        counts = any(not failure.throttled and failure.code not in NEVER_SENT for failure in failures)
        return replace(self, failures=self.failures + 1) if counts else self


@dataclass(frozen=True)
class Retry:
    """What follows a request that got no usable answer.

    Args:
        attempted: it counts as an attempt.
        given_up: it was the last attempt in this run.
        wait_seconds: how long to wait before it is sent again.
        pause_seconds: how long its whole budget pauses, because the vendor limits the rate; 0 without a pause.
    """

    attempted: bool = True
    given_up: bool = False
    wait_seconds: float = 0.0
    pause_seconds: float = 0.0


def backoff_seconds(attempt: int, problem: Unavailable, chance: random.Random) -> float:
    """Seconds to wait before the next attempt: at least what the vendor asked for, else doubling, with jitter."""
    doubling: float = min(BACKOFF_SECONDS * 2 ** (attempt - 1), BACKOFF_AT_MOST) * (0.5 + chance.random() / 2)
    return max(problem.retry_after or 0.0, doubling)


def after(problem: Unavailable, attempts: int, *, stopping: bool, chance: random.Random) -> Retry:
    """Decides what follows a request that got no usable answer. Rate limiting doesn't count as an attempt.

    Args:
        attempts: how many requests for the same thing got no usable answer before.
        stopping: the run can't continue, so nothing is sent again in it.
    """
    if problem.throttled:
        return Retry(attempted=False, pause_seconds=problem.retry_after or 1.0)
    if stopping:
        return Retry()
    if attempts + 1 >= ATTEMPTS:
        return Retry(given_up=True)
    return Retry(wait_seconds=backoff_seconds(attempts + 1, problem, chance))


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
