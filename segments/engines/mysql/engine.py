"""Reads MySQL and MariaDB in a read-only session; rows are parsed as they come over the wire."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pymysql

from core.errors import Misconfigured, Problem
from core.parameters import Parameter
from segments.contract import ColumnInfo, Engine, ForeignKey, Reader, TableInfo
from segments.engines import certificates, hosts, sql_guard
from segments.engines.failures import no_table, timed_out
from segments.engines.hosts import SSL_MODES
from segments.engines.mysql import changes, failures, wire
from segments.engines.mysql.catalog import ALL_COLUMNS, CATALOG, COLUMNS, FOREIGN_KEYS, JSON_CHECKS, TABLES
from segments.engines.mysql.column_types import fits_int64, native_of, type_of
from segments.engines.mysql.dialect import COMPUTED, dialect
from segments.engines.mysql.forbidden import FORBIDDEN, FORBIDDEN_CALLS, LOCKING
from segments.engines.mysql.session import CONNECT_SECONDS, connect, drop
from segments.engines.names import names
from segments.engines.watchdog import GRACE_SECONDS, time_limit
from segments.sql.statements import join_name, split_name
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pymysql.protocol import FieldDescriptorPacket
    from sqlalchemy import Select


class MySQL(Engine):
    slug = "mysql"
    label = "MySQL or MariaDB"
    summary = "Tables, views and queries of a MySQL or MariaDB database."
    parameters = (
        Parameter("host", "Host", kind="host", recipient=True),
        Parameter("port", "Port", kind="integer", default=3306, least=1, most=65535, recipient=True),
        Parameter("database", "Database"),
        Parameter("user", "User", help="Preferably a read-only user. Nothing is ever written."),
        Parameter("password", "Password", kind="secret", required=False),
        Parameter(
            "schemas",
            "Other databases",
            required=False,
            help="Databases whose tables are listed too, separated by commas.",
        ),
        Parameter("sslmode", "Encryption", kind="choice", choices=SSL_MODES, default="automatic"),
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
        connection = connect(filled, timeout_seconds)
        try:
            yield MySQLReader(connection, filled, timeout_seconds)
        finally:
            # Without COM_QUIT, because the server may be gone, or still be sending rows.
            connection._force_close()


class MySQLReader(Reader):
    """One read-only session."""

    def __init__(
        self, connection: pymysql.Connection[Any], settings: Mapping[str, Any], timeout_seconds: float
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.checked: list[str] = []
        self.timeout_seconds = timeout_seconds

    def tables(self) -> list[str]:
        return [
            self._display_name(schema, name)
            for schema, name in self._fetch_all(TABLES, (self._databases(), self.settings["database"]))
        ]

    def catalog(self) -> list[TableInfo]:
        columns: dict[tuple[str, str], list[ColumnInfo]] = {}
        for schema, table, name, native, nullable in self._fetch_all(ALL_COLUMNS, (self._databases(),)):
            columns.setdefault((schema, table), []).append(ColumnInfo(name, type_of(native), native, bool(nullable)))
        tables = self._fetch_all(CATALOG, (self._databases(), self.settings["database"]))
        return [
            TableInfo(self._display_name(schema, name), tuple(columns.get((schema, name), ())), bool(is_view), rows)
            for schema, name, is_view, rows in tables
        ]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if not sql:
            return self._table_columns(table)
        self._refuse_unsafe(sql)
        with self._translating_errors():
            described = f"SELECT * FROM ({bare(sql)}) AS described LIMIT 0"  # noqa: S608
            fields = wire.send_query(self.connection, described.encode())
            list(wire.read_blocks(self.connection, len(fields)))
        return [
            ColumnInfo(field.name, type_of(native_of(field)), native_of(field), field.flags % 2 == 0)
            for field in fields
        ]

    def _refuse_unsafe(self, sql: str) -> None:
        """Raises Misconfigured if a person's SQL does more than read, or is a statement only inside our parentheses."""
        if sql in self.checked:
            return
        sql_guard.refuse_names(sql, FORBIDDEN)
        sql_guard.refuse_calls(sql, FORBIDDEN_CALLS, sql_guard.MYSQL)
        if locking := LOCKING.search(sql):
            raise Misconfigured(
                "source_function",
                f"{locking[0]} can't be used here: a query may not lock rows. Remove it from the query.",
                where="sql",
            )
        with self._translating_errors(), self.connection.cursor() as cursor:
            # Only a complete statement can be prepared.
            cursor.execute("PREPARE described FROM %s", (bare(sql),))
            cursor.execute("DEALLOCATE PREPARE described")
        self.checked.append(sql)

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        schema, name = split_name(table)
        keys = self._fetch_all(FOREIGN_KEYS, (schema or self.settings["database"], name))
        return [ForeignKey(column, self._display_name(*other), to) for column, *other, to in keys]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        for sql in sql_guard.custom_sql(query):
            self._refuse_unsafe(sql)
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        statement = self.connection.cursor().mogrify(str(compiled), dict(compiled.params))
        end = time.monotonic() + self.timeout_seconds
        with self._translating_errors():
            fields = wire.send_query(self.connection, statement.encode())
            with closing(wire.read_blocks(self.connection, len(fields))) as blocks:
                for columns in blocks:
                    yield _batch(columns, fields)
                    if time.monotonic() > end:
                        raise timed_out(self.timeout_seconds)

    def change_signal(self, *, table: str = "", sql: str = "") -> str | None:
        """By the counters of a table. For a view or a query, by those of all tables that the user can see."""
        schema, name = split_name(table)
        found = self._fetch_all(changes.BASE_TABLE, (schema or self.settings["database"], name)) if table else ()
        return changes.signal(self._fetch_quietly, found[0] if found else None)

    def _fetch_quietly(self, query: str, bound: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        """The rows of a query that the server or the user's privileges may not allow; none in that case."""
        with suppress(Misconfigured):
            return self._fetch_all(query, bound)
        return ()

    def interrupt(self) -> None:
        try:
            with closing(connect(self.settings, CONNECT_SECONDS)) as other:
                other.cursor().execute(f"KILL QUERY {int(self.connection.thread_id())}")
        except (Problem, pymysql.MySQLError, OSError):
            drop(self.connection)

    def _databases(self) -> list[str]:
        return [self.settings["database"], *names(self.settings["schemas"])]

    def _display_name(self, schema: str, name: str) -> str:
        """The name under which a table is listed: without the database if it is the session's own."""
        return join_name("" if schema == self.settings["database"] else schema, name).removeprefix(".")

    def _table_columns(self, table: str) -> list[ColumnInfo]:
        schema, name = split_name(table)
        qualified = (schema or self.settings["database"], name)
        columns = self._fetch_all(COLUMNS, (*qualified, name))
        if not columns:
            raise no_table(table)
        json_columns: set[str] = set()
        if any(declared == "longtext" for _, declared, _ in columns):
            # In MariaDB, JSON is not a type but a check constraint on text.
            json_columns = {column for (column,) in self._fetch_all(JSON_CHECKS, qualified)}
        infos = []
        for column, declared, nullable in columns:
            native = "json" if declared == "longtext" and column in json_columns else declared
            infos.append(ColumnInfo(column, type_of(native), native, bool(nullable)))
        return infos

    def _fetch_all(self, query: str, bound: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        with self._translating_errors(), self.connection.cursor() as cursor:
            cursor.execute(query, bound)
            return cursor.fetchall()

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        try:
            # The server ends a statement at its timeout. If it no longer does, or sends a byte now and then, this does.
            with time_limit(self.timeout_seconds + GRACE_SECONDS, lambda: drop(self.connection)):
                yield
        except failures.UNEXPECTED as error:
            raise failures.running(error, self.timeout_seconds) from None


def _batch(columns: Sequence[wire.Values], fields: Sequence[FieldDescriptorPacket]) -> pa.RecordBatch:
    arrays = [_array(values, field) for values, field in zip(columns, fields, strict=True)]
    return pa.record_batch(arrays, names=[field.name for field in fields])


def _array(values: wire.Values, field: FieldDescriptorPacket) -> pa.Array:
    raw = pa.array(values, pa.binary())
    try:
        text = raw.cast(pa.string())
    except pa.ArrowInvalid:
        # A person's query declares bytes to be text.
        text = pa.array([value and value.decode("utf-8", "backslashreplace") for value in values], pa.string())
    return text.cast(pa.int64()) if fits_int64(field) else text
