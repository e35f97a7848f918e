"""What the failures of MySQL and MariaDB mean, by their numbers."""

from __future__ import annotations

import re
import ssl
from typing import Any

import pymysql
from pymysql.constants import CR, ER

from core.errors import Misconfigured, Problem, Unavailable
from segments.engines.failures import refused, timed_out

NO_LOGIN_PLUGIN, HOST_REFUSED, SECURE_ONLY = 1698, 1130, 3159
_LOGIN = (ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, NO_LOGIN_PLUGIN, HOST_REFUSED)
_BUSY = (ER.CON_COUNT_ERROR, 1203, 1226, 1053)
_TIMED_OUT = (1317, 1969, 3024)
_READ_ONLY = (1792, 1290)
_LOST = (CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR, 1927, 1053, 1184, 1158, 1159, 1160, 1161)
_QUOTES_VALUES = (1292, 1366, 1525, 3140, 3141, 1690, 4038)


def connecting(error: Exception, host: str, port: int) -> Problem:
    """Why no session could be opened."""
    code, said = _said(error)
    if code in _BUSY:
        return Unavailable(
            "source_busy", "The database takes no more sessions now. Try again in a moment.", detail=said
        )
    if code == ER.BAD_DB_ERROR:
        return Misconfigured(
            "source_database", "There is no database of that name on this server.", detail=said, where="database"
        )
    if code == HOST_REFUSED:
        return Misconfigured("source_login", "The server lets no user in from this machine. Ask for one.", detail=said)
    if code == ER.DBACCESS_DENIED_ERROR:
        return Misconfigured(
            "source_login", "This user may not use this database. Ask for the SELECT privilege on it.", detail=said
        )
    if code in _LOGIN:
        return Misconfigured("source_login", "The user name or the password is wrong.", detail=said)
    if (
        code in (SECURE_ONLY, CR.CR_SSL_CONNECTION_ERROR)
        or isinstance(error, ssl.SSLError)
        or re.search("SSL|certificate", said)
    ):
        words = "The encrypted connection could not be set up. Check the kind of encryption and the certificates."
        return Misconfigured("source_ssl", words, detail=said, where="sslmode")
    message = (
        f"The database at {host}, port {port}, can't be reached. Check the address, and that it lets this machine in."
    )
    return Unavailable("source_unreachable", message, detail=said)


def running(error: Exception, seconds: float) -> Problem:
    """Why a statement failed."""
    code, said = _said(error)
    if code in _TIMED_OUT:
        return timed_out(seconds)
    if code in _READ_ONLY:
        return Misconfigured(
            "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", detail=said
        )
    if code in _LOST or not isinstance(error, pymysql.MySQLError) or isinstance(error, pymysql.InterfaceError):
        return Unavailable("source_lost", "The connection to the database was lost. Try again.", detail=said)
    return refused(re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", said) if code in _QUOTES_VALUES else said)


def _said(error: Exception) -> tuple[int, str]:
    """The number of a failure and its words."""
    args: tuple[Any, ...] = error.args
    code = args[0] if args and isinstance(args[0], int) else 0
    words = str(args[1] if code and len(args) > 1 else error)
    return code, " ".join(words.split())[:500]
