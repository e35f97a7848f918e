"""What went wrong with a process that reads a source."""

from __future__ import annotations

from core.errors import Misconfigured, Unavailable


def took_too_long(seconds: float) -> Unavailable:
    """It was killed, because it did not even end when its own time limit was over."""
    return Unavailable(
        "source_deadline",
        f"Reading the source took longer than {seconds:g} seconds, and was ended. Simplify the query, or read fewer "
        "rows or columns.",
    )


def needed_memory(limit_bytes: int) -> Misconfigured:
    return Misconfigured(
        "source_memory",
        f"Reading the source needed more than {limit_bytes >> 20:,} MB of memory, and was ended. Select, sort or group "
        "fewer rows or columns, or raise SOURCE_PREVIEW_MEMORY_MB.",
    )


def too_many() -> Unavailable:
    """No process was free in time."""
    return Unavailable(
        "source_queue",
        "Too many previews are being made at the moment. Try again shortly, or raise SOURCE_PREVIEW_PROCESSES.",
    )


def result_too_large(limit_bytes: int) -> Misconfigured:
    return Misconfigured(
        "source_result_too_large",
        f"The result is larger than {limit_bytes >> 20:,} MB. Leave out columns with long values, or raise "
        "SOURCE_PREVIEW_RESULT_MB.",
        where="columns",
    )


def crashed(detail: str) -> Unavailable:
    """It ended on its own, or something else than this application ended it."""
    return Unavailable(
        "source_crashed",
        "The process that read the source ended unexpectedly, perhaps because it needed more memory than it may use. "
        "Try again. If it happens again, simplify the query, or raise SOURCE_PREVIEW_MEMORY_MB.",
        detail=detail,
    )
