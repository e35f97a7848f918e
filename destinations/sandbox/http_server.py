"""Serves a simulator over HTTP, on this machine only."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from destinations.sandbox import control
from destinations.sandbox.wire import Cut, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.sandbox.base import Sandbox

OWN_NAMES = ("127.0.0.1", "localhost", "::1")
FOREIGN = Reply(403, {"error": "Simulators take requests only from this machine, and not from other sites."})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    sandbox: Sandbox
    respond: Callable[[Request], Reply] | None

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
            self.answer(FOREIGN if is_foreign(request) else self.reply_to(request))
        except Cut:
            self.close_connection = True

    def reply_to(self, request: Request) -> Reply:
        return (
            control.answer(self.sandbox, request)
            if request.path.startswith(control.PATH)
            else (self.respond or self.sandbox.handle)(request)
        )

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def answer(self, reply: Reply) -> None:
        payload = reply.encoded()
        content_type = "text/html" if isinstance(reply.body, str) else "application/json; charset=utf-8"
        self.send_response(reply.status)
        for name, value in {"Content-Type": content_type, **reply.headers, "Content-Length": str(len(payload))}.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + payload)  # type: ignore[attr-defined]
        self.flush_headers()

    def log_message(self, template: str, *args: Any) -> None:
        """Prints nothing, because the sandbox has its own request log."""


def is_foreign(request: Request) -> bool:
    """Whether a page of a different site sent the request, through the browser of a person on this machine.

    Browsers name the origin of every request that changes something. A name that only resolves to this machine, as in
    DNS rebinding, is foreign too.
    """
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    name = urlsplit(f"//{host}").hostname
    return (bool(host) and name not in OWN_NAMES) or (origin is not None and urlsplit(origin).netloc != host)


class Server:
    """Serves one sandbox on 127.0.0.1. Use as a context manager, or call `run` to block.

    Args:
        port: 0 picks a free port.
        respond: handles requests to the vendor's API instead of `sandbox.handle`. May raise `Cut` to close the
            connection.
    """

    def __init__(self, sandbox: Sandbox, port: int = 0, respond: Callable[[Request], Reply] | None = None) -> None:
        handler = type(
            "Handler", (_Handler,), {"sandbox": sandbox, "respond": staticmethod(respond) if respond else None}
        )
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
