"""Reads PostgreSQL: a read-only transaction, its rows as one COPY that Arrow parses block by block."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg.pq import PGconn, Ping
from psycopg.rows import tuple_row

from core.errors import Misconfigured
from core.parameters import Parameter
from core.pg_copy import copy_out
from segments.contract import ColumnInfo, ColumnType, Engine, ForeignKey, Reader, TableInfo
from segments.engines import certificates, sql_guard
from segments.engines.failures import no_table
from segments.engines.names import names
from segments.engines.postgres import failures
from segments.engines.postgres.dialect import COMPUTED, dialect
from segments.engines.postgres.session import CONNECT_SECONDS, connected
from segments.engines.watchdog import GRACE_SECONDS, hang_up, no_longer
from segments.sql.statements import join_name, split_name
from segments.sql.terms import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Select

SSL_MODES = (
    ("prefer", "Encrypted where the server can"),
    ("require", "Always encrypted"),
    ("verify-ca", "Always encrypted, the server's certificate checked"),
    ("verify-full", "Always encrypted, the server's certificate and name checked"),
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
LARGEST_BLOCK = 64 << 20
EXACT = {16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64()}
"""The types whose text Arrow always reads, and holds exactly; all others stay text."""

READABLE = """
    c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and (%(all)s or n.nspname = any(%(schemas)s)) and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
"""
TABLES = f"select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where {READABLE} order by 1, 2"  # noqa: S608
CATALOG = f"""
    select n.nspname, c.relname, c.relkind in ('v', 'm'), nullif(c.reltuples, -1)::bigint,
           array_agg(a.attname::text order by a.attnum), array_agg(a.atttypid::bigint order by a.attnum),
           array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum), array_agg(t.typcategory = 'A' order by a.attnum),
           array_agg(not a.attnotnull order by a.attnum)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped join pg_type t on t.oid = a.atttypid
    where {READABLE} group by 1, 2, 3, 4 order by 1, 2
"""  # noqa: S608
REQUIRED = "select attname from pg_attribute where attrelid = to_regclass(%s) and attnotnull"
VOLATILE = """
    select distinct p.proname from pg_proc p join pg_type t on t.oid = p.prorettype
    where p.provolatile = 'v' and t.typname not in ('trigger', 'event_trigger', 'internal', 'tsm_handler', 'language_handler')
