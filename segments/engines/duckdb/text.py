"""Files whose values are read as text. The types of a model decide how a value is interpreted, one value at a time.

So a value that does not match its column's type affects no other value.
"""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import Misconfigured
from segments.contract import ColumnInfo, Skipped
from segments.engines.declared_types import UNITS
from segments.engines.duckdb.column_types import declared_kind, epoch_as_text, typed
from segments.engines.duckdb.dialect import COMMA_TEXT, TEXT
from segments.engines.duckdb.session import FileReader, quote_identifier
from segments.engines.failures import timed_out
from segments.engines.paths import stamp
from segments.sql.statements import is_of_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa
    from sqlalchemy import Select

    from core.errors import Problem
    from segments.contract import UnreadableLine
    from segments.engines.duckdb.column_types import Kind
    from segments.engines.duckdb.file_format import FileFormat
    from segments.engines.duckdb.session import SourceFile

REPEATED_KEY, NOT_AN_OBJECT = "object has a repeated key", "line is not an object"
OF_FILE = re.compile(f"CSV Error|CSV Parser|JSON|{REPEATED_KEY}|{NOT_AN_OBJECT}")
"""What the messages of errors in the content of a file contain, as opposed to those in a query."""
_Value = TypeVar("_Value")
MAX_CACHED = 100
_CACHE: dict[tuple[object, ...], dict[str, Kind]] = {}
"""The kinds of the columns by the state of the files, because inferring them reads the files completely."""
_COPIED: dict[tuple[object, ...], bool] = {}
"""Which files need a copy, by their state, for the same reason."""


class TextReader(FileReader):
    """A table of text columns. For a person's SQL, they get the types declared, or inferred from their values.

    A file that DuckDB can't read as it is, such as one in a different encoding, is read through a copy.
    """

    guesses = True

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        files: Sequence[SourceFile],
        form: FileFormat,
        timeout_seconds: float,
    ) -> None:
        super().__init__(connection, table, [file.path for file in files], timeout_seconds)
        self.files = files
        self.form = form
        self.source = f"memory.main.{quote_identifier(table)}"
        self.typed = False
        self.left_out = Skipped()
        self.opened: dict[Path, Path] = {}
        self.interrupted = False

    @abstractmethod
    def names(self) -> Sequence[str]:
        """The columns, in their order."""

    @abstractmethod
    def masks(self) -> dict[str, int | None]:
        """The bit masks of all values of each column, by reading the files completely."""

    @abstractmethod
    def kind(self, mask: int | None) -> Kind:
        """The kind that fits all values with this mask."""

    @abstractmethod
    def needs_copy(self, path: Path) -> bool:
        """Whether DuckDB can't read a file as it is."""

    @abstractmethod
    def bad_lines(self, path: Path, copy: Path | None = None) -> Iterator[UnreadableLine]:
        """Reads a file once, writes its good lines to `copy`, and returns the bad ones one by one."""

    @property
    def skipped(self) -> Skipped:
        return self.left_out

    @property
    def native(self) -> str:
        """The native type of the columns."""
        return COMMA_TEXT if self.form.decimal_comma else TEXT

    def prepare(self) -> Mapping[Path, Path]:
        """Copies the files that need it, and returns the path by which each file is opened.

        Raises:
            Misconfigured: a line is bad, and bad lines are not skipped.
        """
        for file in self.files if not self.opened else ():
            with self.translating_errors():
                state = (stamp([file.path]), self.form.key())
                needs_copy = _cached(_COPIED, state, lambda path=file.path: self.needs_copy(path))  # type: ignore[misc]
                for line in self.bad_lines(file.path, file.copy) if needs_copy else ():
                    if not self.form.skips_bad_lines:
                        raise unreadable(line)
                    self.left_out.add(line)
            self.opened[file.path] = file.copy if needs_copy else file.opened
        return self.opened

    def check_time(self) -> None:
        """Ends the copying of a file if it takes too long, or is no longer needed."""
        if self.interrupted or time.monotonic() > self.opened_at + self.timeout_seconds:
            raise timed_out(self.timeout_seconds)

    def interrupt(self) -> None:
        self.interrupted = True
        super().interrupt()

    def kinds(self) -> dict[str, Kind]:
        """The kinds of the columns, from the cache unless the files have changed."""
        return _cached(_CACHE, (stamp(self.paths), self.form.key()), self._inferred)

    def cached_kinds(self) -> dict[str, Kind] | None:
        """The kinds if they are cached."""
        return _CACHE.get((stamp(self.paths), self.form.key()))

    def _inferred(self) -> dict[str, Kind]:
        masks, declared = self.masks(), self.form.columns
        if unknown := [name for name in declared if name not in masks]:
            message = (
                f"The setting “Column types” names “{unknown[0]}”, but the file has no such column. "
                f"Its columns are: {', '.join(f'“{mask}”' for mask in masks)}."
            )
            raise Misconfigured("column_unknown", message[:1000], where="columns")
        kinds = {name: self.kind(mask) for name, mask in masks.items()}
        chosen = {name: declared_kind(each, kinds[name], masks[name]) for name, each in declared.items()}
        return kinds | chosen

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if sql:
            self.create_typed_view()
            return super().columns(sql=sql)
        self.require_table(table)
        kinds = self.kinds()
        return [ColumnInfo(name, kinds[name].type, self.native) for name in self.names()]

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        if sql:
            return super().natives(sql=sql)
        self.require_table(table)
        return dict.fromkeys(self.names(), self.native)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        if is_of_sql(query):
            self.create_typed_view()
        return super().batches(query)

    def kind_masks(self, expressions: Mapping[str, str], source: str) -> dict[str, int | None]:
        """The results of aggregate expressions such as `column_types.kind_mask`, by name."""
        if not expressions:
            return {}
        statement = f"SELECT {', '.join(expressions.values())} FROM {source}"  # noqa: S608
        return dict(zip(expressions, self.fetch_one(statement), strict=True))

    def exported(self, name: str, value: str) -> str:
        """A column of the view of text: its value, as a time if it was declared as an epoch."""
        units = UNITS.get(self.form.columns[name]) if name in self.form.columns else None
        return epoch_as_text(value, units) if units else value

    def create_typed_view(self) -> None:
        """Creates a temporary view with the types of the columns that hides the table of text."""
        if self.typed:
            return
        kinds = self.kinds()
        mark = "," if self.form.decimal_comma else "."
        columns = ", ".join(
            f"{typed(quote_identifier(name), kinds[name], mark)} AS {quote_identifier(name)}" for name in self.names()
        )
        self.fetch_one(f"CREATE TEMP VIEW {quote_identifier(self.table)} AS SELECT {columns} FROM {self.source}")  # noqa: S608
        self.typed = True

    def explained(self, error: Exception) -> Problem:
        """The first bad line of the files if there is one, because DuckDB's own messages often lack it."""
        for path in self.paths if OF_FILE.search(str(error)) else ():
            try:
                if line := next(self.bad_lines(path), None):
                    return unreadable(line, str(error))
            except OSError:
                break
        return super().explained(error)


def _cached(cache: dict[tuple[object, ...], _Value], state: tuple[object, ...], make: Callable[[], _Value]) -> _Value:
    """The value for a state of files, which is computed once."""
    if state not in cache:
        value = make()
        if len(cache) >= MAX_CACHED:
            cache.clear()
        cache[state] = value
        return value
    return cache[state]


def unreadable(line: UnreadableLine, detail: str = "") -> Misconfigured:
    """The problem of a file with a bad line."""
    return Misconfigured("source_file_broken", line.message, where="path", detail=detail)
