"""Opens a read-only session with MySQL or MariaDB in UTC, with timeouts."""

from __future__ import annotations

import ssl
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.converters import conversions

from segments.engines import certificates
from segments.engines.mysql import failures
from segments.engines.watchdog import GRACE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS = 10
CONVERSIONS = {**conversions, Decimal: lambda value, _: format(value, "f")}


def connect(settings: Mapping[str, Any], timeout_seconds: float) -> pymysql.Connection[Any]:
    """A session whose statements end after the timeout.

    Raises:
        Misconfigured: refused. Unavailable: can't be reached.
    """
    try:
        with certificates.files(settings) as paths:
            connection = pymysql.connect(
                host=settings["host"],
                port=int(settings["port"]),
                user=settings["user"],
                password=settings["password"] or "",
                database=settings["database"],
                charset="utf8mb4",
                program_name="dinmo",
                connect_timeout=CONNECT_SECONDS,
                read_timeout=CONNECT_SECONDS,
                autocommit=True,
                conv=CONVERSIONS,
                **_encryption(settings["sslmode"], paths),
            )
        with connection.cursor() as cursor:
            for name, value in _variables(connection.get_server_info(), timeout_seconds).items():
                cursor.execute(f"SET SESSION {name} = %s", (value,))
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
        connection._read_timeout = max(1, round(timeout_seconds + GRACE_SECONDS))
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        raise failures.connecting(error, settings["host"], settings["port"]) from None
    return connection


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
