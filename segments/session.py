"""Opens the source of a model: its engine, its session and its time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import Misconfigured
from segments.registry import engines

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from segments.contract import Engine, Reader
    from segments.models import Source


def engine(source: Source) -> Engine:
    """The engine of the source. Raises Misconfigured if this installation does not have it."""
    return engines[source.engine]


def opened(source: Source, timeout_seconds: float) -> AbstractContextManager[Reader]:
    """A read-only session with the source.

    Raises:
        Misconfigured, Unavailable: as for `Engine.open`.
    """
    return engine(source).open(source.settings, timeout_seconds=timeout_seconds)


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
