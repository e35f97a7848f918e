"""Opens a read-only PostgreSQL session in UTC, with timeouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from segments.engines import certificates
from segments.engines.postgres import failures

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS = 10
LIBPQ = {"sslrootcert": certificates.CA, "sslcert": certificates.CERTIFICATE, "sslkey": certificates.KEY}


def connect(settings: Mapping[str, Any], timeout_seconds: float) -> psycopg.Connection:
    """A session whose statements end after the timeout.

    Raises:
        Misconfigured: refused. Unavailable: can't be reached.
    """
    with certificates.files(settings) as paths:
        try:
            connection = psycopg.connect(
                host=settings["host"],
                port=settings["port"],
                dbname=settings["database"],
                user=settings["user"],
                password=settings["password"] or "",
                sslmode=settings["sslmode"],
                options=_options(settings["schema"], timeout_seconds),
                application_name="dinmo",
                client_encoding="utf8",
                connect_timeout=CONNECT_SECONDS,
                keepalives_idle=30,
                tcp_user_timeout=int(timeout_seconds * 1000),
                **_certificates(settings["sslmode"], paths),
            )
        except psycopg.OperationalError as error:
            raise failures.connecting(error, settings["host"], settings["port"]) from None
    connection.read_only = True
    return connection


def _certificates(mode: str, paths: Mapping[str, str]) -> dict[str, Any]:
    options = {name: paths.get(parameter) for name, parameter in LIBPQ.items()}
    if mode == "verify-full" and not options["sslrootcert"]:
        options["sslrootcert"] = "system"
    return {name: value for name, value in options.items() if value}


def _options(schema: str, timeout_seconds: float) -> str:
    path = ", ".join('"' + name.replace('"', '""') + '"' for name in dict.fromkeys((schema, "public")))
    options = {
        "default_transaction_read_only": "on",
        "statement_timeout": str(max(1, int(timeout_seconds * 1000))),
        "search_path": path,
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "IntervalStyle": "iso_8601",
        "extra_float_digits": "1",
        "standard_conforming_strings": "on",
        "bytea_output": "hex",
    }
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in options.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
