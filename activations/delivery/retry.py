"""PURE. How often a request is retried, how long to back off, and how many failures in a row stop a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from core.errors import Unavailable

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
