"""The web server: gunicorn with bounded waits for clients, and the application's log.

A configuration file of gunicorn: `gunicorn --config python:dinmo.local.web_server`.
"""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from core.logs import formatter
from dinmo.local import listeners
from segments.isolation import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 10.0
"""How long a client may take to send a request, besides the time that its size allows."""
SLOWEST_BYTES_PER_SECOND = 20_000
"""A client that sends a large file more slowly than this is cut off."""
HANDSHAKE_SECONDS = 0.1
"""How long the kernel may need to let a client in that has asked."""
TOO_SLOW = "The client is too slow."

LOGIN_PRINTED = "LOGIN_PRINTED"
"""The environment variable with which `make up` says that it prints a first login itself."""


class BoundedSocket:
    """A client's socket that is used only as long as the client keeps sending, and reading what it is sent.

    Without it, each connection that stalls in the middle of a request holds a thread until the client goes away.
    """

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.begin()

    def begin(self) -> None:
        """Prepares for the next request of the connection. Its time begins when it is read, not while it is queued."""
        self.started: float | None = None
        self.received = 0

    def recv(self, size: int) -> bytes:
        """Like `socket.recv`. Raises ConnectionResetError once the client has been too slow."""
        now = time.monotonic()
        self.started = now if self.started is None else self.started
        allowed = PATIENCE_SECONDS + self.received / SLOWEST_BYTES_PER_SECOND
        with self._limited(self.started + allowed - now):
            data: bytes = self.sock.recv(size)
        self.received += len(data)
        return data

    def sendall(self, data: bytes) -> None:
        """Like `socket.sendall`. Raises ConnectionResetError if the client takes too long to read the response."""
        with self._limited(PATIENCE_SECONDS + len(data) / SLOWEST_BYTES_PER_SECOND):
            self.sock.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        if seconds <= 0:
            raise ConnectionResetError(errno.ECONNRESET, TOO_SLOW)
        usual = self.sock.gettimeout()
        self.sock.settimeout(seconds if usual is None else min(usual, seconds))
        try:
            yield
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, TOO_SLOW) from None
        finally:
            self.sock.settimeout(usual)


class BoundedWorker(ThreadWorker):
    """A worker with threads, none of which waits for a slow client for long."""

    def enqueue_req(self, conn: Any) -> None:
        # Both the parser and the worker read through the connection's socket.
        if isinstance(conn.sock, BoundedSocket):
            conn.sock.begin()
        else:
            conn.sock = BoundedSocket(conn.sock)
        super().enqueue_req(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """On SIGTERM, clients that the kernel has let in are answered, and later ones are refused immediately."""
        if enabled or self.alive:
            super().set_accept_enabled(enabled)
            return
        for listener in self.sockets:
            self._drain(listener)
        super().set_accept_enabled(False)
        for listener in self.sockets:
            # Otherwise, the kernel lets clients in until the last answer is sent, and then drops them.
            listener.close()

    def _drain(self, listener: Any) -> None:
        """Accepts everybody who is let in before the socket is closed. If gunicorn goes on, its next worker does."""
        if not listeners.is_kept_by_parent(listener):
            listeners.refuse_new_clients(listener)
            # Those who are just being let in.
            time.sleep(HANDSHAKE_SECONDS)
        before = -1
        while before < self.nr_conns:
            before = self.nr_conns
            self.accept(listener)


class RedactingLogger(Logger):
    """The server's own log, formatted as that of the application."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            for handler in logger.handlers:
                handler.setFormatter(formatter(os.environ.get("LOG_FORMAT", "")))


def post_worker_init(worker: Any) -> None:
    """Called in each worker once it can answer."""
    processes.keep()
    logging.getLogger("dinmo.web").info("Web process %s is ready.", worker.pid)


def when_ready(_server: Any) -> None:
    """Logs how to create the first administrator. In a process of its own, so that the server loads no application."""
    if not os.environ.get(LOGIN_PRINTED):
        environment = {"DJANGO_SETTINGS_MODULE": "dinmo.settings", **os.environ}
        subprocess.Popen([sys.executable, "-m", "django", "setuplink"], env=environment)


worker_class = "dinmo.local.web_server.BoundedWorker"
logger_class = "dinmo.local.web_server.RedactingLogger"
# At "info", there are several lines for each start. The application logs requests.
loglevel = "warning"
# Without the query string and the referrer, which contain keys of records and search terms.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(L)s'
