"""Reads PostgreSQL: a read-only transaction, its rows as one COPY that Arrow parses block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg.rows import tuple_row
from sqlalchemy import Select

from core.copying import copy_out
from core.errors import Misconfigured
from core.parameters import Parameter
from segments.contract import ColumnInfo, ColumnType, Engine, ForeignKey, Reader
from segments.engines.failures import no_table
from segments.engines.postgres import failures
from segments.engines.postgres.dialect import dialect
from segments.sql import join_name, split_name
from segments.terms import bare

CONNECT_SECONDS = 10
SSL_MODES = (
    ("prefer", "Encrypted where the server can"),
    ("require", "Always encrypted"),
    ("verify-full", "Always encrypted, the server's certificate checked"),
    ("disable", "Never encrypted"),
)
TYPES = {
    16: ColumnType.BOOLEAN,
    **dict.fromkeys((20, 21, 23), ColumnType.INTEGER),
    **dict.fromkeys((700, 701, 1700), ColumnType.NUMBER),
    1082: ColumnType.DATE,
    **dict.fromkeys((1114, 1184), ColumnType.TIMESTAMP),
    **dict.fromkeys((114, 3802), ColumnType.OBJECT),
}
"""Object ids of pg_type, which are fixed (src/include/catalog/pg_type.dat)."""
EXACT = {16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64()}
"""The types whose text Arrow always reads, and holds exactly; all others stay text."""

TABLES = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
    order by 1, 2
"""
REQUIRED = "select attname from pg_attribute where attrelid = to_regclass(%s) and attnotnull"
FOREIGN_KEYS = """
    select own.attname, n.nspname, c.relname, other.attname from pg_constraint k
    join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute own on own.attrelid = k.conrelid and own.attnum = k.conkey[1]
    join pg_attribute other on other.attrelid = k.confrelid and other.attnum = k.confkey[1]
    where k.contype = 'f' and cardinality(k.conkey) = 1 and k.conrelid = to_regclass(%s) order by k.conname
"""
NATIVE = "select oid, format_type(oid, null), typcategory = 'A' from pg_type where oid = any(%s::oid[])"


class Postgres(Engine):
    slug = "postgres"
    label = "PostgreSQL"
    parameters = (
        Parameter("host", "Host"),
        Parameter("port", "Port", kind="integer", default=5432, least=1, most=65535),
        Parameter("database", "Database"),
        Parameter("user", "User", help="A user that may only read is best. Nothing is ever written."),
        Parameter("password", "Password", kind="secret", required=False),
        Parameter("sslmode", "Encryption", kind="choice", choices=SSL_MODES, default="prefer"),
        Parameter("schema", "Schema", default="public", help="Where tables are looked for that are named without a schema."),
    )
    dialect = dialect

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        given = {parameter.name: settings.get(parameter.name) or parameter.default for parameter in self.parameters}
        with closing(_connected(given, timeout_seconds)) as connection:
            yield PostgresReader(connection, timeout_seconds)


class PostgresReader(Reader):
    """One read-only transaction."""

    def __init__(self, connection: psycopg.Connection, timeout_seconds: float) -> None:
        self.connection = connection
        self.timeout_seconds = timeout_seconds

    def tables(self) -> list[str]:
        return [join_name(schema, name) for schema, name in self._asked(TABLES)]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        name = _identifier(table) if table else ""
        described = self._described(f"({bare(sql)})" if sql else name, table)
        required = {found for (found,) in self._asked(REQUIRED, (name,))} if table else set()
        native = {oid: (words, is_list) for oid, words, is_list in self._asked(NATIVE, ([column.type_code for column in described],))}
        return [_info(column, *native.get(column.type_code, ("unknown", False)), column.name not in required) for column in described]

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        found = self._asked(FOREIGN_KEYS, (_identifier(table),))
        return [ForeignKey(column, join_name(schema, name), other) for column, schema, name, other in found]

    def rows(self, query: Select[Any], limit: int) -> list[dict[str, Any]]:
        return [row for batch in self.batches(query.limit(limit)) for row in batch.to_pylist()]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        statement = psycopg.ClientCursor(self.connection).mogrify(str(compiled), compiled.params)
        described = self._described(f"({statement})")
        schema = pa.schema([(column.name, EXACT.get(column.type_code, pa.string())) for column in described])
        copied = f"COPY ({statement}) TO STDOUT (FORMAT csv)".encode()
        with self._problems(), closing(copy_out(self.connection.pgconn, copied)) as blocks:
            for block in blocks:
                yield _parsed(block, schema)

    def interrupt(self) -> None:
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=CONNECT_SECONDS)

    def _described(self, source: str, table: str = "") -> Sequence[psycopg.Column]:
        """The columns of a table, or of a query in brackets; refuses more than one statement."""
        with self._problems(table), self.connection.cursor() as cursor:
            # In binary the driver uses the extended protocol, in which the server takes one statement only.
            cursor.execute(f"select * from {source} as described limit 0".encode(), binary=True)  # noqa: S608
            return cursor.description or []

    def _asked(self, query: str, bound: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._problems(), self.connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(query.encode(), bound).fetchall()

    @contextmanager
    def _problems(self, table: str = "") -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            if not self.connection.broken:
                self.connection.rollback()
            if table and isinstance(error, psycopg.errors.UndefinedTable):
                raise no_table(table) from None
            raise failures.running(error, self.timeout_seconds) from None


def _connected(settings: Mapping[str, Any], timeout_seconds: float) -> psycopg.Connection:
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
        )
    except psycopg.OperationalError as error:
        raise failures.connecting(error, settings["host"], settings["port"]) from None
    connection.read_only = True
    return connection


def _options(schema: str, timeout_seconds: float) -> str:
    path = ", ".join('"' + name.replace('"', '""') + '"' for name in dict.fromkeys((schema, "public")))
    wanted = {
        "default_transaction_read_only": "on",
        "statement_timeout": str(max(1, int(timeout_seconds * 1000))),
        "search_path": path,
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "IntervalStyle": "iso_8601",
        "extra_float_digits": "1",
        "bytea_output": "hex",
    }
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in wanted.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _identifier(table: str) -> str:
    schema, name = split_name(table)
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name) if part)


def _info(column: psycopg.Column, native: str, is_list: bool, nullable: bool) -> ColumnInfo:
    type = ColumnType.LIST if is_list else TYPES.get(column.type_code, ColumnType.TEXT)
    return ColumnInfo(column.name, type, native, nullable)


def _parsed(block: bytearray, schema: pa.Schema) -> pa.RecordBatch:
    names = [str(place) for place in range(len(schema))]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
            # A row of a single null is an empty line.
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict(zip(names, schema.types, strict=True)),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        words = "The database sent text that is not UTF-8. Convert the column in a query, or mend the database's encoding."
        raise Misconfigured("source_encoding", words, detail=type(error).__name__) from None
    arrays = [column.combine_chunks() for column in table.columns]
    return pa.record_batch(arrays, schema=schema)
