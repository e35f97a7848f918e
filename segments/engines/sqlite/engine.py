"""Reads a SQLite file: opened read-only, one SELECT at a time, no other file in reach."""

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
from segments.engines.batches import rows_next
from segments.engines.failures import no_table, refused, timed_out
from segments.engines.paths import PATH, inside
from segments.engines.sqlite.column_types import declared_type, sampled_type, text, text_array
from segments.engines.sqlite.dialect import COMPUTED, dialect
from segments.engines.sqlite.functions import (
    ExactAverage,
    ExactSum,
    as_moment,
    as_number,
    is_within,
    list_has,
    month_day,
    small_letters,
)
from segments.sql.terms import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Select

BATCH_ROWS = 20_000
PIECE_ROWS = 500
"""So many rows are turned into columns at once: while they are in the processor's cache."""
SAMPLE_ROWS = 1_000
STEPS_BETWEEN_LOOKS = 10_000
"""Instructions of SQLite's own between two looks at the clock."""
LOCK_SECONDS = 5
MAX_VALUE_BYTES = 100_000_000
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
FUNCTIONS: Mapping[Callable[..., Any], int] = {
    as_moment: 2,
    as_number: 1,
    is_within: 5,
    list_has: 3,
    month_day: 2,
    small_letters: 1,
}
"""Our own, that the dialect calls, with how many values each takes."""
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
        with closing(_connected(inside(settings["path"]))) as connection:
            reader = SQLiteReader(connection, timeout_seconds)
            reader.tables()
            yield reader


class SQLiteReader(Reader):
    """Every value goes out as text, since any column may hold any type."""

    def __init__(self, connection: sqlite3.Connection, timeout_seconds: float) -> None:
        self.connection = connection
        self.timeout_seconds = timeout_seconds

    def tables(self) -> list[str]:
        listed = (
            "select name from sqlite_master where type in ('table', 'view') and name not glob 'sqlite_*' order by name"
        )
        with self._statement(listed) as cursor:
            return [text(name) or "" for (name,) in cursor]

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        return {name: native for name, native, _ in self._declared(table, sql)}

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        described = self._declared(table, sql)
        untyped = [name for name, native, _ in described if declared_type(native) is None]
        source = f"({bare(sql)})" if sql else _identifier(table)
        sampled = self._sampled(source, untyped) if untyped else {}
        return [
            ColumnInfo(name, declared_type(native) or sampled[name], native, nullable)
            for name, native, nullable in described
        ]

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        asked = 'select id, "from", "table", "to" from pragma_foreign_key_list(?) order by id, seq'
        with self._unguarded(), self._statement(asked, (table,)) as cursor:
            found = [(number, *map(text, names)) for number, *names in cursor]
        single = Counter(number for number, *_ in found)
        # Without a column named, a key points at the primary key, which the schema of the other table tells.
        return [
            ForeignKey(column, other, to)
            for number, column, other, to in found
            if single[number] == 1 and column and other and to
        ]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        bound = {name: float(value) if isinstance(value, Decimal) else value for name, value in compiled.params.items()}
        with self._statement(str(compiled), bound) as cursor:
            schema = pa.schema([(column[0], pa.string()) for column in cursor.description])
            batch = None
            while (columns := _columns(cursor, rows_next(batch, BATCH_ROWS)))[0]:
                batch = pa.record_batch([text_array(column) for column in columns], schema=schema)
                yield batch

    def interrupt(self) -> None:
        self.connection.interrupt()

    def _declared(self, table: str, sql: str) -> list[tuple[str, str, bool]]:
        described = self._described_query(sql) if sql else self._described(table)
        if not described:
            raise no_table(table)
        return described

    def _described(self, name: str) -> list[tuple[str, str, bool]]:
        """Name, declared type and whether it may be null, of the columns of a table or view."""
        asked = 'select name, type, "notnull" from pragma_table_xinfo(?) where hidden <> 1'
        with self._unguarded(), self._statement(asked, (name,)) as cursor:
            return [(text(column) or "", text(native) or "", not required) for column, native, required in cursor]

    def _described_query(self, sql: str) -> list[tuple[str, str, bool]]:
        """As a view of this session, a query tells the declared types of its columns."""
        with self._statement(f"explain {bare(sql)}"):
            pass  # Not run, but refused here, under guard, where it writes.
        with self._statement(f"select * from ({bare(sql)}) limit 0"):  # noqa: S608
            pass  # Refused here unless it is one SELECT.
        with self._unguarded():
            with self._statement(f"create temp view described_query as {bare(sql)}"):
                pass
            found = self._described("described_query")
            with self._unguarded(), self._statement("drop view temp.described_query"):
                return found

    def _sampled(self, source: str, columns: Sequence[str]) -> dict[str, ColumnType]:
        """The types of columns that declare none, by their first values."""
        chosen = ", ".join(_identifier(column) for column in columns)
        with self._statement(f"select {chosen} from {source} limit {SAMPLE_ROWS}") as cursor:  # noqa: S608
            rows = cursor.fetchall()
        values = list(zip(*rows, strict=True)) or [()] * len(columns)
        return {column: sampled_type(found) for column, found in zip(columns, values, strict=True)}

    @contextmanager
    def _unguarded(self) -> Iterator[None]:
        """For statements of our own; what a person wrote is never run in here."""
        self.connection.set_authorizer(None)
        try:
            yield
        finally:
            self.connection.set_authorizer(_authorized)

    @contextmanager
    def _statement(self, sql: str, bound: Any = ()) -> Iterator[sqlite3.Cursor]:
        """Runs one statement; it and the reading of its rows end after the time-out."""
        end = time.monotonic() + self.timeout_seconds
        self.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN_LOOKS)
        try:
            with closing(self.connection.cursor()) as cursor:
                yield cursor.execute(sql, bound)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _problem(error, self.timeout_seconds) from None


def _connected(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=LOCK_SECONDS,
            check_same_thread=False,
            isolation_level=None,
        )
    except sqlite3.Error as error:
        raise _problem(error, LOCK_SECONDS) from None
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    for function, takes in FUNCTIONS.items():
        connection.create_function(function.__name__, takes, function, deterministic=True)
    connection.create_aggregate("exact_sum", 1, ExactSum)  # type: ignore[arg-type, unused-ignore]
    connection.create_aggregate("exact_average", 1, ExactAverage)  # type: ignore[arg-type, unused-ignore]
    connection.set_authorizer(_authorized)
    return connection


def _authorized(action: int, _first: str | None, second: str | None, *_: Any) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY


def _problem(error: Exception, seconds: float) -> Problem:
    words = str(error)
    if words == "interrupted":
        return timed_out(seconds)
    if "locked" in words:
        return Unavailable("source_busy", "The file is locked by another program. Try again in a moment.")
    if "not a database" in words or "malformed" in words or "unable to open" in words:
        return Misconfigured(
            "source_file_unreadable",
            "The file can't be opened as a SQLite database. Check that it is one.",
            detail=words,
        )
    if "not authorized" in words or "prohibited" in words:
        return Misconfigured(
            "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", detail=words
        )
    return refused(words)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _columns(cursor: sqlite3.Cursor, most: int) -> list[list[Any]]:
    """The next rows as columns, empty at the end."""
    columns: list[list[Any]] = [[] for _ in cursor.description]
    while len(columns[0]) < most and (rows := cursor.fetchmany(min(PIECE_ROWS, most))):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns
