"""Reads MySQL and MariaDB: a read-only session, its rows as they come over the wire."""

from __future__ import annotations

import re
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pymysql

from core.errors import Misconfigured, Problem
from core.parameters import Parameter
from segments.contract import ColumnInfo, Engine, ForeignKey, Reader, TableInfo
from segments.engines import certificates, sql_guard
from segments.engines.failures import no_table, timed_out
from segments.engines.mysql import failures, wire
from segments.engines.mysql.column_types import is_whole, native_of, type_of
from segments.engines.mysql.dialect import COMPUTED, dialect
from segments.engines.mysql.session import CONNECT_SECONDS, connected
from segments.engines.names import names
from segments.engines.watchdog import hang_up
from segments.sql.statements import join_name, split_name
from segments.sql.terms import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pymysql.protocol import FieldDescriptorPacket
    from sqlalchemy import Select

SSL_MODES = (
    ("prefer", "Encrypted where the server can"),
    ("require", "Always encrypted"),
    ("verify-ca", "Always encrypted, the server's certificate checked"),
    ("verify-full", "Always encrypted, the server's certificate and name checked"),
    ("disable", "Never encrypted"),
)
FORBIDDEN = frozenset(
    {
        "load_file",
        "outfile",
        "dumpfile",
        "nextval",
        "setval",
        "sys_exec",
        "sys_eval",
        "master_pos_wait",
        "source_pos_wait",
    }
    | {
        "get_lock",
        "release_lock",
        "release_all_locks",
        "is_free_lock",
        "is_used_lock",
        "master_gtid_wait",
        "wait_for_executed_gtid_set",
    }
)
"""What touches files or locks of the server, or waits there: it may not even be named."""
LOCKING = re.compile(r"\block\s+in\s+share\b|\bfor\s+(share|update)\b", re.IGNORECASE)
FORBIDDEN_CALLS = FORBIDDEN | {"sleep", "benchmark", "lastval"}

READABLE = "table_type in ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') and table_schema in %s"
TABLES = (
    f"select table_schema, table_name from information_schema.tables where {READABLE} order by table_schema <> %s, 1, 2"  # noqa: S608
)
CATALOG = f"""
    select table_schema, table_name, table_type = 'VIEW', table_rows from information_schema.tables
    where {READABLE} order by table_schema <> %s, 1, 2
"""  # noqa: S608
ALL_COLUMNS = """
    select table_schema, table_name, column_name, column_type, is_nullable = 'YES' from information_schema.columns
    where table_schema in %s order by table_schema, table_name, ordinal_position
"""
COLUMNS = """
    select column_name, column_type, is_nullable = 'YES' from information_schema.columns
    where table_schema = %s and table_name = %s and binary table_name = %s order by ordinal_position
"""
FOREIGN_KEYS = """
    select max(column_name), max(referenced_table_schema), max(referenced_table_name), max(referenced_column_name)
    from information_schema.key_column_usage where table_schema = %s and table_name = %s and referenced_table_name is not null
    group by constraint_name having count(*) = 1 order by constraint_name
"""
JSON_CHECKS = """
    select constraint_name from information_schema.check_constraints
    where constraint_schema = %s and table_name = %s and check_clause like 'json_valid(%%'
"""


class MySQL(Engine):
    slug = "mysql"
    label = "MySQL or MariaDB"
    parameters = (
        Parameter("host", "Host"),
        Parameter("port", "Port", kind="integer", default=3306, least=1, most=65535),
        Parameter("database", "Database"),
        Parameter("user", "User", help="A user that may only read is best. Nothing is ever written."),
        Parameter("password", "Password", kind="secret", required=False),
        Parameter(
            "schemas",
            "More databases",
            required=False,
            help="Others whose tables are listed too, with commas between them.",
        ),
        Parameter("sslmode", "Encryption", kind="choice", choices=SSL_MODES, default="prefer"),
        *certificates.PARAMETERS,
    )
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        given = self.filled(settings)
        connection = connected(given, timeout_seconds)
        try:
            yield MySQLReader(connection, given, timeout_seconds)
        finally:
            # Without a farewell: the server may be gone, or still be sending.
            connection._force_close()


