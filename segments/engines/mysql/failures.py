"""What the errors of MySQL and MariaDB mean, by their numbers."""

from __future__ import annotations

import re
import ssl
import struct
from typing import Any

import pymysql
from pymysql.constants import CR, ER

from core.errors import Misconfigured, Problem, Unavailable
from segments.engines.failures import in_clear_text, refused, timed_out, unreachable

NO_LOGIN_PLUGIN, HOST_REFUSED, SECURE_ONLY = 1698, 1130, 3159
_LOGIN = (ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, NO_LOGIN_PLUGIN, HOST_REFUSED)
_BUSY = (ER.CON_COUNT_ERROR, 1203, 1226, 1053)
_TIMED_OUT = (1317, 1969, 3024)
_READ_ONLY = (1792, 1290)
_LOST = (CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR, 1927, 1053, 1184, 1158, 1159, 1160, 1161)
CLEAR_TEXT = 2061
"""The number of the client's own error for an authentication method that it refuses to use (CR_AUTH_PLUGIN_ERR)."""
_MALFORMED = (struct.error, LookupError, ValueError, TypeError, AttributeError, AssertionError, RuntimeError)
"""What the driver, or our parser of rows, raises for an answer that is not in MySQL's format."""
UNEXPECTED = (pymysql.MySQLError, OSError, EOFError, *_MALFORMED)
FILE_REQUESTED = "LOAD_LOCAL"
_QUOTES_VALUES = (1292, 1366, 1525, 3140, 3141, 1690, 4038)


def connecting(error: Exception, host: str, port: int) -> Problem:
    """Why no session could be opened."""
    code, message = _code_and_message(error)
    if code in _BUSY:
        return Unavailable(
            "source_busy", "The database is not accepting sessions right now. Try again in a moment.", detail=message
        )
    if code == ER.BAD_DB_ERROR:
        return Misconfigured(
            "source_database",
            "This server has no database with that name. Check the name.",
            detail=message,
            where="database",
        )
    if code == HOST_REFUSED:
        sentence = "The server does not accept connections from this machine. Ask its administrator to allow them."
        return Misconfigured("source_login", sentence, detail=message)
    if code == ER.DBACCESS_DENIED_ERROR:
        return Misconfigured(
            "source_login",
            "This user is not allowed to use this database. Ask for the SELECT privilege on it.",
            detail=message,
        )
    if code in _LOGIN:
        return Misconfigured("source_login", "The user name or password is wrong. Check both.", detail=message)
    if (
        code in (SECURE_ONLY, CR.CR_SSL_CONNECTION_ERROR)
        or isinstance(getattr(error, "original_exception", error), ssl.SSLError)
        or (isinstance(error, pymysql.MySQLError) and re.search("SSL|certificate", message))
    ):
        sentence = (
            "The encrypted connection could not be established. Check the encryption setting and the certificates."
        )
        return Misconfigured("source_ssl", sentence, detail=message, where="sslmode")
    if code == CLEAR_TEXT:
        return in_clear_text(message)
    return _file_requested(error) or unreachable(host, port, message)


def running(error: Exception, seconds: float) -> Problem:
    """Why a statement failed."""
    code, message = _code_and_message(error)
    if isinstance(error, _MALFORMED):
        sentence = (
            "The server's answer can't be understood. Check that the address is that of a MySQL or MariaDB server."
        )
        return _file_requested(error) or Misconfigured("source_protocol", sentence, detail=type(error).__name__)
    if code in _TIMED_OUT:
        return timed_out(seconds)
    if code in _READ_ONLY:
        return Misconfigured(
            "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", detail=message
        )
    if code in _LOST or not isinstance(error, pymysql.MySQLError) or isinstance(error, pymysql.InterfaceError):
        return Unavailable("source_lost", "The connection to the database was lost. Try again.", detail=message)
    return refused(re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", message) if code in _QUOTES_VALUES else message)


def _file_requested(error: Exception) -> Problem | None:
    """The problem if the server answered with a request for a file of this machine (LOAD DATA LOCAL)."""
    if FILE_REQUESTED not in str(error):
        return None
    sentence = "The server asked for a file of this machine, and was refused. Check that this server can be trusted."
    return Misconfigured("source_protocol", sentence, detail=str(error))


def _code_and_message(error: Exception) -> tuple[int, str]:
    """The number of an error (0 if it has none) and its message, without line breaks."""
    args: tuple[Any, ...] = error.args
    code = args[0] if args and isinstance(args[0], int) else 0
    message = str(args[1] if code and len(args) > 1 else error)
    return code, " ".join(message.split())[:500]
