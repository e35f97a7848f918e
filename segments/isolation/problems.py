"""The problems of processes that read sources, in sentences for the user."""

from __future__ import annotations

from core.errors import Misconfigured, Unavailable


def took_too_long(seconds: float) -> Unavailable:
    """The process was killed, because it ignored its time limit."""
    return Unavailable(
        "source_deadline",
        f"Reading the source took longer than {seconds:g} seconds and was stopped. Simplify the query, or read fewer "
        "rows or columns.",
    )


def needed_memory(limit_bytes: int) -> Misconfigured:
    return Misconfigured(
        "source_memory",
        f"Reading the source needed more than {limit_bytes >> 20:,} MB of memory and was stopped. Select, sort or "
        "group fewer rows or columns, or raise SOURCE_PREVIEW_MEMORY_MB.",
    )


def too_many() -> Unavailable:
    """The maximum number of processes were running for too long."""
    return Unavailable(
        "source_queue",
        "Too many previews are running at the moment. Try again in a moment, or raise SOURCE_PREVIEW_PROCESSES.",
    )


def result_too_large(limit_bytes: int) -> Misconfigured:
    return Misconfigured(
        "source_result_too_large",
        f"The result is larger than {limit_bytes >> 20:,} MB. Leave out columns with long values, or raise "
        "SOURCE_PREVIEW_RESULT_MB.",
        where="columns",
    )


def crashed(detail: str) -> Unavailable:
    """The process crashed, or something other than this application killed it."""
    return Unavailable(
        "source_crashed",
        "The process that read the source ended unexpectedly, possibly because it ran out of memory. "
        "Try again. If it happens again, simplify the query, or raise SOURCE_PREVIEW_MEMORY_MB.",
        detail=detail,
    )
