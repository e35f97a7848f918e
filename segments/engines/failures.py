"""The failures that all engines have in common, so that they read the same everywhere."""

from __future__ import annotations

from core.errors import Misconfigured, Unavailable


def timed_out(seconds: float) -> Unavailable:
    return Unavailable(
        "source_timeout",
        f"The source did not answer within {seconds:g} seconds. Try again, simplify the query, or allow it more time.",
    )


def refused(message: str, detail: str = "") -> Misconfigured:
    """The source refused a statement.

    Args:
        message: the source's own message, which must contain no credential and no value of a row.
    """
    return Misconfigured("source_refused", f"The source refused the query: {message.strip()}", detail=detail)


def no_table(name: str) -> Misconfigured:
    return Misconfigured(
        "table_missing",
        f"The source has no table {name!r}, or its user can't read it. Choose a different table.",
        where="table",
    )
