"""A vendor's simulator in bad weather: slow, refusing, cutting connections before and after the work; and a log of every write."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import Cut, Reply, Request

if TYPE_CHECKING:
    import random

    from destinations.sandbox.base import Sandbox

LATENCY_SECONDS = (0.02, 0.08)
SLOW_SECONDS = 0.4
OUTAGE_SECONDS, STORM_SECONDS = 2.5, 6.0
FATES = {
    "refused": 0.015,
    "throttled": 0.004,
    "cut": 0.01,
    "cut_after": 0.02,
    "failed_after": 0.01,
    "slow": 0.03,
    "outage": 0.0003,
}
RECORDS = ("/companies", "/records")


@dataclass(frozen=True)
class Write:
    """One write that the vendor carried out. `answered` is false where the client can't know."""

    at: float
    method: str
    path: str
    body: Any
    answered: bool


@dataclass(frozen=True)
class Failure:
    """One write that the weather kept from being carried out, or whose answer it lost."""

    at: float
    path: str


@dataclass
class Weather:
    """Answers in place of a simulator. Calm from the start; the state survives whoever is killed."""

    sandbox: Sandbox
    chance: random.Random
    rough: bool = False
    writes: list[Write] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    requests: int = 0
    faults: int = 0
    longest_seconds: float = 0.0
    down_until: float = 0.0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    def handle(self, request: Request) -> Reply:
        """As `Sandbox.handle`, with what the weather does to the request."""
        begun = time.time()
        fate, latency = self._fate(begun, any(part in request.path for part in RECORDS))
        time.sleep(latency)
        if fate not in ("fine", "slow") and _is_write(request):
            self.failures.append(Failure(time.time(), request.path))
        if fate in ("refused", "outage"):
            return Reply(503, {"message": "Service unavailable"})
        if fate == "throttled":
            return Reply(429, {"message": "Slow down"}, {"Retry-After": "1"})
        if fate == "cut":
            raise Cut
        reply = self.sandbox.handle(request)
        lost = fate in ("cut_after", "failed_after")
        self._note(request, reply, begun, answered=not lost)
        if fate == "cut_after":
            raise Cut
        return Reply(502, "<html>Bad gateway</html>") if lost else reply

    def storm(self) -> None:
        """The vendor is down for a while."""
        self.down_until = time.time() + STORM_SECONDS

    def _fate(self, now: float, of_records: bool) -> tuple[str, float]:
        with self.lock:
            self.requests += 1
            latency = self.chance.uniform(*LATENCY_SECONDS)
            drawn, fate = self.chance.random(), "fine"
            for name, share in FATES.items() if self.rough and of_records else ():
                drawn -= share
                if drawn < 0:
                    fate = name
                    break
            if fate == "outage":
                self.down_until = now + OUTAGE_SECONDS
            if now < self.down_until and self.rough:
                fate = "outage"
            self.faults += fate != "fine"
            return fate, SLOW_SECONDS if fate == "slow" else latency

    def _note(self, request: Request, reply: Reply, begun: float, *, answered: bool) -> None:
        if not _is_write(request) or reply.status >= 300:
            return
        now = time.time()
        with self.lock:
            self.longest_seconds = max(self.longest_seconds, now - begun)
            self.writes.append(Write(now, request.method, request.path, request.json(), answered))


def _is_write(request: Request) -> bool:
    return request.method != "GET" and not request.path.endswith("/query")
