"""The failures that every engine has, in the same words."""

from __future__ import annotations

from core.errors import Misconfigured, Unavailable


def timed_out(seconds: float) -> Unavailable:
    return Unavailable(
        "source_timeout",
        f"The source did not answer within {seconds:g} seconds. Try again, make the query lighter, or allow it more time.",
    )


def refused(words: str, detail: str = "") -> Misconfigured:
    """The source refused a statement.

    Args:
        words: the source's own, in which there is no credential and no value of a row.
    """
    return Misconfigured("source_refused", f"The source refused the query: {words.strip()}", detail=detail)


def no_table(name: str) -> Misconfigured:
    return Misconfigured(
        "table_missing", f"The source has no table {name!r} that can be read. Choose another one.", where="table"
    )
