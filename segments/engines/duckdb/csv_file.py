"""CSV files: a line of column names, then rows; separated by commas, semicolons, tabs or bars; in UTF-8.

Several files are one table: a column that one of them lacks is null there.
"""

from __future__ import annotations

import csv
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.contract import Engine, Reader
from segments.engines.duckdb.column_types import KINDS, Kind, is_text, kind
from segments.engines.duckdb.dialect import COMPUTED, TEXT, dialect
from segments.engines.duckdb.session import identifier, listed, locked, quoted
from segments.engines.duckdb.text import TextReader
from segments.engines.paths import PATHS, several, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_ROWS = 10_000
MOST_COLUMNS = 1_600
"""As many as a table of PostgreSQL can have."""
BUFFER_BYTES = 8_000_000
"""DuckDB takes 32 MB otherwise, several times; a line has at most 2 MB."""


@dataclass(frozen=True)
class Header:
    """The separator of a file, and the names in its first line."""

    separator: str
    names: tuple[str, ...]


class CSV(Engine):
    slug = "csv"
    label = "CSV files"
    parameters = (PATHS,)
    dialect = dialect
    computed = COMPUTED
    endings = (".csv", ".tsv", ".txt")

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        paths = several(settings["path"])
        headers = {path: header(path) for path in paths}
        with locked(paths) as connection:
            reader = CSVReader(connection, table_name(settings["path"]), paths, timeout_seconds)
            reader.headers = headers
            reader.asked(view(reader.table, headers))
            yield reader


class CSVReader(TextReader):
    headers: Mapping[Path, Header]

    def names(self) -> Sequence[str]:
        found: dict[str, str] = {}
        for header in self.headers.values():
            for name in header.names:
                found.setdefault(name.lower(), name)
        return list(found.values())

    def shown_kinds(self) -> dict[str, Kind]:
        """By the first rows, and for what they don't show to be text, by all rows."""
        names = self.names()
        first = self.masks(names, f"(FROM {self.source} LIMIT {SAMPLE_ROWS})", KINDS)
        every = {**first, **self.masks([name for name in names if not is_text(first[name])], self.source, KINDS)}
        return {name: kind(mask) for name, mask in every.items()}


def header(path: Path) -> Header:
    """Raises Misconfigured: there are no names, one twice, or they can't be read."""
    read = [(separator, _first_line(path, separator)) for separator in SEPARATORS]
    separator, names = max(read, key=lambda found: len(found[1]))
    if not any(names):
        raise Misconfigured(
            "source_file_broken",
            f"The file {path.name!r} is empty. Its first line must name the columns.",
            where="path",
        )
    if len(names) > MOST_COLUMNS:
        raise Misconfigured(
            "source_too_large",
            f"The file {path.name!r} has {len(names):,} columns. {MOST_COLUMNS:,} are the most.",
            where="path",
        )
    named = tuple(name or f"column_{place}" for place, name in enumerate(names, start=1))
    met: set[str] = set()
    for name in named:
        if name.lower() in met:
            message = (
                f"Two columns of the file are called {name!r} (capitals don't count). Rename one in its first line."
            )
            raise Misconfigured("column_twice", message, where=name)
        met.add(name.lower())
    return Header(separator, named)


def view(table: str, headers: Mapping[Path, Header]) -> str:
    """The statement that names the rows of files, every value as its text; what is empty without quotation marks is null."""
    alike: dict[Header, list[Path]] = {}
    for path, found in headers.items():
        alike.setdefault(found, []).append(path)
    read = " UNION ALL BY NAME ".join(_read(found, paths) for found, paths in alike.items())
    return f"CREATE VIEW {identifier(table)} AS {read}"


def _read(header: Header, paths: Sequence[Path]) -> str:
    columns = ", ".join(f"{quoted(name)}: '{TEXT}'" for name in header.names)
    return f"""SELECT * FROM read_csv({listed(paths)}, columns = {{{columns}}},
        auto_detect = false, header = true, delim = {quoted(header.separator)}, quote = '"', escape = '"', nullstr = '',
        allow_quoted_nulls = false, buffer_size = {BUFFER_BYTES})"""  # noqa: S608


def _first_line(path: Path, separator: str) -> list[str]:
    try:
        # Bytes further down that are no UTF-8 are none of the first line's business.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next(csv.reader(file, delimiter=separator), [])
        "".join(names).encode()
        return names
    except (UnicodeError, csv.Error, OSError):
        message = f"The first line of the file {path.name!r} can't be read. It must be CSV in UTF-8."
        raise Misconfigured("source_file_broken", message, where="path") from None
