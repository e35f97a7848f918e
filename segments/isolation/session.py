"""One session with a source, in a separate process: opens it, and answers calls until the other side is done."""

from __future__ import annotations

import os
import pickle
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from django.conf import settings

from core.errors import Problem
from segments.isolation import frames, problems
from segments.isolation.encoding import encoded, encoded_problem
from segments.isolation.limits import limit_memory, limit_time
from segments.registry import engines

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from segments.contract import Reader

LARGEST_CALL = (1 << 32) - 1
START_SECONDS = 20.0
"""How long it may take at least until a source is open, also if the machine is busy or a server is slow."""
LONELY_SECONDS = 1.0
"""How long a server may take to cancel a statement once nobody waits for it."""
OUT_OF_MEMORY = 97
"""The exit code of a process that had not even the memory to say so."""


@dataclass(frozen=True)
class Opening:
    """What a session begins with. It arrives over the socket, so that no other process can see the credentials.

    Args:
        call_seconds: after which the kernel ends the process in the middle of a call.
        memory_bytes: how much memory it may take in addition to what it starts with.
        result_bytes: how many bytes an answer may have.
        configuration: what it needs of Django's settings.
        environment: variables that may have changed since the forker was started.
    """

    engine: str
    settings: Mapping[str, Any] = field(repr=False)
    timeout_seconds: float
    call_seconds: float
    memory_bytes: int
    result_bytes: int
    configuration: Mapping[str, Any]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """A call of a method of the reader."""

    method: str
    arguments: Mapping[str, Any]


class Session:
    """Answers calls in the main thread, while a second thread listens for interrupts and for the end."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.calls: SimpleQueue[Call | None] = SimpleQueue()
        self.reader: Reader | None = None

    def serve(self) -> None:
        """Returns once the other side closes the session, or after an error that ends it."""
        opening: Opening = pickle.loads(frames.receive(self.connection, LARGEST_CALL)[1])  # noqa: S301
        os.environ.update(opening.environment)
        settings.configure(**opening.configuration)
        limit_memory(opening.memory_bytes)
        threading.Thread(target=self.listen, daemon=True).start()
        try:
            self.answer_calls(opening)
        except (BrokenPipeError, ConnectionResetError):
            return
        except BaseException as error:
            self.fail(error, opening)

    def answer_calls(self, opening: Opening) -> None:
        limit_time(max(opening.call_seconds, 2 * START_SECONDS))
        engine = engines[opening.engine]
        with engine.open(opening.settings, timeout_seconds=opening.timeout_seconds) as reader:
            self.reader = reader
            self.finish({"guesses": reader.guesses})
            while (call := self.calls.get()) is not None:
                limit_time(opening.call_seconds)
                try:
                    self.answer(reader, call, opening.result_bytes)
                except Problem as problem:
                    frames.send(self.connection, frames.PROBLEM, encoded_problem(problem))

    def answer(self, reader: Reader, call: Call, most: int) -> None:
        if call.method == "skipped":
            self.finish(reader.skipped, most)
        elif call.method == "batches":
            left = most
            for batch in reader.batches(**call.arguments):
                payload = as_bytes(batch)
                left -= len(payload)
                if left < 0:
                    raise problems.result_too_large(most)
                frames.send(self.connection, frames.BATCH, payload)
            self.finish(None)
        else:
            self.finish(getattr(reader, call.method)(**call.arguments), most)

    def finish(self, answer: Any, most: int = LARGEST_CALL) -> None:
        payload = encoded(answer)
        if len(payload) > most:
            raise problems.result_too_large(most)
        frames.send(self.connection, frames.DONE, payload)

    def fail(self, error: BaseException, opening: Opening) -> None:
        """Reports an error that ended the session. It has to get by with little memory."""
        if isinstance(error, MemoryError) or "can't start new thread" in str(error):
            error = problems.needed_memory(opening.memory_bytes)
        with suppress(OSError):
            if isinstance(error, Problem):
                frames.send(self.connection, frames.PROBLEM, encoded_problem(error))
            else:
                frames.send(self.connection, frames.DEFECT, "".join(traceback.format_exception(error)).encode())

    def listen(self) -> None:
        """Receives calls until the session is closed, or the other side is gone."""
        with suppress(EOFError, OSError):
            while (received := frames.receive(self.connection, LARGEST_CALL))[0] != frames.CLOSE:
                if received[0] == frames.INTERRUPT:
                    self.interrupt()
                else:
                    self.calls.put(pickle.loads(received[1]))  # noqa: S301
            self.calls.put(None)
            return
        self.calls.put(None)
        self.interrupt()
        time.sleep(LONELY_SECONDS)
        os._exit(1)

    def interrupt(self) -> None:
        if self.reader:
            with suppress(Exception):
                self.reader.interrupt()


def as_bytes(batch: pa.RecordBatch) -> memoryview:
    """A batch in Arrow's format for streams."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return memoryview(sink.getvalue())
