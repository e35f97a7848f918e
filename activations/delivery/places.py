"""How many requests of a run may be in flight at the same time, and the answers to them that have arrived."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")
FIRST_PLACES = 4
MOST_PLACES = 128


@dataclass
class Places:
    """How many requests may be in flight: the allowed rate × the observed latency × 1.5.

    Latency is the time for which a place is taken, until the answer is recorded, without the wait for the rate limiter.
    At 10 requests a second and a latency of 2 seconds, for example, 20 requests in flight use up the rate; half as many
    again absorb slower answers.
    """

    rate: float
    latency: float = 0.1
    taken: int = 0

    @property
    def free(self) -> int:
        return max(FIRST_PLACES, min(MOST_PLACES, int(self.rate * self.latency * 1.5) + 1)) - self.taken

    def observe(self, seconds: float) -> None:
        self.latency += (seconds - self.latency) * 0.1


def arrived(answers: queue.Queue[Answer], wait_seconds: float) -> list[Answer]:
    """The answers that have arrived. If there are none, waits for the first, at most `wait_seconds`."""
    collected: list[Answer] = []
    try:
        collected.append(answers.get(timeout=wait_seconds))
        while True:
            collected.append(answers.get_nowait())
    except queue.Empty:
        return collected
