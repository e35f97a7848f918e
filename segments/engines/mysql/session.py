"""Opens a read-only session with MySQL or MariaDB in UTC, with timeouts."""

from __future__ import annotations

import ssl
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.converters import conversions

from segments.engines import certificates, hosts
from segments.engines.mysql import failures
from segments.engines.watchdog import GRACE_SECONDS, hang_up, time_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segments.engines.hosts import Server

CONNECT_SECONDS = 10
CONVERSIONS = {**conversions, Decimal: lambda value, _: format(value, "f")}


class RefusedInClearText:
    """Stands for the authentication methods that send the password as it is, and refuses them without encryption."""

    def __init__(self, connection: pymysql.Connection[Any]) -> None:
        self.connection = connection

    def authenticate(self, _packet: Any) -> Any:
        """Sends the password and returns the server's answer.

        Raises:
            pymysql.OperationalError: the connection is not encrypted.
        """
        if not self.connection._secure:
            raise pymysql.OperationalError(failures.CLEAR_TEXT, "the server asks for the password in clear text")
        self.connection.write_packet(self.connection.password + b"\0")
        return self.connection._read_packet()


CLEAR_TEXT_METHODS = dict.fromkeys((b"mysql_clear_password", b"dialog"), RefusedInClearText)


def connect(settings: Mapping[str, Any], timeout_seconds: float) -> pymysql.Connection[Any]:
    """A session whose statements end after the timeout.

    Raises:
        Misconfigured: refused. Unavailable: can't be reached.
    """
    server = hosts.find(settings["host"], int(settings["port"]))
    sock = hosts.connected(server, CONNECT_SECONDS)
    try:
        with certificates.files(settings) as paths:
            connection = _driver(settings, server, paths)
        # The driver's own timeout starts again with every byte that arrives.
        with time_limit(2 * CONNECT_SECONDS, lambda: drop(connection)):
            connection.connect(sock)
            _prepare(connection, timeout_seconds)
    except failures.UNEXPECTED as error:
        sock.close()
        raise failures.connecting(error, settings["host"], settings["port"]) from None
    connection._read_timeout = max(1, round(timeout_seconds + GRACE_SECONDS))
    return connection


def drop(connection: pymysql.Connection[Any]) -> None:
    """Ends the wait of any thread for the server, with a lost connection."""
    hang_up(connection._sock.fileno() if connection._sock else -1)


def _driver(settings: Mapping[str, Any], server: Server, paths: Mapping[str, str]) -> pymysql.Connection[Any]:
    """The driver's connection, not yet connected."""
    return pymysql.connect(
        host=server.host,
        port=server.port,
        user=settings["user"],
        password=settings["password"] or "",
        database=settings["database"],
        charset="utf8mb4",
        program_name="dinmo",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=CONNECT_SECONDS,
        autocommit=True,
        conv=CONVERSIONS,
        auth_plugin_map=CLEAR_TEXT_METHODS,
        defer_connect=True,
        **_encryption(server.encryption(settings["sslmode"]), paths),
    )


def _prepare(connection: pymysql.Connection[Any], timeout_seconds: float) -> None:
    with closing(connection.cursor()) as cursor:
        for name, value in _variables(connection.get_server_info(), timeout_seconds).items():
            cursor.execute(f"SET SESSION {name} = %s", (value,))
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


def _variables(version: str, timeout_seconds: float) -> dict[str, Any]:
    limit = (
        {"max_statement_time": timeout_seconds}
        if "mariadb" in version.lower()
        else {"max_execution_time": int(timeout_seconds * 1000)}
    )
    # Without SQL modes, quotation marks and backslashes mean the same on every server.
    return {
        "sql_mode": "",
        "time_zone": "+00:00",
        "sql_auto_is_null": 0,
        "net_write_timeout": int(timeout_seconds) + 1,
        **limit,
    }


def _encryption(mode: str, paths: Mapping[str, str]) -> dict[str, Any]:
    """The driver's options for an encryption mode.

    Except with `disable` and `prefer`, the driver sends no password to a server without encryption.
    """
    if mode == "disable":
        return {"ssl_disabled": True}
    if mode == "prefer" and not paths:
        return {}
    context = ssl.create_default_context(cafile=paths.get(certificates.CA))
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_REQUIRED if mode in ("verify-full", "verify-ca") else ssl.CERT_NONE
    if certificates.CERTIFICATE in paths:
        context.load_cert_chain(paths[certificates.CERTIFICATE], paths[certificates.KEY])
    return {"ssl": context}
