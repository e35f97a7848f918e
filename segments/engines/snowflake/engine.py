"""Reads Snowflake through its own connector, which returns Arrow."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from core.errors import Misconfigured, Unavailable
from core.parameters import Parameter
from segments.contract import ColumnInfo, ColumnType, Engine, Reader
from segments.engines import hosts
from segments.engines.failures import no_table, timed_out
from segments.engines.names import names
from segments.engines.snowflake.dialect import COMPUTED, dialect
from segments.engines.warehouse import WarehouseReader, import_driver, translated
from segments.sql.statements import join_name, split_name
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from sqlalchemy import Select

TABLES = """
    select table_schema, table_name from information_schema.tables
    where table_schema <> 'INFORMATION_SCHEMA' order by 1, 2
"""
COLUMNS = """
    select column_name, data_type, numeric_scale, is_nullable = 'YES' from information_schema.columns
    where table_schema = %s and table_name = %s order by ordinal_position
"""
RESULT_TYPES = (
    "FIXED",
    "FLOAT",
    "TEXT",
    "DATE",
    "TIMESTAMP",
    "VARIANT",
    "TIMESTAMP_LTZ",
    "TIMESTAMP_TZ",
    "TIMESTAMP_NTZ",
    "OBJECT",
    "ARRAY",
    "BINARY",
    "TIME",
    "BOOLEAN",
)
"""The types of result columns, by type code (snowflake.connector.constants.FIELD_TYPES)."""
TYPES = {
    "FLOAT": ColumnType.NUMBER,
    "DATE": ColumnType.DATE,
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "TIMESTAMP_NTZ"), ColumnType.TIMESTAMP),
    **dict.fromkeys(("VARIANT", "OBJECT"), ColumnType.OBJECT),
    "ARRAY": ColumnType.LIST,
    "BOOLEAN": ColumnType.BOOLEAN,
}
WRONG_LOGIN = (250001, 390100, 390144, 251008)
CANCELLED = (604, 630)


class Snowflake(Engine):
    slug = "snowflake"
    label = "Snowflake"
    summary = "Tables and views of a Snowflake warehouse."
    note = (
        "Not yet tested against a live account. "
        "Its driver is installed separately: pip install -r requirements-extras.txt"
    )
    parameters = (
        Parameter("account", "Account", help="The account identifier, for example myorg-myaccount.", recipient=True),
        Parameter("user", "User", help="A service user, preferably with a read-only role."),
        Parameter(
            "private_key",
            "Private key",
            first=True,
            kind="secret",
            required=False,
            lines=True,
            help="The private key of the user's key pair, in PEM format.",
        ),
        Parameter("passphrase", "Key passphrase", kind="secret", required=False),
        Parameter("password", "Password", kind="secret", required=False, help="Used only if there is no private key."),
        Parameter("role", "Role", required=False),
        Parameter("warehouse", "Warehouse"),
        Parameter("database", "Database"),
        Parameter("schema", "Schema", default="PUBLIC", help="The schema for tables that are named without one."),
        Parameter(
            "schemas",
            "Schemas to list",
            required=False,
            help="Separated by commas. If empty, all schemas that the role can read are listed.",
        ),
    )
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        connector = import_driver("snowflake.connector", "snowflake-connector-python")
        filled = self.filled(settings)
        options = arguments(filled, timeout_seconds)
        hosts.permit(f"{filled['account']}.snowflakecomputing.com", 443)
        try:
            connection = connector.connect(**options)
        except connector.errors.DatabaseError as error:
            if error.errno in WRONG_LOGIN:
                raise Misconfigured(
                    "source_login",
                    "Snowflake refused the sign-in. Check the user, and the private key or password.",
                    detail=str(error),
                ) from None
            raise Unavailable(
                "source_unreachable", "Snowflake can't be reached. Check the account.", detail=str(error)
            ) from None
        with closing(connection):
            yield SnowflakeReader(connector, connection, filled, timeout_seconds)


def arguments(filled: Mapping[str, Any], timeout_seconds: float) -> dict[str, Any]:
    """The arguments for the connector.

    Raises:
        Misconfigured: there is neither a key nor a password, or the key or the account can't be read.
    """
    if not re.fullmatch(r"[\w.-]+", filled["account"]):
        # It becomes a part of the host name to which the sign-in is sent.
        message = "Account must be an account identifier such as myorg-myaccount, without a host or path."
        raise Misconfigured("parameter_invalid", message, where="account")
    account = {
        name: filled[name] for name in ("account", "user", "role", "warehouse", "database", "schema") if filled[name]
    }
    session = {
        "TIMEZONE": "UTC",
        "STATEMENT_TIMEOUT_IN_SECONDS": max(1, int(timeout_seconds)),
        "QUERY_TAG": "dinmo",
        "MULTI_STATEMENT_COUNT": 1,
    }
    common = {
        "application": "dinmo",
        "session_parameters": session,
        "login_timeout": 20,
        "network_timeout": int(timeout_seconds) + 10,
    }
    if filled["private_key"]:
        return {**account, **common, "private_key": _key(filled["private_key"], filled["passphrase"])}
    if filled["password"]:
        return {**account, **common, "password": filled["password"]}
    raise Misconfigured("source_login", "Enter a private key or a password.", where="private_key")


def _key(pem: str, passphrase: str | None) -> bytes:
    try:
        key = load_pem_private_key(pem.strip().encode(), passphrase.encode() if passphrase else None)
    except (ValueError, TypeError):
        message = "The private key can't be read. Enter it in PEM format, with its passphrase if it has one."
        raise Misconfigured("source_login", message, where="private_key") from None
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class SnowflakeReader(WarehouseReader):
    forbidden = (
        "system$wait",
        "system$cancel_query",
        "system$abort_session",
        "system$cancel_all_queries",
        "system$abort_transaction",
    )

    def __init__(self, connector: Any, connection: Any, settings: Mapping[str, Any], timeout_seconds: float) -> None:
        self.connector, self.connection = connector, connection
        self.settings, self.timeout_seconds = settings, timeout_seconds
        self.cursor = connection.cursor()

    def tables(self) -> list[str]:
        schemas = names(self.settings["schemas"])
        return [join_name(schema, name) for schema, name in self._fetch_all(TABLES) if not schemas or schema in schemas]

    def describe_table(self, table: str) -> list[ColumnInfo]:
        schema, name = split_name(table)
        columns = self._fetch_all(COLUMNS, (schema or self.settings["schema"], name))
        if not columns:
            raise no_table(table)
        return [
            _column_info(column, "FIXED" if native == "NUMBER" else native, scale, nullable)
            for column, native, scale, nullable in columns
        ]

    def describe_query(self, sql: str) -> list[ColumnInfo]:
        # The server describes the result without running the query.
        columns = self.cursor.describe(f"select * from ({bare(sql)}) as described")  # noqa: S608
        return [
            _column_info(
                column.name,
                (RESULT_TYPES[column.type_code] if column.type_code < len(RESULT_TYPES) else "TEXT"),
                column.scale,
                bool(column.is_nullable),
            )
            for column in columns
        ]

    def read_batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.cursor.execute(str(compiled), dict(compiled.params))
        for table in self.cursor.fetch_arrow_batches():
            yield from table.to_batches()

    def translate(self, error: Exception) -> Exception:
        errors = self.connector.errors
        if isinstance(error, errors.Error) and error.errno in CANCELLED:
            return timed_out(self.timeout_seconds)
        return translated(error, errors.Error, (errors.OperationalError, errors.InterfaceError, OSError))

    def interrupt(self) -> None:
        with suppress(Exception), closing(self.connection.cursor()) as other:
            other.execute("select system$cancel_query(%s)", (self.cursor.sfqid,))

    def _fetch_all(self, query: str, bound: tuple[Any, ...] = ()) -> list[Any]:
        with self.translating_errors():
            return list(self.cursor.execute(query, bound).fetchall())


def _column_info(name: str, native: str, scale: int | None, nullable: bool) -> ColumnInfo:
    number = ColumnType.NUMBER if scale else ColumnType.INTEGER
    return ColumnInfo(name, number if native == "FIXED" else TYPES.get(native, ColumnType.TEXT), native, nullable)
