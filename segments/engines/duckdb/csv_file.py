"""CSV files: a line of column names, then rows; separated by commas, semicolons, tabs or bars; in UTF-8.

Every value stays the text that it is: the types of a model say how it is meant, and an odd value spoils no other.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Select

from core.errors import Misconfigured
from segments.contract import ColumnInfo, Engine, Reader
from segments.engines.duckdb.dialect import TEXT, dialect
from segments.engines.duckdb.session import FileReader, identifier, locked, quoted
from segments.engines.duckdb.types import Kind, is_text, kind, kinds_of
from segments.engines.paths import PATH, inside
from segments.sql import is_of_sql

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_ROWS = 10_000
MAX_KNOWN = 100
_KNOWN: dict[tuple[str, int, int], tuple[Kind, ...]] = {}
"""The kinds of the columns of files by path, size and time of the last change: to tell them takes a reading of the whole file."""


class CSV(Engine):
    slug = "csv"
    label = "CSV file"
    parameters = (PATH,)
    dialect = dialect

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        path = inside(settings["path"])
        separator, names = header(path)
        with locked(path) as connection:
            reader = CSVReader(connection, path, names, timeout_seconds)
            reader.asked(view(path, separator, names))
            yield reader


class CSVReader(FileReader):
    """A table of text. For a person's SQL, its columns get the types that their values show."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, names: Sequence[str], timeout_seconds: float) -> None:
        super().__init__(connection, path.stem, timeout_seconds)
        self.path = path
        self.names = names
        self.source = f"memory.main.{identifier(self.table)}"
        self.typed = False

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if sql:
            self._give_types()
            return super().columns(sql=sql)
        self.refuse_other(table)
        return [ColumnInfo(name, found.type, TEXT) for name, found in zip(self.names, self._kinds(), strict=True)]

    def natives(self, *, table: str = "", sql: str = "") -> dict[str, str]:
        if sql:
            return super().natives(sql=sql)
        self.refuse_other(table)
        return dict.fromkeys(self.names, TEXT)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        if is_of_sql(query):
            self._give_types()
        return super().batches(query)

    def _give_types(self) -> None:
        """A view of this session that stands before the table of text."""
        if self.typed:
            return
        typed = [
            f"CAST({identifier(name)} AS {found.native}) AS {identifier(name)}"
            for name, found in zip(self.names, self._kinds(), strict=True)
        ]
        self.asked(f"CREATE TEMP VIEW {identifier(self.table)} AS SELECT {', '.join(typed)} FROM {self.source}")  # noqa: S608
        self.typed = True

    def _kinds(self) -> tuple[Kind, ...]:
        now = self.path.stat()
        state = (str(self.path), now.st_size, now.st_mtime_ns)
        if state not in _KNOWN:
            if len(_KNOWN) >= MAX_KNOWN:
                _KNOWN.clear()
            _KNOWN[state] = self._shown_kinds()
        return _KNOWN[state]

    def _shown_kinds(self) -> tuple[Kind, ...]:
        """By the first rows, and for what they don't show to be text, by all rows."""
        first = self._kinds_of(self.names, f"(FROM {self.source} LIMIT {SAMPLE_ROWS})")
        open_names = [name for name in self.names if not is_text(first[name])]
        every = {**first, **(self._kinds_of(open_names, self.source) if open_names else {})}
        return tuple(kind(every[name]) for name in self.names)

    def _kinds_of(self, names: Sequence[str], source: str) -> dict[str, int | None]:
        asked = ", ".join(kinds_of(identifier(name)) for name in names)
        return dict(zip(names, self.asked(f"SELECT {asked} FROM {source}"), strict=True))  # noqa: S608


def header(path: Path) -> tuple[str, tuple[str, ...]]:
    """The separator of a file, and the names in its first line.

    Raises:
        Misconfigured: there are no names, one twice, or they can't be read.
    """
    read = [(separator, _first_line(path, separator)) for separator in SEPARATORS]
    separator, names = max(read, key=lambda found: len(found[1]))
    if not any(names):
        raise Misconfigured("source_file_broken", "The file is empty. Its first line must name the columns.", where="path")
    named = tuple(name or f"column_{place}" for place, name in enumerate(names, start=1))
    for place, name in enumerate(named):
        if name.lower() in (other.lower() for other in named[:place]):
            message = f"Two columns of the file are called {name!r} (capitals don't count). Rename one in its first line."
            raise Misconfigured("column_twice", message, where=name)
    return separator, named


def view(path: Path, separator: str, names: Sequence[str]) -> str:
    """The statement that names the rows of a file, every value as its text; what is empty without quotation marks is null."""
    columns = ", ".join(f"{quoted(name)}: '{TEXT}'" for name in names)
    return f"""CREATE VIEW {identifier(path.stem)} AS SELECT * FROM read_csv({quoted(str(path))}, columns = {{{columns}}},
        auto_detect = false, header = true, delim = {quoted(separator)}, quote = '"', escape = '"', nullstr = '',
        allow_quoted_nulls = false)"""  # noqa: S608


def _first_line(path: Path, separator: str) -> list[str]:
    try:
        # Bytes further down that are no UTF-8 are none of the first line's business.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next(csv.reader(file, delimiter=separator), [])
        "".join(names).encode()
        return names
    except (UnicodeError, csv.Error, OSError):
        message = "The first line of the file can't be read. It must be CSV in UTF-8."
        raise Misconfigured("source_file_broken", message, where="path") from None
