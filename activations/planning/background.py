"""Background work of a pass: in a thread with its own database connection, if the database allows concurrency."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


class Background:
    """Runs one task after another in a thread. On SQLite, which allows one writer, `submit` runs the task itself."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1) if connection.vendor == "postgresql" else None

    def submit(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Starts a task. In the thread, its exception is raised by the future's `result`; on SQLite, by this call."""
        if self.thread:
            return self.thread.submit(task, *args, **kwargs)
        future: Future[T] = Future()
        future.set_result(task(*args, **kwargs))
        return future

    def __enter__(self) -> Background:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for the submitted tasks, so that nothing is written afterwards."""
        if self.thread:
            self.thread.submit(connection.close)
            self.thread.shutdown()
