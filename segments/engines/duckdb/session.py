"""A locked DuckDB session on files: it can read nothing else, write nothing, and use only so much memory."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from core.errors import Misconfigured, Problem, Unavailable
from segments.contract import ColumnInfo, Reader
from segments.engines.batches import merge_batches
from segments.engines.duckdb.column_types import native_type
from segments.engines.duckdb.dialect import dialect
from segments.engines.failures import no_table, refused, timed_out
from segments.engines.paths import stamp
from segments.engines.watchdog import time_limit
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Select

VECTOR_ROWS, BATCH_ROWS = 2_048, 10_240
FILE_MEMORY = "512MB"
CONFIG: dict[str, Any] = {
    # Batches are prefetched anyway. A second thread does not make reading faster, and takes 50 MB.
    "threads": 1,
    "max_temp_directory_size": "4GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}


@contextmanager
def session(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session without files. It spills to a temporary directory of its own, which is removed when it ends."""
    with tempfile.TemporaryDirectory(prefix="dinmo-") as spilled:
        config = {**CONFIG, "memory_limit": memory, "temp_directory": spilled}
        with closing(duckdb.connect(":memory:", config=config)) as connection:
            yield connection


@dataclass(frozen=True)
class SourceFile:
    """A file of a source.

    Args:
        path: where it is.
        opened: the path by which DuckDB opens it, because a name with a wildcard would be taken for a pattern.
        copy: where a rewritten copy can be put. It is removed with the session.
    """

    path: Path
    opened: Path
    copy: Path


@contextmanager
def locked_session(paths: Sequence[Path]) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[SourceFile]]]:
    """An in-memory session that can open only these files and their copies."""
    with tempfile.TemporaryDirectory(prefix="dinmo-") as folder, session(FILE_MEMORY) as connection:
        files = [_source_file(path, Path(folder) / str(place)) for place, path in enumerate(paths)]
        allowed = [opened for file in files for opened in (file.opened, file.copy)]
        connection.execute(f"SET allowed_paths = {path_list(allowed)}")
        # Otherwise the selected columns of a whole row group, often a million rows, are loaded before the first row.
        connection.execute("SET disable_parquet_prefetching = true")
        lock(connection)
        yield connection, files


def _source_file(path: Path, free: Path) -> SourceFile:
    opened = free.with_suffix(".link") if re.search(r"[*?\[\]{}]", str(path)) else path
    if opened != path:
        opened.symlink_to(path)
    return SourceFile(path, opened, free.with_suffix(".copy"))


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on, nothing else can be opened, and no setting can be changed."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET operator_memory_limit = '128MB'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def path_list(paths: Sequence[Path]) -> str:
    """Paths as an SQL list."""
    return f"[{', '.join(quote(str(path)) for path in paths)}]"


