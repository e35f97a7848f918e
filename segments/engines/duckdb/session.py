"""A locked DuckDB session over files: nothing else can be read, nothing written, and its memory is bounded."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from core.errors import Misconfigured, Problem, Unavailable
from segments.contract import ColumnInfo, Reader
from segments.engines.batches import gathered
from segments.engines.duckdb.column_types import native_type
from segments.engines.duckdb.dialect import dialect
from segments.engines.failures import no_table, refused, timed_out
from segments.engines.watchdog import no_longer
from segments.sql.terms import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Select

VECTOR_ROWS, BATCH_ROWS = 2_048, 10_240
FILE_MEMORY = "512MB"
CONFIG: dict[str, Any] = {
    # Reading is ahead of what works on the rows; a second thread makes it no faster, and takes 50 MB.
    "threads": 1,
    "max_temp_directory_size": "4GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}


@contextmanager
def session(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session over nothing. What its memory does not hold it puts into a directory of its own, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="dinmo-") as spilled:
        config = {**CONFIG, "memory_limit": memory, "temp_directory": spilled}
        with closing(duckdb.connect(":memory:", config=config)) as connection:
            yield connection


@contextmanager
def locked(paths: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session in memory that can open these files only."""
    for path in paths:
        if re.search(r"[*?\[\]{}]", str(path)):
            message = f"The path of the file {path.name!r} has one of the characters * ? [ ] {{ }} in it. Rename it."
            raise Misconfigured("source_file_name", message, where="path")
    with session(FILE_MEMORY) as connection:
        connection.execute(f"SET allowed_paths = {listed(paths)}")
        # Otherwise the chosen columns of a whole row group, often of a million rows, are in memory before the first row comes.
        connection.execute("SET disable_parquet_prefetching = true")
        lock(connection)
        yield connection


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Nothing that is not open yet can be opened, and nobody can change that."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET operator_memory_limit = '128MB'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def listed(paths: Sequence[Path]) -> str:
    """Paths as a list of SQL."""
    return f"[{', '.join(quoted(str(path)) for path in paths)}]"


class FileReader(Reader):
    """One file, or several alike, seen as a table that is called as the file without its ending."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, paths: Sequence[Path], timeout_seconds: float
    ) -> None:
        self.connection = connection
        self.table = table
        self.paths = paths
        self.timeout_seconds = timeout_seconds
        self.opened = state(paths)

    def tables(self) -> list[str]:
        return [self.table]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if not sql:
            self.refuse_other(table)
        return self.described(table, sql)

    def described(self, table: str, sql: str) -> list[ColumnInfo]:
        """The columns of a table, or of a query where one is given, as DuckDB describes them."""
        self.refuse_several(sql)
        with self.problems():
            source = f"({bare(sql)})" if sql else self.source_of(table)
            described = self.connection.sql(f"SELECT * FROM {source} AS described LIMIT 0")  # noqa: S608
            return [
                ColumnInfo(name, native_type(str(column_type)), str(column_type))
                for name, column_type in zip(described.columns, described.types, strict=True)
            ]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        params = compiled.params  # Made anew each time that it is asked for.
        bound = [params[name] for name in compiled.positiontup or ()]
        end = time.monotonic() + self.timeout_seconds
        with self.problems():
            # Not of a cursor: its result would be copied whole.
            for batch in gathered(
                self.connection.sql(str(compiled), params=bound).to_arrow_reader(VECTOR_ROWS), BATCH_ROWS
            ):
                yield batch
                self.read_on()
                if time.monotonic() > end:
                    raise timed_out(self.timeout_seconds)
        if state(self.paths) != self.opened:
            message = "The file was changed while it was read. Try again once it is complete. Who writes it does best to move it here at the end."
            raise Unavailable("source_file_changed", message)

    def interrupt(self) -> None:
        self.connection.interrupt()

    def read_on(self) -> None:
        """Between two batches."""

    def asked(self, statement: str) -> tuple[Any, ...]:
        """The one row that a statement of our own gives."""
        return next(iter(self.all_asked(statement)), ())

    def all_asked(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows that a statement of our own gives."""
        with self.problems():
            return self.connection.execute(statement).fetchall()

    def source_of(self, table: str) -> str:
        """A table as SQL names it."""
        return identifier(table)

    def refuse_other(self, table: str) -> None:
        """Raises Misconfigured unless it is the table's name."""
        if table != self.table:
            raise no_table(table)

    def refuse_several(self, sql: str) -> None:
        """Raises Misconfigured where a person's SQL is anything but one SELECT."""
        with self.problems():
            statements = duckdb.extract_statements(sql)
        if sql and (len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT):
            raise Misconfigured(
                "source_read_only", "Give one SELECT and nothing else: the source is read, never changed.", where="sql"
            )

    @contextmanager
    def problems(self) -> Iterator[None]:
        """Ends what runs in it after the time-out, and types its failures."""
        try:
            with no_longer(self.timeout_seconds, self.connection.interrupt):
                yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if not all(path.exists() for path in self.paths):
                message = "The file is not there any more. Put it back, or correct the path."
                raise Misconfigured("source_file_missing", message, where="path") from None
            raise problem(error, self.timeout_seconds) from None


