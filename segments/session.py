"""Opens the source of a model: its engine, its session and its time zone."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import Misconfigured
from segments.isolation.reader import opened_apart
from segments.registry import engines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from segments.contract import Engine, Reader
    from segments.models import Source


_reads_here: ContextVar[bool] = ContextVar("reads_here", default=False)


def engine(source: Source) -> Engine:
    """The engine of the source. Raises Misconfigured if this installation does not have it."""
    return engines[source.engine]


def opened(source: Source, timeout_seconds: float) -> AbstractContextManager[Reader]:
    """A read-only session with the source, in a separate process: no query can crash or block this one.

    Raises:
        Misconfigured, Unavailable: as for `Engine.open`; also if that process exceeds its limits.
    """
    chosen = engine(source)
    if _reads_here.get():
        return chosen.open(source.settings, timeout_seconds=timeout_seconds)
    return opened_apart(source.engine, source.settings, timeout_seconds)


@contextmanager
def reading_here() -> Iterator[None]:
    """In this block, sources are read in this process: for runs, which stream millions of rows in bounded memory.

    If a run crashes its worker, the worker is restarted and the run continues. A crashed web process affects all users.
    """
    token = _reads_here.set(True)
    try:
        yield
    finally:
        _reads_here.reset(token)


def zone(source: Source) -> ZoneInfo:
    """The time zone of the source's days, and of its times without a zone.

    Raises:
        Misconfigured: not a valid time zone.
    """
    try:
        return ZoneInfo(source.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"The source “{source.name}” has an unknown time zone. Enter one such as Europe/Paris."
        raise Misconfigured("timezone_unknown", message, where="timezone") from None