"""
"""Functions that a read-only transaction does not keep from reading files, waiting or calling other servers."""
HARMLESS = {
    "random",
    "random_normal",
    "normal_rand",
    "clock_timestamp",
    "timeofday",
    "gen_random_uuid",
    "gen_random_bytes",
    "gen_salt",
}
HARMLESS |= {"setseed", "current_query", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4"}
FORBIDDEN = {"crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn", "connectby", "xpath_table"}
"""They run SQL that stands in a text, and call themselves stable."""
FORBIDDEN |= {
    f"{what}_to_xml{more}" for what in ("table", "schema", "database", "cursor") for more in ("", "_and_xmlschema")
}
FORBIDDEN |= {"pg_hba_file_rules", "pg_ident_file_mappings", "pg_file_settings", "pg_show_all_file_settings"}
"""What files of the server hold."""
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
        Parameter(
            "schema", "Schema", default="public", help="Where tables are looked for that are named without a schema."
        ),
        Parameter(
            "schemas",
            "Schemas listed",
            required=False,
            help="With commas between them. Empty: all that the user may read.",
        ),
        *certificates.PARAMETERS,
    )
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        given = self.filled(settings)
        with closing(connected(given, timeout_seconds)) as connection:
            yield PostgresReader(connection, timeout_seconds, names(given["schemas"]))


class PostgresReader(Reader):
    """One read-only transaction."""

    def __init__(self, connection: psycopg.Connection, timeout_seconds: float, schemas: Sequence[str] = ()) -> None:
        self.connection = connection
        self.schemas = list(schemas)
        self.judged: list[str] = []
        self.timeout_seconds = timeout_seconds

    def tables(self) -> list[str]:
        return [join_name(schema, name) for schema, name in self._asked(TABLES, self._listed())]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        name = _identifier(table) if table else ""
        sql_guard.refuse_names(table, FORBIDDEN)
        self._refuse_other([sql])
        described = self._described(f"({bare(sql)})" if sql else name, table)
        required = {found for (found,) in self._asked(REQUIRED, (name,))} if table else set()
        native = {
            oid: (said, is_list)
            for oid, said, is_list in self._asked(NATIVE, ([column.type_code for column in described],))
        }
        return [
            _info(column, *native.get(column.type_code, ("unknown", False)), column.name not in required)
            for column in described
        ]

    def catalog(self) -> list[TableInfo]:
        infos = []
        for schema, name, is_view, rows, *columns in self._asked(CATALOG, self._listed()):
            found = tuple(_column(*one) for one in zip(*columns, strict=True))
            infos.append(TableInfo(join_name(schema, name), found, is_view, None if is_view else rows))
        return infos

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        found = self._asked(FOREIGN_KEYS, (_identifier(table),))
        return [ForeignKey(column, join_name(schema, name), other) for column, schema, name, other in found]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        self._refuse_other(sql_guard.written_by_people(query))
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        statement = psycopg.ClientCursor(self.connection).mogrify(str(compiled), compiled.params)
        described = self._described(f"({statement})")
        schema = pa.schema([(column.name, EXACT.get(column.type_code, pa.string())) for column in described])
        copied = f"COPY ({statement}) TO STDOUT (FORMAT csv)".encode()
        with self._problems(), closing(copy_out(self.connection.pgconn, copied, self.interrupt)) as blocks:
            for block in blocks:
                if len(block) > LARGEST_BLOCK:
                    raise Misconfigured(
                        "source_too_large", "A row of the source is too large. Leave out long columns.", where="columns"
                    )
                yield _parsed(block, schema)

    def interrupt(self) -> None:
        try:
            self.connection.cancel_safe(timeout=CONNECT_SECONDS)
        except psycopg.Error:
            self._hang_up()

    def _hang_up(self) -> None:
        with suppress(psycopg.Error):
            hang_up(self.connection.fileno())

    def _listed(self) -> dict[str, Any]:
        return {"all": not self.schemas, "schemas": self.schemas}

    def _refuse_other(self, statements: Iterable[str]) -> None:
        """Raises Misconfigured where a person's SQL is not one statement, or names a function that the database holds to be volatile.

        Named is enough, since `(x).pg_read_file` and other spellings call it too.
        """
        for sql in {*statements} - {"", *self.judged}:
            sql_guard.refuse_hidden(sql, sql_guard.STANDARD)
            sql_guard.refuse_names(sql, FORBIDDEN)
            sql_guard.refuse_names(
                sql, self._volatile, " A function of your own that only reads can be declared STABLE."
            )
            self._refuse_parts(sql)
            self.judged.append(sql)

    @cached_property
    def _volatile(self) -> set[str]:
        return {name for (name,) in self._asked(VOLATILE)} - HARMLESS

    def _refuse_parts(self, sql: str) -> None:
        """Raises Misconfigured where a person's SQL is no statement by itself, and would be one only between our brackets."""
        with self._problems(), self.connection.cursor() as cursor:
            cursor.execute(f"explain (costs off) {bare(sql)}".encode(), binary=True)

    def _described(self, source: str, table: str = "") -> Sequence[psycopg.Column]:
        """The columns of a table, or of a query in brackets; refuses more than one statement."""
        with self._problems(table), self.connection.cursor() as cursor:
            # In binary the driver uses the extended protocol, in which the server takes one statement only.
            cursor.execute(f"select * from {source} as described limit 0".encode(), binary=True)  # noqa: S608
            return cursor.description or []

    def _asked(self, query: str, bound: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        with self._problems(), self.connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(query.encode(), bound).fetchall()

    @contextmanager
    def _problems(self, table: str = "") -> Iterator[None]:
        try:
            # The server ends a statement in time; where it does nothing any more, we do.
            with no_longer(self.timeout_seconds + GRACE_SECONDS, self._hang_up):
                yield
        except psycopg.Error as error:
            # The server may go away just now.
            with suppress(psycopg.Error):
                self.connection.rollback()
            if table and isinstance(error, psycopg.errors.UndefinedTable):
                raise no_table(table) from None
            if isinstance(error, psycopg.errors.QueryCanceled) and self._is_gone():
                raise failures.lost(str(error)) from None
            raise failures.running(error, self.timeout_seconds) from None

    def _is_gone(self) -> bool:
        """Whether the server takes no session any more: of one that was killed, a process works on until its time-out."""
        return PGconn.ping(self.connection.info.dsn.encode()) == Ping.NO_RESPONSE


def _identifier(table: str) -> str:
    schema, name = split_name(table)
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name) if part)


def _info(column: psycopg.Column, native: str, is_list: bool, nullable: bool) -> ColumnInfo:
    return _column(column.name, column.type_code, native, is_list, nullable)


def _column(name: str, oid: int, native: str, is_list: bool, nullable: bool) -> ColumnInfo:
    return ColumnInfo(name, ColumnType.LIST if is_list else TYPES.get(oid, ColumnType.TEXT), native, nullable)


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
        message = (
            "The database sent text that is not UTF-8. Convert the column in a query, or mend the database's encoding."
        )
        raise Misconfigured("source_encoding", message, detail=type(error).__name__) from None
    arrays = [column.combine_chunks() for column in table.columns]
    return pa.record_batch(arrays, schema=schema)