class FileReader(Reader):
    """Reads one file or several files of the same kind as one table."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, paths: Sequence[Path], timeout_seconds: float
    ) -> None:
        self.connection = connection
        self.table = table
        self.paths = paths
        self.timeout_seconds = timeout_seconds
        self.state_at_open = stamp(paths)
        self.opened_at = time.monotonic()

    def tables(self) -> list[str]:
        return [self.table]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if not sql:
            self.require_table(table)
        return self.describe(table, sql)

    def describe(self, table: str, sql: str) -> list[ColumnInfo]:
        """The columns of a table, or of a query if one is given, as DuckDB describes them."""
        self.require_single_select(sql)
        with self.translating_errors():
            source = f"({bare(sql)})" if sql else self.table_sql(table)
            relation = self.connection.sql(f"SELECT * FROM {source} AS described LIMIT 0")  # noqa: S608
            return [
                ColumnInfo(name, native_type(str(column_type)), str(column_type))
                for name, column_type in zip(relation.columns, relation.types, strict=True)
            ]

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        params = compiled.params  # A property that builds a new dictionary each time.
        bound = [params[name] for name in compiled.positiontup or ()]
        end = time.monotonic() + self.timeout_seconds
        with self.translating_errors():
            # Not through a cursor, which would copy the whole result first.
            for batch in merge_batches(
                self.connection.sql(str(compiled), params=bound).to_arrow_reader(VECTOR_ROWS), BATCH_ROWS
            ):
                yield batch
                self.after_batch()
                if time.monotonic() > end:
                    raise timed_out(self.timeout_seconds)
        if stamp(self.paths) != self.state_at_open:
            message = (
                "The file was changed while it was read. Try again once it is complete. "
                "To prevent this, write it elsewhere and move it here at the end."
            )
            raise Unavailable("source_file_changed", message)

    def change_signal(self, *, table: str = "", sql: str = "") -> str | None:
        """By the files, so for all tables alike."""
        return stamp(self.paths)

    def interrupt(self) -> None:
        self.connection.interrupt()

    def after_batch(self) -> None:
        """Called between two batches."""

    def fetch_one(self, statement: str) -> tuple[Any, ...]:
        """The single row that a statement of our own returns."""
        return next(iter(self.fetch_all(statement)), ())

    def fetch_all(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows that a statement of our own returns."""
        with self.translating_errors():
            return self.connection.execute(statement).fetchall()

    def table_sql(self, table: str) -> str:
        """The table's name as an SQL identifier."""
        return quote_identifier(table)

    def require_table(self, table: str) -> None:
        """Raises Misconfigured if there is no such table."""
        if table != self.table:
            raise no_table(table)

    def require_single_select(self, sql: str) -> None:
        """Raises Misconfigured if a person's SQL is anything but one SELECT."""
        with self.translating_errors():
            statements = duckdb.extract_statements(sql)
        if sql and (len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT):
            raise Misconfigured(
                "source_read_only", "Enter one SELECT and nothing else: the source is read, never changed.", where="sql"
            )

    @contextmanager
    def translating_errors(self) -> Iterator[None]:
        """Ends the block at the timeout, and raises its errors as Problems."""
        try:
            with time_limit(self.timeout_seconds, self.connection.interrupt):
                yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if not all(path.exists() for path in self.paths):
                message = "The file no longer exists. Put it back, or correct the path."
                raise Misconfigured("source_file_missing", message, where="path") from None
            raise self.explained(error) from None

    def explained(self, error: Exception) -> Problem:
        return translated(error, self.timeout_seconds)


def translated(error: Exception, seconds: float) -> Problem:
    """The Problem for an error of DuckDB, without the values of rows that its message quotes."""
    message = str(error)
    if isinstance(error, duckdb.InterruptException) or "INTERRUPT" in message:
        return timed_out(seconds)
    if "CSV Error" in message:
        return _broken_csv(message)
    if "JSON in file" in message:
        sentence = "The file has a line that is not JSON. Each line must be one object in braces."
        return Misconfigured("source_file_broken", sentence, where="path", detail=message.split("\n")[0])
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or "Out of Memory" in message:
        sentence = "The query needs more memory than it may use. Select, sort or group fewer rows or columns."
        return Misconfigured("source_too_large", sentence, detail=message)
    if isinstance(error, duckdb.PermissionException):
        return Misconfigured("source_read_only", "A file source can read only its own files.", detail=message)
    if isinstance(error, duckdb.IOException | OSError) or "Invalid Input Error: No magic bytes" in message:
        return Misconfigured(
            "source_file_unreadable",
            "The file can't be read. Check that it has the format that this source expects.",
            detail=message,
        )
    first_line = message.split("\n")[0]
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException | duckdb.InvalidInputException):
        first_line = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", first_line)
    return refused(first_line)


def _broken_csv(message: str) -> Problem:
    """A CSV file whose records are in order, as far as this application can see, but which DuckDB refuses."""
    line = re.search(r"Line: (\d+)", message)
    place = f"Line {line[1]} of the file" if line else "The file"
    reason = "is too long" if re.search(r"[Mm]aximum line size", message) else "can't be read as CSV"
    return Misconfigured("source_file_broken", f"{place} {reason}.", where="path", detail=message.split("\n")[0])


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_identifier(name: str) -> str:
    """A name as an SQL identifier, whatever characters it contains."""
    return '"' + name.replace('"', '""') + '"'
