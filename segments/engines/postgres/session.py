"""Opens a read-only PostgreSQL session in UTC, with timeouts. It also works through a pooler of transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from segments.engines import certificates, hosts
from segments.engines.postgres import failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segments.engines.hosts import Server

CONNECT_SECONDS = 10
LIBPQ = {"sslrootcert": certificates.CA, "sslcert": certificates.CERTIFICATE, "sslkey": certificates.KEY}
ENCRYPTED = ("require", "verify-ca", "verify-full")


def connect(settings: Mapping[str, Any], timeout_seconds: float) -> psycopg.Connection:
    """A session in which every transaction is read-only. `begin` starts one.

    Raises:
        Misconfigured: refused. Unavailable: can't be reached.
    """
    server = hosts.find(settings["host"], int(settings["port"]))
    with certificates.files(settings) as paths:
        try:
            connection = psycopg.connect(
                **_address(server),
                **_login(settings, server, paths),
                connect_timeout=CONNECT_SECONDS,
                keepalives_idle=30,
                tcp_user_timeout=int(timeout_seconds * 1000),
            )
        except psycopg.OperationalError as error:
            raise failures.connecting(error, settings["host"], settings["port"]) from None
    connection.read_only = True
    # With a pooler, the next transaction may run on a different connection, which has not prepared the statement.
    connection.prepare_threshold = None
    return connection


def begin(connection: psycopg.Connection, schema: str, timeout_seconds: float) -> None:
    """Starts a transaction with the settings that all statements depend on, unless it is already started.

    The settings end with the transaction. They can't be made when a session starts: a pooler refuses that, or passes
    the session on to somebody else.

    Raises:
        psycopg.Error
    """
    if connection.info.transaction_status == TransactionStatus.IDLE:
        names = _settings(schema, timeout_seconds)
        calls = ", ".join("set_config(%s, %s, true)" for _ in names)
        connection.execute(f"select {calls}".encode(), [part for pair in names.items() for part in pair])


def _address(server: Server) -> dict[str, Any]:
    """The driver's options for the address. The host is still given, because certificates have its name."""
    return {
        "host": ",".join([server.host] * len(server.addresses)),
        "hostaddr": ",".join(server.addresses),
        "port": server.port,
    }


def _login(settings: Mapping[str, Any], server: Server, paths: Mapping[str, str]) -> dict[str, Any]:
    mode = server.encryption(settings["sslmode"])
    return {
        "dbname": settings["database"],
        "user": settings["user"],
        "password": settings["password"] or "",
        "sslmode": mode,
        "require_auth": None if mode in ENCRYPTED else "!password",
        "application_name": "dinmo",
        "client_encoding": "utf8",
        **_certificates(mode, paths),
    }


def _certificates(mode: str, paths: Mapping[str, str]) -> dict[str, Any]:
    options = {name: paths.get(parameter) for name, parameter in LIBPQ.items()}
    if mode == "verify-full" and not options["sslrootcert"]:
        options["sslrootcert"] = "system"
    return {name: value for name, value in options.items() if value}


def _settings(schema: str, timeout_seconds: float) -> dict[str, str]:
    path = ", ".join('"' + name.replace('"', '""') + '"' for name in dict.fromkeys((schema, "public")))
    return {
        "statement_timeout": str(max(1, int(timeout_seconds * 1000))),
        "search_path": path,
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "IntervalStyle": "iso_8601",
        "extra_float_digits": "3",
        "standard_conforming_strings": "on",
        "bytea_output": "hex",
    }
