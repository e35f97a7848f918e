"""Starts and ends processes that read sources, on behalf of the process that needs them, and limits their number."""

from __future__ import annotations

import atexit
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from segments.isolation import problems
from segments.isolation.orders import ENDED, KILL, ORDER, START

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
IDLE_SECONDS = 300.0
"""After which a forker that nobody needs ends, in processes that read sources only now and then."""
STOP_SECONDS = 5.0
LOADED = ("pyarrow.compute", "segments.sql.computed_columns", "segments.sql.profiles", "segments.sql.where")
"""What each process would otherwise load itself: between them, these import all that statements consist of."""
SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE|_URL$")
"""Variables of the environment that engines don't need: credentials, and addresses that may contain some."""
QUIET = {
    # A copy of a process has none of its threads, so none may be started by loading a library.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Others reserve addresses far in excess of what they use, which count against the limit.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
}


class Process:
    """A process for one session, and the socket to it. `code` is that of `subprocess.Popen.returncode`, once known."""

    def __init__(self, forker: ForkerProcess, number: int, connection: socket.socket, pipe: int) -> None:
        self.forker = forker
        self.number = number
        self.connection = connection
        self.code: int | None = None
        self.is_over = False
        self._pipe = pipe

    def kill(self) -> None:
        with suppress(OSError):
            self.forker.order(KILL, self.number)

    def ends_within(self, seconds: float) -> bool:
        """Waits for its end. Afterwards, `code` says how it ended."""
        if not self.is_over and is_readable(self._pipe, seconds):
            self.is_over = True
            # Nothing, if the forker ended too.
            if status := os.read(self._pipe, ENDED.size):
                self.code = os.waitstatus_to_exitcode(ENDED.unpack(status)[0])
        return self.is_over

    def close(self, seconds: float = 0) -> None:
        """Waits for its end, and kills it if it has not ended by then."""
        self.connection.close()
        if not self.ends_within(seconds):
            self.kill()
            if not self.ends_within(STOP_SECONDS):
                self.forker.stop()
                self.is_over = True
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


class ForkerProcess:
    """A running forker."""

    def __init__(self, idle_seconds: float) -> None:
        self.control, theirs = socket.socketpair()
        self.numbers = count(1)
        self.lock = threading.Lock()
        command = [sys.executable, "-P", "-m", "segments.isolation.forker", str(idle_seconds), *LOADED]
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=_environment(), start_new_session=True
            )

    def start(self) -> Process:
        """A new process. Raises OSError if the forker has ended."""
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        number = next(self.numbers)
        try:
            with theirs:
                self.order(START, number, theirs.fileno(), writing)
        except OSError:
            ours.close()
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return Process(self, number, ours, reading)

    def order(self, kind: bytes, number: int, *descriptors: int) -> None:
        with self.lock:
            socket.send_fds(self.control, [ORDER.pack(kind, number)], descriptors)

    def stop(self) -> None:
        """Ends it, and with it all processes that it started."""
        self.control.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class _Shared:
    """What the threads of this process share."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.forker: ForkerProcess | None = None
        self.used = 0
        self.idle_seconds = IDLE_SECONDS


_shared = _Shared()


def keep() -> None:
    """Starts the forker ahead of time, and keeps it as long as this process."""
    _shared.idle_seconds = 0
    _forker()


@contextmanager
def process(most: int, wait_seconds: float) -> Iterator[Process]:
    """A process for one session.

    Args:
        most: how many there may be at the same time. One more has to wait.
        wait_seconds: how long it waits.

    Raises:
        Unavailable: none ended in time.
    """
    with _shared.lock:
        if not _shared.lock.wait_for(lambda: _shared.used < most, wait_seconds):
            raise problems.too_many()
        _shared.used += 1
    try:
        started = _started()
        try:
            yield started
        finally:
            started.close()
    finally:
        with _shared.lock:
            _shared.used -= 1
            _shared.lock.notify()


def _started() -> Process:
    forker = _forker()
    try:
        return forker.start()
    except OSError:
        # It had just ended, after a long time without work.
        forker.stop()
        return _forker().start()


def is_readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or the other end is closed, by then."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def _forker() -> ForkerProcess:
    with _shared.lock:
        if _shared.forker is None or _shared.forker.process.poll() is not None:
            _shared.forker = ForkerProcess(_shared.idle_seconds)
        return _shared.forker


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not SECRET.search(name)}
    return {**kept, **QUIET, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))}


def _stop() -> None:
    if _shared.forker:
        _shared.forker.stop()


def _forget() -> None:
    """In a copy of this process: the forker belongs to the original, and ends with it."""
    global _shared
    if _shared.forker:
        with suppress(OSError):
            _shared.forker.control.close()
    _shared = _Shared()


atexit.register(_stop)
os.register_at_fork(after_in_child=_forget)
