"""Work beside a pass: in a thread with a database connection of its own, where the database can do two things at once."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """Does one thing after another. On SQLite, which has one writer, each is done at once instead."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1) if connection.vendor == "postgresql" else None

    def begin(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begins a piece of work; what it raises comes out of the future's `result`."""
        if self.thread:
            return self.thread.submit(work, *args, **kwargs)
        done: Future[T] = Future()
        done.set_result(work(*args, **kwargs))
        return done

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for what was begun, so that nothing is written after the end."""
        if self.thread:
            self.thread.submit(connection.close)
            self.thread.shutdown()
