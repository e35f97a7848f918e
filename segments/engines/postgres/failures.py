"""What PostgreSQL's failures mean."""

from __future__ import annotations

import re

import psycopg

from core.errors import Misconfigured, Problem, Unavailable
from segments.engines.failures import refused, timed_out

# libpq gives no code for a failed connection, only words; those of the server may be in its own language.
_CONNECTION = [
    (
        r"password authentication failed|no password supplied|authentication failed",
        "source_login",
        "The user name or the password is wrong.",
    ),
    (r'role ".*" does not exist', "source_login", "The user name or the password is wrong."),
    (r'database ".*" does not exist', "source_database", "There is no database of that name on this server."),
    (
        r"no pg_hba.conf entry",
        "source_login",
        "The server does not let this user in from here. Ask for an entry in its pg_hba.conf.",
    ),
    (r"SSL|certificate", "source_ssl", "The encrypted connection could not be set up. Try another SSL mode."),
    (r"permission denied for database", "source_login", "This user may not connect to this database."),
]
_BUSY = r"too many (clients|connections)|remaining connection slots|starting up|shutting down|in recovery"
_DATA_EXCEPTION = "22"
_PARAMETERS_MISSING = "08P01"


def connecting(error: psycopg.OperationalError, host: str, port: int) -> Problem:
    """Why no session could be opened."""
    said = str(error)
    if re.search(_BUSY, said):
        return Unavailable(
            "source_busy", "The database takes no more sessions now. Try again in a moment.", detail=_scrubbed(said)
        )
    for pattern, code, message in _CONNECTION:
        if re.search(pattern, said):
            return Misconfigured(code, message, detail=_scrubbed(said))
    if "FATAL" in said:
        return Misconfigured(
            "source_login", "The database refused the session. Check its settings.", detail=_scrubbed(said)
        )
    message = (
        f"The database at {host}, port {port}, can't be reached. Check the address, and that it lets this machine in."
    )
    return Unavailable("source_unreachable", message, detail=_scrubbed(said))


def running(error: psycopg.Error, seconds: float) -> Problem:
    """Why a statement failed."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return timed_out(seconds)
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return Misconfigured(
            "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", detail=str(error)
        )
    words, state = error.diag.message_primary, error.sqlstate or ""
    if words is None or (state.startswith(("08", "57")) and state != _PARAMETERS_MISSING):
        return lost(str(error))
    if state.startswith(_DATA_EXCEPTION):
        words = re.sub(r'"[^"]*"', '"…"', words)  # What is quoted here is a value of a row.
    return refused(words)


def lost(said: str) -> Problem:
    return Unavailable("source_lost", "The connection to the database was lost. Try again.", detail=_scrubbed(said))


def _scrubbed(said: str) -> str:
    return " ".join(said.split())[:500]
