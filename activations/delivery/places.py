"""How many requests of a run may be in flight at the same time."""

from __future__ import annotations

from dataclasses import dataclass

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
