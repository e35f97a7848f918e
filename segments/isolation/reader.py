"""A reader whose engine runs in a separate process, with limits that it can't exceed."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
from django.conf import settings

from core.errors import Problem
from core.network import policy
from segments.contract import ColumnInfo, ForeignKey, Reader, Skipped, TableInfo
from segments.isolation import frames, problems
from segments.isolation.encoding import decoded, decoded_problem
from segments.isolation.processes import is_readable, process
from segments.isolation.session import OUT_OF_MEMORY, START_SECONDS, Call, Opening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Select

    from segments.isolation.processes import Process

INTERRUPTED_SECONDS = 2.0
"""How long before it is killed a call is interrupted."""
GRACE_SECONDS = 5.0
"""How much longer than its own time limit a call may take before the process is killed."""
POLL_SECONDS = 0.2
TIME_SIGNALS = (signal.SIGALRM, signal.SIGXCPU)
log = logging.getLogger(__name__)


class IsolatedDefect(RuntimeError):
    """A defect in the process of a session, with its traceback there."""


class IsolatedReader(Reader):
    """Passes each call on to the process, and waits for its answer, but not for long."""

    def __init__(self, running: Process, opening: Opening) -> None:
        self.running = running
        self.opening = opening
        self.sending = threading.Lock()
        self.kill_at = self.interrupt_at = 0.0

    def open(self) -> None:
        """Raises Misconfigured, Unavailable: as `Engine.open`."""
        self._send(self.opening, max(self.opening.timeout_seconds, START_SECONDS))
        answer = self._finished("open")
        # An attribute of classes in general, but this class is one for all engines.
        self.guesses = answer["guesses"]  # type: ignore[misc]

    @property
    def skipped(self) -> Skipped:
        skipped: Skipped = self._call("skipped")
        return skipped

    def tables(self) -> list[str]:
        tables: list[str] = self._call("tables")
        return tables

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        columns: list[ColumnInfo] = self._call("columns", table=table, sql=sql)
        return columns

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        natives: dict[str, str] = self._call("natives", table=table, sql=sql, expected=list(expected))
        return natives

    def catalog(self) -> list[TableInfo]:
        tables: list[TableInfo] = self._call("catalog")
        return tables

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        keys: list[ForeignKey] = self._call("foreign_keys", table=table)
        return keys

    def change_signal(self, *, table: str = "", sql: str = "") -> str | None:
        found: str | None = self._call("change_signal", table=table, sql=sql)
        return found

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        self._send(Call("batches", {"query": query}), self.opening.timeout_seconds)
        left = self.opening.result_bytes
        while (received := self._received(left))[0] == frames.BATCH:
            left -= len(received[1])
            try:
                yield _batch(received[1])
            except GeneratorExit:
                self._discard(left)
                raise

    def _discard(self, left: int) -> None:
        """Ends an answer that nobody reads to its end."""
        self.interrupt()
        with suppress(Problem):
            while (received := self._received(left))[0] == frames.BATCH:
                left -= len(received[1])

    def interrupt(self) -> None:
        self.interrupt_at, now = float("inf"), time.monotonic()
        self.kill_at = min(self.kill_at, now + INTERRUPTED_SECONDS)
        with suppress(OSError):
            self._transmit(frames.INTERRUPT)

    def close(self) -> None:
        with suppress(OSError):
            self._transmit(frames.CLOSE)
        self.running.close(INTERRUPTED_SECONDS)

    def _call(self, method: str, **arguments: Any) -> Any:
        self._send(Call(method, arguments), self.opening.timeout_seconds)
        return self._finished(method)

    def _finished(self, method: str) -> Any:
        return decoded(method, self._received(self.opening.result_bytes)[1])

    def _send(self, content: Any, seconds: float) -> None:
        self.kill_at = time.monotonic() + seconds + GRACE_SECONDS
        self.interrupt_at = self.kill_at - INTERRUPTED_SECONDS
        try:
            self._transmit(frames.CALL, pickle.dumps(content))
        except OSError:
            self._explain_end()

    def _transmit(self, kind: bytes, payload: bytes = b"") -> None:
        with self.sending:
            frames.send(self.running.connection, kind, payload)

    def _received(self, most: int) -> tuple[bytes, bytearray]:
        """The next frame of the answer. Raises the problem that ended it instead."""
        try:
            kind, payload = frames.receive(self.running.connection, most, self._wait)
        except (EOFError, OSError):
            self._explain_end()
        except frames.TooLarge:
            self.running.kill()
            raise problems.result_too_large(self.opening.result_bytes) from None
        if kind == frames.PROBLEM:
            raise decoded_problem(payload)
        if kind == frames.DEFECT:
            raise IsolatedDefect(payload.decode("utf-8", "replace"))
        return kind, payload

    def _wait(self) -> None:
        """Returns once there is something to read. Kills the process if there is nothing for too long."""
        has_more = False
        while not has_more:
            has_more = is_readable(self.running.connection.fileno(), POLL_SECONDS)
            now = time.monotonic()
            if now >= self.kill_at:
                self.running.kill()
                log.warning("A process that read a source (%s) was killed at its deadline.", self.opening.engine)
                raise problems.took_too_long(self.opening.timeout_seconds)
            if now >= self.interrupt_at:
                self.interrupt()

    def _explain_end(self) -> NoReturn:
        self.running.ends_within(INTERRUPTED_SECONDS)
        code = self.running.code
        log.warning("A process that read a source (%s) ended unexpectedly. %s", self.opening.engine, _words(code))
        if code is not None and -code in TIME_SIGNALS:
            raise problems.took_too_long(self.opening.timeout_seconds) from None
        if code == OUT_OF_MEMORY:
            raise problems.needed_memory(self.opening.memory_bytes) from None
        raise problems.crashed(_words(code)) from None


@contextmanager
def opened_apart(engine: str, options: Mapping[str, Any], timeout_seconds: float) -> Iterator[Reader]:
    """A read-only session with a source, in a separate process.

    Args:
        engine: the slug of the engine.
        options: the settings of the source, with its secrets.

    Raises:
        Misconfigured, Unavailable: as `Engine.open`; also if the process exceeds its limits, in any call of the reader.
    """
    opening = Opening(
        engine=engine,
        settings=dict(options),
        timeout_seconds=timeout_seconds,
        call_seconds=timeout_seconds + 2 * GRACE_SECONDS,
        memory_bytes=settings.SOURCE_PREVIEW_MEMORY_MB << 20,
        result_bytes=settings.SOURCE_PREVIEW_RESULT_MB << 20,
        configuration={"SOURCE_FILES_ROOT": settings.SOURCE_FILES_ROOT},
        environment={name: os.environ.get(name, "") for name in (policy.ALLOWED, policy.REFUSED)},
    )
    with process(settings.SOURCE_PREVIEW_PROCESSES, settings.SOURCE_PREVIEW_SECONDS) as running:
        reader = IsolatedReader(running, opening)
        try:
            reader.open()
            yield reader
        finally:
            reader.close()


def _batch(payload: bytearray) -> pa.RecordBatch:
    batch = pa.ipc.open_stream(pa.py_buffer(payload)).read_next_batch()
    # A process that was taken over could send offsets that lead out of the batch.
    batch.validate(full=True)
    return batch


def _words(code: int | None) -> str:
    if code is None:
        return "It ended in an unknown way."
    return f"It was ended by signal {-code}." if code < 0 else f"Its exit code was {code}."