def state(paths: Sequence[Path]) -> tuple[tuple[str, int, int, int], ...]:
    """What tells files from those that stand in their place later: inode, size and time of the last change; nothing of one that is gone."""
    stats = [(path, path.stat()) for path in paths if path.exists()]
    return tuple((str(path), now.st_ino, now.st_size, now.st_mtime_ns) for path, now in stats)


def problem(error: Exception, seconds: float) -> Problem:
    """What a failure of DuckDB means, without the values of rows that its words quote."""
    said = str(error)
    if isinstance(error, duckdb.InterruptException) or "INTERRUPT" in said:
        return timed_out(seconds)
    if "CSV Error" in said:
        return _broken_csv(said)
    if found := re.search(r'Malformed JSON in file "(.*?)", at .* line', said):
        message = (
            f"The file {Path(found[1]).name!r} has a line that is not JSON. Each line must be one object in braces."
        )
        return Misconfigured("source_file_broken", message, where="path", detail=said)
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in said:
        message = "The query needs more memory than there is for it. Select, sort or group fewer rows or columns."
        return Misconfigured("source_too_large", message, detail=said)
    if isinstance(error, duckdb.PermissionException):
        return Misconfigured("source_read_only", "A file source reads its own file, and nothing else.", detail=said)
    if isinstance(error, duckdb.IOException | OSError) or "Invalid Input Error: No magic bytes" in said:
        return Misconfigured(
            "source_file_unreadable", "The file can't be read. Check that it is of the kind chosen.", detail=said
        )
    words = said.split("\n")[0]
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException | duckdb.InvalidInputException):
        words = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", words)
    return refused(words)


def _broken_csv(said: str) -> Problem:
    line, path = re.search(r"Line: (\d+)", said), re.search(r"\n  file = (.*)", said)
    name = f"file {Path(path[1]).name!r}" if path else "file"
    place = f"Line {line[1]} of the {name}" if line else f"The {name}"
    reasons = [
        (r"Expected Number of Columns: (\d+) Found: (\d+)", "has {1} values, but the first line names {0} columns"),
        (r"unicode|utf-8|encoding", "is not in UTF-8. Save the file in that encoding"),
        (r"quote", "has a quotation mark that is not closed"),
        (r"[Mm]aximum line size", "is too long"),
    ]
    for pattern, reason in reasons:
        if found := re.search(pattern, said):
            return Misconfigured("source_file_broken", f"{place} {reason.format(*found.groups())}.")
    return Misconfigured("source_file_broken", f"{place} can't be read as CSV.")


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL takes it whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
