"""Reads a SQLite file, opened read-only: one SELECT at a time, and no access to any other file."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from core.errors import Misconfigured, Problem, Unavailable
from segments.contract import ColumnInfo, ColumnType, Engine, ForeignKey, Reader
from segments.engines.batches import next_batch_rows
from segments.engines.failures import no_table, refused, timed_out
from segments.engines.paths import PATH, resolve
from segments.engines.sqlite.column_types import declared_type, sampled_type, text, text_array
from segments.engines.sqlite.dialect import COMPUTED, dialect
from segments.engines.sqlite.functions import (
    ExactAverage,
    ExactSum,
    as_number,
    as_utc,
    is_within,
    list_has,
    lowercase,
    month_day,
)
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Select

BATCH_ROWS = 20_000
FETCH_ROWS = 500
"""Rows that are transposed to columns at once: few enough to stay in the processor's cache."""
SAMPLE_ROWS = 1_000
STEPS_BETWEEN_CHECKS = 10_000
"""Virtual machine instructions of SQLite between two checks of the clock."""
LOCK_SECONDS = 5
MAX_VALUE_BYTES = 100_000_000
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
FUNCTIONS: Mapping[Callable[..., Any], int] = {
    as_utc: 2,
    as_number: 1,
    is_within: 5,
    list_has: 3,
    month_day: 2,
    lowercase: 1,
}
"""Our own functions, which the dialect calls, with the number of arguments of each."""
FORBIDDEN_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}


class SQLite(Engine):
    slug = "sqlite"
    label = "SQLite"
    parameters = (PATH,)
    dialect = dialect
    computed = COMPUTED
    functions = tuple(function.__name__ for function in FUNCTIONS)

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        with closing(_connect(resolve(settings["path"]))) as connection:
            reader = SQLiteReader(connection, timeout_seconds)
            reader.tables()  # Fails if the file is not a database.
            yield reader


class SQLiteReader(Reader):
    """Returns every value as text, because any column may hold values of any type."""

    def __init__(self, connection: sqlite3.Connection, timeout_seconds: float) -> None:
        self.connection = connection
        self.timeout_seconds = timeout_seconds

    def tables(self) -> list[str]:
        query = (
            "select name from sqlite_master where type in ('table', 'view') and name not glob 'sqlite_*' order by name"
        )
        with self._execute(query) as cursor:
            return [text(name) or "" for (name,) in cursor]

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        return {name: native for name, native, _ in self._declared_columns(table, sql)}

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        described = self._declared_columns(table, sql)
        untyped = [name for name, native, _ in described if declared_type(native) is None]
        source = f"({bare(sql)})" if sql else _identifier(table)
        sampled = self._sampled_types(source, untyped) if untyped else {}
        return [
            ColumnInfo(name, declared_type(native) or sampled[name], native, nullable)
            for name, native, nullable in described
        ]

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

    def interrupt(self) -> None:
        self.connection.interrupt()

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
        names = ", ".join(_identifier(column) for column in columns)
        with self._execute(f"select {names} from {source} limit {SAMPLE_ROWS}") as cursor:  # noqa: S608
            rows = cursor.fetchall()
        values = list(zip(*rows, strict=True)) or [()] * len(columns)
        return {column: sampled_type(sample) for column, sample in zip(columns, values, strict=True)}

    @contextmanager
    def _unguarded(self) -> Iterator[None]:
        """Suspends the authorizer for statements of our own. A person's SQL is never run in this block."""
        self.connection.set_authorizer(None)
        try:
            yield
        finally:
            self.connection.set_authorizer(_authorize)

    @contextmanager
    def _execute(self, sql: str, bound: Any = ()) -> Iterator[sqlite3.Cursor]:
        """Runs one statement. The timeout covers the statement and the reading of its rows."""
        end = time.monotonic() + self.timeout_seconds
        self.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN_CHECKS)
        try:
            with closing(self.connection.cursor()) as cursor:
                yield cursor.execute(sql, bound)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _translated(error, self.timeout_seconds) from None


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=LOCK_SECONDS,
            check_same_thread=False,
            isolation_level=None,
        )
    except sqlite3.Error as error:
        raise _translated(error, LOCK_SECONDS) from None
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    for function, arguments in FUNCTIONS.items():
        connection.create_function(function.__name__, arguments, function, deterministic=True)
    connection.create_aggregate("exact_sum", 1, ExactSum)  # type: ignore[arg-type, unused-ignore]
    connection.create_aggregate("exact_average", 1, ExactAverage)  # type: ignore[arg-type, unused-ignore]
    connection.set_authorizer(_authorize)
    return connection


def _authorize(action: int, _first: str | None, second: str | None, *_: Any) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY


def _translated(error: Exception, seconds: float) -> Problem:
    message = str(error)
    if message == "interrupted":
        return timed_out(seconds)
    if "locked" in message:
        return Unavailable("source_busy", "The file is locked by another program. Try again in a moment.")
    if "not a database" in message or "malformed" in message or "unable to open" in message:
        return Misconfigured(
            "source_file_unreadable",
            "The file can't be opened as a SQLite database. Check that it is one.",
            detail=message,
        )
    if "not authorized" in message or "prohibited" in message:
        return Misconfigured(
            "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", detail=message
        )
    return refused(message)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _fetch_columns(cursor: sqlite3.Cursor, max_rows: int) -> list[list[Any]]:
    """The next rows as columns, which are empty at the end."""
    columns: list[list[Any]] = [[] for _ in cursor.description]
    while len(columns[0]) < max_rows and (rows := cursor.fetchmany(min(FETCH_ROWS, max_rows))):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns
