"""What PostgreSQL's errors mean."""

from __future__ import annotations

import re

import psycopg

from core.errors import Misconfigured, Problem, Unavailable
from segments.engines.failures import in_clear_text, refused, timed_out, unreachable

# For a failed connection, libpq reports no code, only a message, and the server's part of it may be localized.
_OTHER_PROGRAM = r"invalid response|expected authentication request|unexpected response|received unencrypted data"
_CLEAR_TEXT = r"server requested a cleartext password"
_CONNECTION = [
    (
        r"password authentication failed|no password supplied|authentication failed",
        "source_login",
        "The user name or password is wrong. Check both.",
    ),
    (r'role ".*" does not exist', "source_login", "The user name or password is wrong. Check both."),
    (r'database ".*" does not exist', "source_database", "This server has no database with that name. Check the name."),
    (
        r"no pg_hba.conf entry",
        "source_login",
        "The server does not allow this user to connect from this machine. Ask for an entry in its pg_hba.conf.",
    ),
    (
        r"SSL|certificate",
        "source_ssl",
        "The encrypted connection could not be established. Check the encryption setting and the certificates.",
    ),
    (
        r"permission denied for database",
        "source_login",
        "This user is not allowed to connect to this database. Ask for the CONNECT privilege on it.",
    ),
]
_BUSY = (
    r"too many (clients|connections)|remaining connection slots|starting up|shutting down|in recovery"
    r"|is not currently accepting connections"
)
_DATA_EXCEPTION = "22"
_PARAMETERS_MISSING = "08P01"


def connecting(error: psycopg.OperationalError, host: str, port: int) -> Problem:
    """Why no session could be opened."""
    message = str(error)
    if re.search(_BUSY, message):
        return Unavailable(
            "source_busy",
            "The database is not accepting sessions right now. Try again in a moment.",
            detail=_shortened(message),
        )
    if re.search(_OTHER_PROGRAM, message):
        return unreachable(host, port, message)
    if re.search(_CLEAR_TEXT, message):
        return in_clear_text(_shortened(message))
    for pattern, code, sentence in _CONNECTION:
        if re.search(pattern, message):
            return Misconfigured(code, sentence, detail=_shortened(message))
    if "FATAL" in message:
        return Misconfigured(
            "source_login",
            "The database refused the session. Check the settings of this source.",
            detail=_shortened(message),
        )
    return unreachable(host, port, message)


def running(error: psycopg.Error, seconds: float) -> Problem:
    """Why a statement failed."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return timed_out(seconds)
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return Misconfigured(
            "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", detail=str(error)
        )
    message, state = error.diag.message_primary, error.sqlstate or ""
    if message is None or (state.startswith(("08", "57")) and state != _PARAMETERS_MISSING):
        return lost(str(error))
    if state.startswith(_DATA_EXCEPTION):
        message = re.sub(r'"[^"]*"', '"…"', message)  # Quotation marks enclose a row's value here.
    return refused(message)


def lost(message: str) -> Problem:
    return Unavailable("source_lost", "The connection to the database was lost. Try again.", detail=_shortened(message))


def _shortened(message: str) -> str:
    return " ".join(message.split())[:500]
