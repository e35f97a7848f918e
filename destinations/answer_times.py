"""How long a vendor took to answer the requests of a run, as counts that add up across workers and machines."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""The upper ends of the buckets, in seconds. A request ends after 20 at the latest: see `core.http`."""
REST = "+Inf"
SUM = "sum"
BUCKETS = (*map(str, BOUNDS), REST)
NO_ANSWER = "none"


class AnswerTimes:
    """Counts the answers to the requests of a run by status class. Safe for many threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: dict[str, Counter[str]] = {}

    def add(self, status: int | None, seconds: float) -> None:
        """Counts one request.

        Args:
            status: of the answer; None if there was none that could be used.
        """
        answer = f"{status // 100}xx" if status else NO_ANSWER
        with self.lock:
            self.counts.setdefault(answer, Counter()).update({bucket(seconds): 1, SUM: seconds})

    def take(self) -> dict[str, dict[str, float]]:
        """The counts since the last call: by status class, the answers in each bucket, and the sum of their seconds."""
        with self.lock:
            counts, self.counts = self.counts, {}
        return {answer: dict(count) for answer, count in counts.items()}


def bucket(seconds: float) -> str:
    """PURE. The name of the bucket that a time belongs to."""
    return BUCKETS[bisect_left(BOUNDS, seconds)]


def added(
    one: Mapping[str, Mapping[str, float]], other: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """PURE. Two counts together."""
    total = {answer: Counter(dict(counts)) for answer, counts in one.items()}
    for answer, counts in other.items():
        total.setdefault(answer, Counter()).update(counts)
    return {answer: dict(counts) for answer, counts in total.items()}
