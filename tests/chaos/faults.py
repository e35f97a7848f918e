"""A vendor simulator with injected faults (delays, errors, cut connections, outages) and a log of every write."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.http import READ_SECONDS
from destinations.sandbox.wire import Cut, Reply, Request

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from destinations.sandbox.base import Sandbox

LATENCY_SECONDS = (0.02, 0.08)
SLOW_SECONDS = 0.4
SHORT_OUTAGE_SECONDS, LONG_OUTAGE_SECONDS = 2.5, 6.0
FAULT_RATES = {
    "refused": 0.015,
    "throttled": 0.004,
    "cut": 0.01,
    "cut_after": 0.02,
    "failed_after": 0.01,
    "slow": 0.03,
    "outage": 0.0003,
}
RECORDS = ("/companies", "/records")
REFUSALS = {
    "refused": Reply(503, {"message": "Service unavailable"}),
    "outage": Reply(503, {"message": "Service unavailable"}),
    "broken": Reply(500, {"message": "Internal server error"}),
    "throttled": Reply(429, {"message": "Slow down"}, {"Retry-After": "1"}),
    "throttled_bare": Reply(429, {"message": "Slow down"}),
}
"""Answers to requests that are not carried out."""
LOST_ANSWERS = ("cut_after", "failed_after", "malformed", "timeout")
"""Faults of requests that are carried out, but whose answer the client can't read."""
TIMEOUT_SECONDS = READ_SECONDS + 2.0


@dataclass(frozen=True)
class Write:
    """One write that the vendor carried out. `answered` is false if the client did not receive the answer."""

    at: float
    method: str
    path: str
    body: Any
    answered: bool


@dataclass(frozen=True)
class Failure:
    """One write that a fault prevented, or whose answer was lost to a fault."""

    at: float
    path: str


@dataclass
class FaultyVendor:
    """Wraps a simulator. Faults are off at first. The state survives all kills, because it lives in this process.

    Args:
        rates: the share of requests for records that each fault affects.
    """

    sandbox: Sandbox
    rng: random.Random
    rates: Mapping[str, float] = field(default_factory=lambda: FAULT_RATES)
    faults_enabled: bool = False
    writes: list[Write] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    requests: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0
    down_until: float = 0.0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    def handle(self, request: Request) -> Reply:
        """Handles a request like `Sandbox.handle`, possibly with an injected fault."""
        started_at = time.time()
        fault, latency = self._draw_fault(started_at, request)
        time.sleep(latency)
        if fault not in ("none", "slow") and _is_write(request):
            self.failures += [Failure(time.time(), path) for path, _ in logged_writes(request)]
        if fault in REFUSALS:
            return REFUSALS[fault]
        if fault == "rejected":
            return self.sandbox.error_reply(400)
        if fault == "cut":
            raise Cut
        reply = self.sandbox.handle(request)
        lost = fault in LOST_ANSWERS
        self._record(request, reply, started_at, answered=not lost)
        return self._spoiled(fault) if lost else reply

    @property
    def faults(self) -> int:
        """How many faults were injected."""
        return self.injected.total()

    def _spoiled(self, fault: str) -> Reply:
        """What the client receives instead of the answer."""
        if fault == "timeout":
            time.sleep(TIMEOUT_SECONDS)
        if fault in ("cut_after", "timeout"):
            raise Cut
        return Reply(502, "<html>Bad gateway</html>") if fault == "failed_after" else Reply(200, '{"data": {"id": ')

    def start_outage(self) -> None:
        """Makes the vendor unavailable for LONG_OUTAGE_SECONDS."""
        self.down_until = time.time() + LONG_OUTAGE_SECONDS

    def _draw_fault(self, now: float, request: Request) -> tuple[str, float]:
        is_record_request = any(part in request.path for part in RECORDS)
        with self.lock:
            self.requests += 1
            latency = self.rng.uniform(*LATENCY_SECONDS)
            draw, fault = self.rng.random(), "none"
            for name, share in self.rates.items() if self.faults_enabled and is_record_request else ():
                draw -= share
                if draw < 0:
                    fault = name
                    break
            if fault == "outage":
                self.down_until = now + SHORT_OUTAGE_SECONDS
            if now < self.down_until and self.faults_enabled:
                fault = "outage"
            if fault == "rejected" and not _is_write(request):
                fault = "none"
            if fault != "none":
                self.injected[fault] += 1
            return fault, SLOW_SECONDS if fault == "slow" else latency

    def _record(self, request: Request, reply: Reply, started_at: float, *, answered: bool) -> None:
        if not _is_write(request) or reply.status >= 300:
            return
        now = time.time()
        with self.lock:
            self.longest_seconds = max(self.longest_seconds, now - started_at)
            self.writes += [Write(now, request.method, path, body, answered) for path, body in logged_writes(request)]


def logged_writes(request: Request) -> Iterator[tuple[str, Any]]:
    """Path and body of each record in a write. In a batch, each record has a path of its own."""
    body = request.json()
    if "records" not in body:
        yield request.path, body
    for record in body.get("records", ()):
        yield f"{request.path}/{record.get('id') or record['number']}", record


def _is_write(request: Request) -> bool:
    return request.method != "GET" and not request.path.endswith("/query")