class MySQLReader(Reader):
    """One session that can only read."""

    def __init__(
        self, connection: pymysql.Connection[Any], settings: Mapping[str, Any], timeout_seconds: float
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.judged: list[str] = []
        self.timeout_seconds = timeout_seconds

    def tables(self) -> list[str]:
        return [
            self._named(schema, name)
            for schema, name in self._asked(TABLES, (self._databases(), self.settings["database"]))
        ]

    def catalog(self) -> list[TableInfo]:
        columns: dict[tuple[str, str], list[ColumnInfo]] = {}
        for schema, table, name, native, nullable in self._asked(ALL_COLUMNS, (self._databases(),)):
            columns.setdefault((schema, table), []).append(ColumnInfo(name, type_of(native), native, bool(nullable)))
        found = self._asked(CATALOG, (self._databases(), self.settings["database"]))
        return [
            TableInfo(self._named(schema, name), tuple(columns.get((schema, name), ())), bool(is_view), rows)
            for schema, name, is_view, rows in found
        ]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if not sql:
            return self._of_table(table)
        self._refuse_other(sql)
        with self._problems():
            fields = wire.ask(self.connection, f"SELECT * FROM ({bare(sql)}) AS described LIMIT 0".encode())  # noqa: S608
            list(wire.blocks(self.connection, len(fields)))
        return [
            ColumnInfo(field.name, type_of(native_of(field)), native_of(field), field.flags % 2 == 0)
            for field in fields
        ]

    def _refuse_other(self, sql: str) -> None:
        """Raises Misconfigured where a person's SQL does more than read, or is a statement only between our brackets."""
        if sql in self.judged:
            return
        sql_guard.refuse_names(sql, FORBIDDEN)
        sql_guard.refuse_calls(sql, FORBIDDEN_CALLS, sql_guard.MYSQL)
        if found := LOCKING.search(sql):
            raise Misconfigured(
                "source_function",
                f"{found[0]} can't be used here: a query locks no rows. Write it without.",
                where="sql",
            )
        with self._problems(), self.connection.cursor() as cursor:
            cursor.execute("PREPARE described FROM %s", (bare(sql),))
            cursor.execute("DEALLOCATE PREPARE described")
        self.judged.append(sql)

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        schema, name = split_name(table)
        found = self._asked(FOREIGN_KEYS, (schema or self.settings["database"], name))
        return [ForeignKey(column, self._named(*other), to) for column, *other, to in found]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        for sql in sql_guard.written_by_people(query):
            self._refuse_other(sql)
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        statement = self.connection.cursor().mogrify(str(compiled), dict(compiled.params))
        end = time.monotonic() + self.timeout_seconds
        with self._problems():
            fields = wire.ask(self.connection, statement.encode())
            with closing(wire.blocks(self.connection, len(fields))) as blocks:
                for columns in blocks:
                    yield _batch(columns, fields)
                    if time.monotonic() > end:
                        raise timed_out(self.timeout_seconds)

    def interrupt(self) -> None:
        try:
            with closing(connected(self.settings, CONNECT_SECONDS)) as other:
                other.cursor().execute(f"KILL QUERY {int(self.connection.thread_id())}")
        except (Problem, pymysql.MySQLError, OSError):
            hang_up(self.connection._sock.fileno() if self.connection._sock else -1)

    def _databases(self) -> list[str]:
        return [self.settings["database"], *names(self.settings["schemas"])]

    def _named(self, schema: str, name: str) -> str:
        """A table as it is listed: of the session's own database without its name."""
        return join_name("" if schema == self.settings["database"] else schema, name).removeprefix(".")

    def _of_table(self, table: str) -> list[ColumnInfo]:
        schema, name = split_name(table)
        place = (schema or self.settings["database"], name)
        found = self._asked(COLUMNS, (*place, name))
        if not found:
            raise no_table(table)
        checked = (
            {column for (column,) in self._asked(JSON_CHECKS, place)}
            if any(one[1] == "longtext" for one in found)
            else set()
        )
        infos = []
        for column, declared, nullable in found:
            # MariaDB has no type for JSON, but a check on text.
            native = "json" if declared == "longtext" and column in checked else declared
            infos.append(ColumnInfo(column, type_of(native), native, bool(nullable)))
        return infos

    def _asked(self, query: str, bound: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        with self._problems(), self.connection.cursor() as cursor:
            cursor.execute(query, bound)
            return cursor.fetchall()

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except (pymysql.MySQLError, OSError, EOFError) as error:
            raise failures.running(error, self.timeout_seconds) from None


def _batch(columns: Sequence[wire.Values], fields: Sequence[FieldDescriptorPacket]) -> pa.RecordBatch:
    arrays = [_array(values, field) for values, field in zip(columns, fields, strict=True)]
    return pa.record_batch(arrays, names=[field.name for field in fields])


def _array(values: wire.Values, field: FieldDescriptorPacket) -> pa.Array:
    raw = pa.array(values, pa.binary())
    try:
        text = raw.cast(pa.string())
    except pa.ArrowInvalid:
        # Bytes that a person's query calls text.
        text = pa.array([value and value.decode("utf-8", "replace") for value in values], pa.string())
    return text.cast(pa.int64()) if is_whole(field) else text
