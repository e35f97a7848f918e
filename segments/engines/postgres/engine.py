"""Reads PostgreSQL in a read-only transaction: rows come as one COPY, which Arrow parses block by block."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
from psycopg.pq import PGconn, Ping
from psycopg.rows import tuple_row

from core.parameters import Parameter
from core.pg_copy import RowTooLarge, copy_out
from segments.contract import ColumnInfo, ColumnType, Engine, ForeignKey, Reader, TableInfo
from segments.engines import certificates, hosts, sql_guard
from segments.engines.batches import LARGEST_ROW, row_too_large
from segments.engines.failures import no_table
from segments.engines.hosts import SSL_MODES
from segments.engines.names import names
from segments.engines.postgres import blocks, changes, failures
from segments.engines.postgres.catalog import CATALOG, COLUMNS, FOREIGN_KEYS, NATIVE, TABLES
from segments.engines.postgres.column_types import EXACT, TYPES
from segments.engines.postgres.dialect import COMPUTED, dialect
from segments.engines.postgres.forbidden import FORBIDDEN
from segments.engines.postgres.guard import Guard
from segments.engines.postgres.session import CONNECT_SECONDS, begin, connect
from segments.engines.watchdog import GRACE_SECONDS, hang_up, time_limit
from segments.sql.statements import join_name, split_name
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Select


class Postgres(Engine):
    slug = "postgres"
    label = "PostgreSQL"
    summary = "Tables, views and queries of a PostgreSQL database."
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
    signals_changes = True

    def reach(self, settings: Mapping[str, Any]) -> Iterator[str]:
        filled = self.filled(settings)
        return hosts.reach(filled["host"], int(filled["port"]))

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
        self.guard = Guard(self._fetch_single, connection.info.server_version)
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
        self.guard.refuse_unsafe([sql])
        readable = dict(self._fetch_all(COLUMNS, (name,))) if table else {}
        described = self._describe(f"({bare(sql)})" if sql else name, table, list(readable))
        type_codes = [column.type_code for column in described]
        natives = {oid: (native, is_list) for oid, native, is_list in self._fetch_all(NATIVE, (type_codes,))}
        return [
            _column_info(
                column.name,
                column.type_code,
                *natives.get(column.type_code, ("unknown", False)),
                not readable.get(column.name, False),
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
        self.guard.refuse_unsafe(sql_guard.custom_sql(query))
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        statement = psycopg.ClientCursor(self.connection).mogrify(str(compiled), compiled.params)
        described = self._describe(f"({statement})")
        schema = pa.schema([(column.name, EXACT.get(column.type_code, pa.string())) for column in described])
        copy_statement = f"COPY ({statement}) TO STDOUT (FORMAT csv)".encode()
        with (
            self._translating_errors(),
            closing(copy_out(self.connection.pgconn, copy_statement, self.interrupt, LARGEST_ROW)) as copied,
        ):
            try:
                for block in copied:
                    yield blocks.parse(block, schema)
            except RowTooLarge:
                raise row_too_large() from None

    def change_signal(self, *, table: str = "", sql: str = "") -> str | None:
        """By the counters of the tables that are read, also behind views and in partitions."""
        name = _identifier(table) if table else ""
        sql_guard.refuse_names(table, FORBIDDEN)
        self.guard.refuse_unsafe([sql])
        readable = ", ".join(quoted(column) for column, _ in self._fetch_all(COLUMNS, (name,))) if table else "*"
        source = f"({bare(sql)})" if sql else name
        explain = f"explain (verbose, format json) select {readable or '*'} from {source} as read"  # noqa: S608
        ((plan,),) = self._fetch_single(explain)
        tables = sorted(changes.tables_of(plan))
        counters = self._fetch_all(changes.COUNTERS, ([schema for schema, _ in tables], [one for _, one in tables]))
        return changes.signal(counters)

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

    def _describe(self, source: str, table: str = "", columns: Sequence[str] = ()) -> Sequence[psycopg.Column]:
        """The columns of a table, or of a query in parentheses; refuses more than one statement.

        Args:
            columns: only these, or none for all. The user may be allowed to read only some columns of a table.
        """
        listed = ", ".join(map(quoted, columns)) or "*"
        with self._translating_errors(table), self.connection.cursor() as cursor:
            # For binary results the driver uses the extended protocol, in which the server accepts only one statement.
            cursor.execute(f"select {listed} from {source} as described limit 0".encode(), binary=True)  # noqa: S608
            return cursor.description or []

    def _fetch_single(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement without parameters. The server refuses more than one statement."""
        with self._translating_errors(), self.connection.cursor(row_factory=tuple_row) as cursor:
            # For binary results the driver uses the extended protocol, in which the server accepts only one statement.
            return cursor.execute(statement.encode(), binary=True).fetchall()

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
    return ".".join(quoted(part) for part in (schema, name) if part)


def quoted(name: str) -> str:
    """The name in quotation marks."""
    return '"' + name.replace('"', '""') + '"'


def _column_info(name: str, oid: int, native: str, is_list: bool, nullable: bool) -> ColumnInfo:
    return ColumnInfo(name, ColumnType.LIST if is_list else TYPES.get(oid, ColumnType.TEXT), native, nullable)
