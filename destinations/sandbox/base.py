"""What every vendor simulator is built on: routing, faults, latency and a request log."""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from destinations.sandbox.wire import Collection, Cut, Fault, Reply, Request, Switch

LOG_LENGTH = 200_000


Handler = Callable[..., Reply]


class Sandbox(ABC):
    """One simulated workspace. A subclass sets `routes` and keeps the vendor's rules and state.

    A route is (method, regular expression of the whole path, name of the handler method); the handler gets the request
    and the groups of the expression.
    """

    slug: ClassVar[str]
    """The platform that it simulates."""
    label: ClassVar[str]
    """The vendor's name."""
    routes: ClassVar[tuple[tuple[str, str, str], ...]]
    switch_table: ClassVar[tuple[Switch, ...]]
    """Everything that `switches` may hold."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.lock = threading.RLock()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.faults: list[Fault] = []
        self.latency_seconds = 0.0
        self.filled = 0
        self.switches: dict[str, Any] = {}
        self._routes = [(method, re.compile(path), name) for method, path, name in self.routes]
        self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Back to an empty workspace with the vendor's standard attributes."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything a test compares, as JSON."""

    @abstractmethod
    def guard(self, request: Request) -> Reply | None:
        """What the vendor answers before it looks at the path: authentication, version, rate limit. None lets it pass."""

    @abstractmethod
    def unknown(self, request: Request) -> Reply:
        """The vendor's answer to a path or method that it doesn't have."""

    @abstractmethod
    def collections(self) -> dict[str, Collection]:
        """The kinds of record, by name; the first is the one that `fill` fills."""

    @abstractmethod
    def archive(self, kind: str, name: str, archived: bool) -> None:
        """Archives an attribute of a kind of record, or brings it back. Raises KeyError where there is none that could be."""

    @abstractmethod
    def example(self, number: int) -> None:
        """Stores an invented record, the same for the same number."""

    @abstractmethod
    def refusal(self, status: int, message: str = "") -> Reply:
        """How the vendor words an error of this status; `message` replaces its text."""

    def headers(self, request: Request) -> dict[str, str]:
        """Headers that the vendor sets on every answer. Called after the request was processed."""
        return {}

    def handle(self, request: Request) -> Reply:
        """One request from arrival to answer, faults included.

        Raises:
            Cut: a fault closes the connection.
        """
        began = time.monotonic()
        fault = self._take_fault(request)
        if self.latency_seconds:
            time.sleep(self.latency_seconds)
        return self._faulty(fault, request, began) if fault else self._process(request, began)

    def fill(self, count: int) -> None:
        """Adds invented records. Others are answered in between."""
        for _ in range(count):
            with self.lock:
                self.example(self.filled)
                self.filled += 1

    def _process(self, request: Request, began: float) -> Reply:
        with self.lock:
            reply = self.guard(request) or self._route(request)
            reply.headers = {**self.headers(request), **reply.headers}
        self._remember(request, reply.status, began)
        return reply

    def _route(self, request: Request) -> Reply:
        for method, pattern, name in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                handler: Handler = getattr(self, name)
                return handler(request, *match.groups())
        return self.unknown(request)

    def _take_fault(self, request: Request) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.meets(request):
                    fault.times -= 1
                    return fault
        return None

    def _faulty(self, fault: Fault, request: Request, began: float) -> Reply:
        if fault.action == "cut":
            self._remember(request, 0, began)
            raise Cut
        if fault.action == "reply":
            self._remember(request, fault.status, began)
            return Reply(fault.status, fault.body, dict(fault.headers))
        if fault.action == "delay":
            time.sleep(fault.seconds)
        reply = self._process(request, began)
        if fault.action == "cut_after":
            raise Cut
        if fault.action == "delay_after":
            time.sleep(fault.seconds)
        return reply

    def _remember(self, request: Request, status: int, began: float) -> None:
        try:
            body = request.json() if request.body else None
        except ValueError:
            body = request.body.decode(errors="replace")
        self.log.append(
            {
                "at": time.time(),
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "body": body,
                "status": status,
                "ms": round((time.monotonic() - began) * 1000, 1),
            }
        )

    def _switch(self, wanted: dict[str, Any]) -> None:
        self.latency_seconds = float(wanted.pop("latency_seconds", self.latency_seconds))
        self.switches.update(wanted)
