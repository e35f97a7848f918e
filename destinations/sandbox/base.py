"""The base of every vendor simulator: routing, faults, latency and a request log."""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from destinations.sandbox.wire import ApiError, Collection, Cut, Editor, Fault, Reply, Request, Switch

LOG_LENGTH = 200_000

Handler = Callable[..., Reply]


class Sandbox(ABC):
    """One simulated workspace. A subclass sets `routes` and implements the vendor's rules and state.

    A route is (HTTP method, regular expression for the complete path, name of the handler method). The handler receives
    the request and the groups of the expression.
    """

    slug: ClassVar[str]
    """The platform that it simulates."""
    label: ClassVar[str]
    """The vendor's name."""
    routes: ClassVar[tuple[tuple[str, str, str], ...]]
    switch_table: ClassVar[tuple[Switch, ...]]
    """Every switch that `switches` may contain."""
    quota_headers: ClassVar[tuple[str, ...]] = ()
    """The response headers by which the vendor reports how many requests remain. Empty if it doesn't report that."""

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
        """Resets to an empty workspace with the vendor's standard attributes."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that tests compare, as JSON."""

    @abstractmethod
    def guard(self, request: Request) -> Reply | None:
        """The vendor's checks that don't depend on the path: authentication, version, rate limit. None if they pass.

        Like the handlers, it may raise ApiError.
        """

    @abstractmethod
    def refusal(self, error: ApiError) -> Reply:
        """The vendor's response that ends a request with this error."""

    @abstractmethod
    def unknown(self, request: Request) -> Reply:
        """The vendor's response to an unknown path or method."""

    @abstractmethod
    def collections(self) -> dict[str, Collection]:
        """The kinds of records by name. `fill` adds records of the first kind."""

    @abstractmethod
    def archive(self, kind: str, name: str, archived: bool) -> None:
        """Archives or restores an attribute of a kind of record. Raises KeyError if there is no such attribute."""

    def edit(self, kind: str, remote_id: str, values: Mapping[str, Any], by: Editor) -> None:
        """Changes a record as somebody else does: values in the form of the API by attribute, `[]` or null to clear.

        Raises:
            ApiError: there is no such record, or the vendor would reject a value.
            NotImplementedError: this simulator can't.
        """
        raise NotImplementedError(f"{self.label}'s simulator has no edits by others.")

    @abstractmethod
    def example(self, number: int) -> None:
        """Stores a sample record. The same number always gives the same record."""

    @abstractmethod
    def error_reply(self, status: int, message: str = "") -> Reply:
        """The vendor's error response for this status. `message` replaces its text."""

    def headers(self, request: Request) -> dict[str, str]:
        """Headers that the vendor sets on every response. Called after the request was processed."""
        return {}

    def handle(self, request: Request) -> Reply:
        """Processes one request and returns the response, including any faults.

        Raises:
            Cut: a fault closes the connection.
        """
        started = time.monotonic()
        fault = self._take_fault(request)
        if self.latency_seconds:
            time.sleep(self.latency_seconds)
        return self._apply_fault(fault, request, started) if fault else self._process(request, started)

    def fill(self, count: int) -> None:
        """Adds sample records. Other requests are processed in between."""
        for _ in range(count):
            with self.lock:
                self.example(self.filled)
                self.filled += 1

    def _process(self, request: Request, started: float, *, delivered: bool = True) -> Reply:
        with self.lock:
            try:
                reply = self.guard(request) or self._route(request)
            except ApiError as error:
                reply = self.refusal(error)
            reply.headers = {**self.headers(request), **reply.headers}
        self._log_request(request, reply.status, started, reply.headers if delivered else {})
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
                if fault.matches(request):
                    fault.times -= 1
                    return fault
        return None

    def _apply_fault(self, fault: Fault, request: Request, started: float) -> Reply:
        if fault.action == "cut":
            self._log_request(request, 0, started)
            raise Cut
        if fault.action == "reply":
            self._log_request(request, fault.status, started, fault.headers)
            return Reply(fault.status, fault.body, dict(fault.headers))
        if fault.action == "delay":
            time.sleep(fault.seconds)
        reply = self._process(request, started, delivered=not fault.action.endswith("_after"))
        if fault.action == "cut_after":
            raise Cut
        if fault.action == "delay_after":
            time.sleep(fault.seconds)
        return reply

    def _log_request(
        self, request: Request, status: int, started: float, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
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
                "quota": bool(self.quota_headers) and all(name in headers for name in self.quota_headers),
                "ms": round((time.monotonic() - started) * 1000, 1),
            }
        )

    def _switch(self, values: dict[str, Any]) -> None:
        self.latency_seconds = float(values.pop("latency_seconds", self.latency_seconds))
        self.switches.update(values)
