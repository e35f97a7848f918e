"""PURE. How often a write is retried, how long to wait before it, and how many failures pause a run."""

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
    """How long to wait before the next try of one write: what the vendor said, or doubling with jitter."""
    doubling = min(BACKOFF_SECONDS * 2 ** (attempt - 1), BACKOFF_AT_MOST) * (0.5 + chance.random() / 2)
    return max(problem.retry_after or 0.0, doubling)


def may_retry(attempt: int, problem: Unavailable) -> bool:
    """Whether a write that got no usable answer is tried again in this run. Being throttled does not count."""
    return problem.throttled or attempt < ATTEMPTS
