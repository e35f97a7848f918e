"""Reads a SQLite file, opened read-only: one SELECT at a time, and no access to any other file."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from core.errors import Misconfigured
from segments.contract import ColumnInfo, ColumnType, Engine, ForeignKey, Reader
from segments.engines.batches import next_batch_rows
from segments.engines.declared_types import COLUMNS, Declared, declared_types
from segments.engines.failures import no_table
from segments.engines.paths import PATH, resolve, stamp
from segments.engines.sqlite.column_types import declared_type, sampled_type, text, text_array
from segments.engines.sqlite.dialect import COMPUTED, EPOCHS, dialect
from segments.engines.sqlite.session import FUNCTIONS, authorize, connect, identifier, translated
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Select

BATCH_ROWS = 20_000
FETCH_ROWS = 32
"""Rows that are transposed to columns at once: few enough to stay in the processor's cache, and in memory if large."""
LARGE_ROWS_BYTES = 1_000_000
"""If as many rows are larger than this, the next ones are fetched one by one."""
BATCH_BYTES = 64_000_000
VALUE_BYTES = 57
"""The memory that a value takes besides its characters."""
SHADOW_TABLES = "select name from pragma_table_list where schema = 'main' and type = 'shadow'"
DATABASE_FILE = "select file from pragma_database_list where name = 'main'"
SAMPLE_ROWS = 1_000
STEPS_BETWEEN_CHECKS = 10_000
"""Virtual machine instructions of SQLite between two checks of the clock."""


class SQLite(Engine):
    slug = "sqlite"
    label = "SQLite"
    summary = "A database in one file on this server."
    parameters = (PATH, replace(COLUMNS, help=f"{COLUMNS.help} The name is that of a column, or table.column."))
    dialect = dialect
    computed = COMPUTED
    signals_changes = True
    functions = tuple(function.__name__ for function in FUNCTIONS)

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        with closing(connect(resolve(settings["path"]))) as connection:
            reader = SQLiteReader(connection, timeout_seconds, declared_types(settings))
            reader.tables()  # Fails if the file is not a database.
            yield reader


