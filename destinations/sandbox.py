"""The frame of a vendor simulator: an HTTP server with faults, a request log and a `/_sandbox` control path."""

from __future__ import annotations

import json
import re
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

CONTROL = "/_sandbox"
LOG_LENGTH = 200_000


@dataclass(frozen=True)
class Request:
    """What the client sent; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises ValueError where the body is no JSON."""
        return json.loads(self.body)


@dataclass
class Reply:
    """What goes back: a JSON value, or text as it is."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass
class Fault:
    """Something that goes wrong for the next `times` matching requests.

    Args:
        method, path: which requests: a method ("" for all) and a regular expression searched in the path.
        body_contains: only requests whose body holds this text ("" for all).
        action: `reply` answers `status`, `body`, `headers` without processing; `cut` closes the connection unprocessed;
            `cut_after` processes and then closes it; `delay` waits `seconds` and processes; `delay_after` processes, waits, answers.
    """

    action: str
    method: str = ""
    path: str = ""
    body_contains: str = ""
    times: int = 1
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def meets(self, request: Request) -> bool:
        return (
            self.times > 0
            and self.method in ("", request.method)
            and re.search(self.path, request.path) is not None
            and self.body_contains.encode() in request.body
        )


class Cut(Exception):
    """Close the connection without an answer."""


Handler = Callable[..., Reply]


class Sandbox(ABC):
    """One simulated workspace. A subclass sets `routes` and keeps the vendor's rules and state.

    A route is (method, regular expression of the whole path, name of the handler method); the handler gets the request
    and the groups of the expression.
    """

    routes: ClassVar[tuple[tuple[str, str, str], ...]]

    def __init__(self, token: str) -> None:
        self.token = token
        self.lock = threading.RLock()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.faults: list[Fault] = []
        self.latency_seconds = 0.0
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

    def headers(self, request: Request) -> dict[str, str]:
        """Headers that the vendor sets on every answer. Called after the request was processed."""
        return {}

    def handle(self, request: Request) -> Reply:
        """One request from arrival to answer, faults included.

        Raises:
            Cut: a fault closes the connection.
        """
        if request.path.startswith(CONTROL):
            return self._control(request)
        fault = self._take_fault(request)
        if self.latency_seconds:
            time.sleep(self.latency_seconds)
        return self._faulty(fault, request) if fault else self._process(request)

    def _process(self, request: Request) -> Reply:
        with self.lock:
            reply = self.guard(request) or self._route(request)
            reply.headers = {**self.headers(request), **reply.headers}
        self._remember(request, reply.status)
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

    def _faulty(self, fault: Fault, request: Request) -> Reply:
        if fault.action == "cut":
            self._remember(request, 0)
            raise Cut
        if fault.action == "reply":
            self._remember(request, fault.status)
            return Reply(fault.status, fault.body, dict(fault.headers))
        if fault.action == "delay":
            time.sleep(fault.seconds)
        reply = self._process(request)
        if fault.action == "cut_after":
            raise Cut
        if fault.action == "delay_after":
            time.sleep(fault.seconds)
        return reply

    def _remember(self, request: Request, status: int) -> None:
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
            }
        )

    def _control(self, request: Request) -> Reply:
        """`state`, `requests`, `faults`, `switches`, `reset` below the control path, for tests and people."""
        name = request.path[len(CONTROL) :].strip("/")
        with self.lock:
            if (request.method, name) == ("GET", "state"):
                return Reply(body=self.state())
            if (request.method, name) == ("GET", "requests"):
                return Reply(body=list(self.log))
            if (request.method, name) == ("DELETE", "requests"):
                self.log.clear()
            elif (request.method, name) == ("POST", "faults"):
                self.faults.append(Fault(**request.json()))
            elif (request.method, name) == ("DELETE", "faults"):
                self.faults.clear()
            elif (request.method, name) == ("POST", "switches"):
                self._switch(request.json())
            elif (request.method, name) == ("POST", "reset"):
                self.reset()
                self.log.clear()
                self.faults.clear()
            else:
                return Reply(404, {"error": f"There is no {request.method} {request.path}."})
        return Reply(body={"ok": True})

    def _switch(self, wanted: dict[str, Any]) -> None:
        self.latency_seconds = float(wanted.pop("latency_seconds", self.latency_seconds))
        self.switches.update(wanted)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    sandbox: Sandbox

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        try:
            self.answer(self.sandbox.handle(request))
        except Cut:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def answer(self, reply: Reply) -> None:
        payload = reply.encoded()
        kind = "text/html" if isinstance(reply.body, str) else "application/json; charset=utf-8"
        self.send_response(reply.status)
        for name, value in {"Content-Type": kind, **reply.headers, "Content-Length": str(len(payload))}.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + payload)  # type: ignore[attr-defined]
        self.flush_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """The request log of the sandbox is enough."""


class Server:
    """Serves one sandbox on 127.0.0.1; port 0 takes a free one. Use as a context manager, or call `run` to block."""

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        handler = type("Handler", (_Handler,), {"sandbox": sandbox})
        self.sandbox = sandbox
        self.http = _HTTPServer(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def run(self) -> None:
        self.http.serve_forever(poll_interval=0.05)

    def __enter__(self) -> Server:
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.http.shutdown()
        self.http.server_close()


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True
