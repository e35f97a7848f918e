"""The failures that all engines have in common, so that they read the same everywhere."""

from __future__ import annotations

from core.errors import Misconfigured, Unavailable


def timed_out(seconds: float) -> Unavailable:
    return Unavailable(
        "source_timeout",
        f"The source did not answer within {seconds:g} seconds. Try again, simplify the query, or allow it more time.",
    )


def unreachable(host: str, port: int, detail: str) -> Unavailable:
    """No database answers there. One message, whether the port is closed, silent, or belongs to another program."""
    message = f"The database at {host}, port {port}, can't be reached. Check the address and the server's firewall."
    return Unavailable("source_unreachable", message, detail=" ".join(detail.split())[:500])


def in_clear_text(detail: str = "") -> Misconfigured:
    """The server wants the password in clear text, over a connection that is not encrypted."""
    message = (
        "The server asks for the password in clear text, over a connection that is not encrypted. "
        "Choose an encryption setting that always encrypts, or a different authentication method on the server."
    )
    return Misconfigured("source_clear_text", message, where="sslmode", detail=detail)


def refused(message: str, detail: str = "") -> Misconfigured:
    """The source refused a statement.

    Args:
        message: the source's own message, which must contain no credential and no value of a row.
    """
    return Misconfigured("source_refused", f"The source refused the query: {message.strip()}", detail=detail)


def no_table(name: str) -> Misconfigured:
    return Misconfigured(
        "table_missing",
        f"The source has no table “{name}”, or its user can't read it. Choose a different table.",
        where="table",
    )