class SQLiteReader(Reader):
    """Returns every value as text, because any column may hold values of any type."""

    def __init__(
        self, connection: sqlite3.Connection, timeout_seconds: float, declared: Mapping[str, Declared]
    ) -> None:
        self.connection = connection
        self.declared = declared
        self.timeout_seconds = timeout_seconds

    def tables(self) -> list[str]:
        query = (
            "select name from sqlite_master where type in ('table', 'view') and name not glob 'sqlite_*' order by name"
        )
        with self._execute(query) as cursor:
            names = [text(name) or "" for (name,) in cursor]
        return [name for name in names if name not in self._shadow_tables()]

    def _shadow_tables(self) -> set[str]:
        """The tables in which virtual tables, such as those of FTS5, keep their data."""
        # Before SQLite 3.37, they can't be told apart from others.
        with suppress(Misconfigured), self._unguarded(), self._execute(SHADOW_TABLES) as cursor:
            return {text(name) or "" for (name,) in cursor}
        return set()

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        described = self._declared_columns(table, sql)
        return {name: self._native(table, name, native) for name, native, _ in described}

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        described = self._declared_columns(table, sql)
        untyped = [name for name, native, _ in described if declared_type(native) is None]
        source = f"({bare(sql)})" if sql else identifier(table)
        sampled = self._sampled_types(source, untyped) if untyped else {}
        infos = []
        for name, native, nullable in described:
            declared = self._declaration(table, name)
            column_type = declared.type if declared else declared_type(native) or sampled[name]
            infos.append(ColumnInfo(name, column_type, self._native(table, name, native), nullable))
        return infos

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        query = 'select id, "from", "table", "to" from pragma_foreign_key_list(?) order by id, seq'
        with self._unguarded(), self._execute(query, (table,)) as cursor:
            references = [(key, *map(text, names)) for key, *names in cursor]
        widths = Counter(key for key, *_ in references)
        # A key that names no column refers to the other table's primary key. Such keys are left out.
        return [
            ForeignKey(column, other, to)
            for key, column, other, to in references
            if widths[key] == 1 and column and other and to
        ]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        bound = {name: float(value) if isinstance(value, Decimal) else value for name, value in compiled.params.items()}
        with self._execute(str(compiled), bound) as cursor:
            schema = pa.schema([(column[0], pa.string()) for column in cursor.description])
            batch = None
            while (columns := _fetch_columns(cursor, next_batch_rows(batch, BATCH_ROWS)))[0]:
                batch = pa.record_batch([text_array(column) for column in columns], schema=schema)
                yield batch

    def change_signal(self, *, table: str = "", sql: str = "") -> str | None:
        """By the file and its log of changes, so for all tables alike."""
        with self._unguarded(), self._execute(DATABASE_FILE) as cursor:
            file = Path(text(cursor.fetchone()[0]) or "")
        return stamp([file, file.with_name(f"{file.name}-wal")])

    def interrupt(self) -> None:
        self.connection.interrupt()

    def _declaration(self, table: str, column: str) -> Declared | None:
        """The type that the user declared for a column, for this table or for all tables and queries."""
        return self.declared.get(f"{table}.{column}") or self.declared.get(column)

    def _native(self, table: str, column: str, native: str) -> str:
        declared = self._declaration(table, column)
        return declared.value if declared and declared.value in EPOCHS else native

    def _declared_columns(self, table: str, sql: str) -> list[tuple[str, str, bool]]:
        described = self._describe_query(sql) if sql else self._describe(table)
        if not described:
            raise no_table(table)
        return described

    def _describe(self, name: str) -> list[tuple[str, str, bool]]:
        """Name, declared type and nullability of each column of a table or view."""
        query = 'select name, type, "notnull" from pragma_table_xinfo(?) where hidden <> 1'
        with self._unguarded(), self._execute(query, (name,)) as cursor:
            return [(text(column) or "", text(native) or "", not required) for column, native, required in cursor]

    def _describe_query(self, sql: str) -> list[tuple[str, str, bool]]:
        """The same for a query: by way of a temporary view, because only a table or view has declared types."""
        with self._execute(f"explain {bare(sql)}"):
            pass  # Not run, but the authorizer refuses it here if it writes.
        with self._execute(f"select * from ({bare(sql)}) limit 0"):  # noqa: S608
            pass  # Refused here unless it is a single SELECT.
        with self._unguarded():
            with self._execute(f"create temp view described_query as {bare(sql)}"):
                pass
            columns = self._describe("described_query")
            with self._unguarded(), self._execute("drop view temp.described_query"):
                return columns

    def _sampled_types(self, source: str, columns: Sequence[str]) -> dict[str, ColumnType]:
        """The types of columns that declare none, by their first values."""
        names = ", ".join(identifier(column) for column in columns)
        with self._execute(f"select {names} from {source} limit {SAMPLE_ROWS}") as cursor:  # noqa: S608
            values = _fetch_columns(cursor, SAMPLE_ROWS)
        return {column: sampled_type(sample) for column, sample in zip(columns, values, strict=True)}

    @contextmanager
    def _unguarded(self) -> Iterator[None]:
        """Suspends the authorizer for statements of our own. A person's SQL is never run in this block."""
        self.connection.set_authorizer(None)
        try:
            yield
        finally:
            self.connection.set_authorizer(authorize)

    @contextmanager
    def _execute(self, sql: str, bound: Any = ()) -> Iterator[sqlite3.Cursor]:
        """Runs one statement. The timeout covers the statement and the reading of its rows."""
        end = time.monotonic() + self.timeout_seconds
        self.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN_CHECKS)
        try:
            with closing(self.connection.cursor()) as cursor:
                yield cursor.execute(sql, bound)
        except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
            raise translated(error, self.timeout_seconds) from None


def _fetch_columns(cursor: sqlite3.Cursor, max_rows: int) -> list[list[Any]]:
    """The next rows as columns, which are empty at the end: at most `max_rows`, and fewer if they are large."""
    columns: list[list[Any]] = [[] for _ in cursor.description]
    size, wanted = 0, 1
    while len(columns[0]) < max_rows and size < BATCH_BYTES:
        rows = cursor.fetchmany(min(wanted, max_rows - len(columns[0])))
        if not rows:
            break
        fetched = sum(map(length_hint, chain.from_iterable(rows))) + len(rows) * len(columns) * VALUE_BYTES
        size += fetched
        wanted = FETCH_ROWS if fetched < LARGE_ROWS_BYTES else 1
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns
