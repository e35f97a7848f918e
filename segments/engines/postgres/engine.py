"""Reads PostgreSQL in a read-only transaction: rows come as one COPY, which Arrow parses block by block."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
from psycopg.pq import PGconn, Ping
from psycopg.rows import tuple_row

from core.parameters import Parameter
from core.pg_copy import copy_out
from segments.contract import ColumnInfo, ColumnType, Engine, ForeignKey, Reader, TableInfo
from segments.engines import certificates, sql_guard
from segments.engines.failures import no_table
from segments.engines.hosts import SSL_MODES
from segments.engines.names import names
from segments.engines.postgres import blocks, failures
from segments.engines.postgres.catalog import CATALOG, FOREIGN_KEYS, NATIVE, REQUIRED, TABLES
from segments.engines.postgres.column_types import EXACT, TYPES
from segments.engines.postgres.dialect import COMPUTED, dialect
from segments.engines.postgres.forbidden import FORBIDDEN, HARMLESS, VOLATILE
from segments.engines.postgres.session import CONNECT_SECONDS, begin, connect
from segments.engines.watchdog import GRACE_SECONDS, hang_up, time_limit
from segments.sql.statements import join_name, split_name
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Select


class Postgres(Engine):
    slug = "postgres"
    label = "PostgreSQL"
    parameters = (
        Parameter("host", "Host", kind="host", recipient=True),
        Parameter("port", "Port", kind="integer", default=5432, least=1, most=65535, recipient=True),
        Parameter("database", "Database"),
        Parameter("user", "User", help="Preferably a read-only user. Nothing is ever written."),
        Parameter("password", "Password", kind="secret", required=False),
        Parameter("sslmode", "Encryption", kind="choice", choices=SSL_MODES, default="automatic"),
        Parameter("schema", "Schema", default="public", help="The schema for tables that are named without one."),
        Parameter(
            "schemas",
            "Schemas to list",
            required=False,
            help="Separated by commas. If empty, all schemas that the user can read are listed.",
        ),
        *certificates.PARAMETERS,
    )
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        filled = self.filled(settings)
        with closing(connect(filled, timeout_seconds)) as connection:
            reader = PostgresReader(connection, filled, timeout_seconds)
            reader.start()
            yield reader
            reader.finish()


class PostgresReader(Reader):
    """One read-only transaction."""

    def __init__(self, connection: psycopg.Connection, settings: Mapping[str, Any], timeout_seconds: float) -> None:
        self.connection = connection
        self.settings = settings
        self.schemas = names(settings["schemas"])
        self.checked: list[str] = []
        self.timeout_seconds = timeout_seconds

    def start(self) -> None:
        """Starts the transaction. A pooler connects to its server only now.

        Raises:
            Misconfigured: refused. Unavailable: can't be reached.
        """
        try:
            with time_limit(CONNECT_SECONDS, self._hang_up):
                self._begin()
        except psycopg.OperationalError as error:
            raise failures.connecting(error, self.settings["host"], self.settings["port"]) from None

    def finish(self) -> None:
        """Ends the transaction, so that a pooler can use its connection to the server again."""
        with suppress(psycopg.Error), time_limit(CONNECT_SECONDS, self._hang_up):
            self.connection.rollback()

    def tables(self) -> list[str]:
        return [join_name(schema, name) for schema, name in self._fetch_all(TABLES, self._schema_filter())]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        name = _identifier(table) if table else ""
        sql_guard.refuse_names(table, FORBIDDEN)
        self._refuse_unsafe([sql])
        described = self._describe(f"({bare(sql)})" if sql else name, table)
        required = {column for (column,) in self._fetch_all(REQUIRED, (name,))} if table else set()
        type_codes = [column.type_code for column in described]
        natives = {oid: (native, is_list) for oid, native, is_list in self._fetch_all(NATIVE, (type_codes,))}
        return [
            _column_info(
                column.name,
                column.type_code,
                *natives.get(column.type_code, ("unknown", False)),
                column.name not in required,
            )
            for column in described
        ]

    def catalog(self) -> list[TableInfo]:
        infos = []
        for schema, name, is_view, rows, *attributes in self._fetch_all(CATALOG, self._schema_filter()):
            columns = tuple(_column_info(*column) for column in zip(*attributes, strict=True))
            infos.append(TableInfo(join_name(schema, name), columns, is_view, None if is_view else rows))
        return infos

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        keys = self._fetch_all(FOREIGN_KEYS, (_identifier(table),))
        return [ForeignKey(column, join_name(schema, name), other) for column, schema, name, other in keys]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        self._refuse_unsafe(sql_guard.custom_sql(query))
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        statement = psycopg.ClientCursor(self.connection).mogrify(str(compiled), compiled.params)
        described = self._describe(f"({statement})")
        schema = pa.schema([(column.name, EXACT.get(column.type_code, pa.string())) for column in described])
        copy_statement = f"COPY ({statement}) TO STDOUT (FORMAT csv)".encode()
        with (
            self._translating_errors(),
            closing(copy_out(self.connection.pgconn, copy_statement, self.interrupt)) as copied,
        ):
            for block in copied:
                yield blocks.parse(block, schema)

    def interrupt(self) -> None:
        try:
            self.connection.cancel_safe(timeout=CONNECT_SECONDS)
        except psycopg.Error:
            self._hang_up()

    def _begin(self) -> None:
        begin(self.connection, self.settings["schema"], self.timeout_seconds)

    def _hang_up(self) -> None:
        with suppress(psycopg.Error):
            hang_up(self.connection.fileno())

    def _schema_filter(self) -> dict[str, Any]:
        return {"all": not self.schemas, "schemas": self.schemas}

    def _refuse_unsafe(self, statements: Iterable[str]) -> None:
        """Raises Misconfigured if a person's SQL is not one statement, or mentions a forbidden function.

        A mention is enough, because `(x).pg_read_file` and other spellings are calls too.
        """
        for sql in {*statements} - {"", *self.checked}:
            sql_guard.refuse_hidden(sql, sql_guard.STANDARD)
            sql_guard.refuse_names(sql, FORBIDDEN)
            hint = " If it is your own function and only reads, declare it STABLE."
            sql_guard.refuse_names(sql, self._volatile, hint)
            self._refuse_fragment(sql)
            self.checked.append(sql)

    @cached_property
    def _volatile(self) -> set[str]:
        return {name for (name,) in self._fetch_all(VOLATILE)} - HARMLESS

    def _refuse_fragment(self, sql: str) -> None:
        """Raises Misconfigured if a person's SQL is a statement only inside the parentheses that we put around it.

        For example: `select 1) as model union all select x from (select 2 as x`.
        """
        with self._translating_errors(), self.connection.cursor() as cursor:
            cursor.execute(f"explain (costs off) {bare(sql)}".encode(), binary=True)

    def _describe(self, source: str, table: str = "") -> Sequence[psycopg.Column]:
        """The columns of a table, or of a query in parentheses; refuses more than one statement."""
        with self._translating_errors(table), self.connection.cursor() as cursor:
            # For binary results the driver uses the extended protocol, in which the server accepts only one statement.
            cursor.execute(f"select * from {source} as described limit 0".encode(), binary=True)  # noqa: S608
            return cursor.description or []

    def _fetch_all(self, query: str, bound: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        with self._translating_errors(), self.connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(query.encode(), bound).fetchall()

    @contextmanager
    def _translating_errors(self, table: str = "") -> Iterator[None]:
        try:
            # The server ends a statement at its timeout. If it no longer responds at all, the watchdog does.
            with time_limit(self.timeout_seconds + GRACE_SECONDS, self._hang_up):
                self._begin()
                yield
        except psycopg.Error as error:
            # The server may be gone by now.
            with suppress(psycopg.Error):
                self.connection.rollback()
            if table and isinstance(error, psycopg.errors.UndefinedTable):
                raise no_table(table) from None
            if isinstance(error, psycopg.errors.QueryCanceled) and self._is_gone():
                raise failures.lost(str(error)) from None
            raise failures.running(error, self.timeout_seconds) from None

    def _is_gone(self) -> bool:
        """Whether the server no longer accepts sessions.

        If it was killed, a leftover process works on until its timeout, and the query only appears to be slow.
        """
        return PGconn.ping(self.connection.info.dsn.encode()) == Ping.NO_RESPONSE


def _identifier(table: str) -> str:
    schema, name = split_name(table)
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name) if part)


def _column_info(name: str, oid: int, native: str, is_list: bool, nullable: bool) -> ColumnInfo:
    return ColumnInfo(name, ColumnType.LIST if is_list else TYPES.get(oid, ColumnType.TEXT), native, nullable)
