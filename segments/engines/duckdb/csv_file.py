"""CSV files in UTF-8: column names in the first line, separated by commas, semicolons, tabs or vertical bars.

Several files are one table. If a file lacks a column, the column is null there.
"""

from __future__ import annotations

import csv
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.contract import ColumnType, Engine, Reader
from segments.engines.duckdb.column_types import KIND_MASK, Kind, is_certainly_text, kind_of
from segments.engines.duckdb.dialect import COMPUTED, TEXT, dialect
from segments.engines.duckdb.session import locked_session, path_list, quote, quote_identifier
from segments.engines.duckdb.text import TextReader
from segments.engines.paths import PATHS, resolve_all, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_ROWS = 10_000
MAX_COLUMNS = 1_600
"""The limit of a PostgreSQL table."""
BUFFER_BYTES = 8_000_000
"""DuckDB would otherwise use several buffers of 32 MB. A line has at most 2 MB."""


@dataclass(frozen=True)
class Header:
    """The separator of a file, and the column names in its first line."""

    separator: str
    names: tuple[str, ...]


class CSV(Engine):
    slug = "csv"
    label = "CSV files"
    parameters = (PATHS,)
    dialect = dialect
    computed = COMPUTED
    spells = frozenset(ColumnType) - {ColumnType.LIST, ColumnType.OBJECT}
    endings = (".csv", ".tsv", ".txt")

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        paths = resolve_all(settings["path"])
        headers = {path: read_header(path) for path in paths}
        with locked_session(paths) as connection:
            reader = CSVReader(connection, table_name(settings["path"]), paths, timeout_seconds)
            reader.headers = headers
            reader.fetch_one(view_statement(reader.table, headers))
            yield reader


class CSVReader(TextReader):
    headers: Mapping[Path, Header]

    def names(self) -> Sequence[str]:
        names: dict[str, str] = {}
        for header in self.headers.values():
            for name in header.names:
                names.setdefault(name.lower(), name)
        return list(names.values())

    def infer_kinds(self) -> dict[str, Kind]:
        """By the first rows, then by all rows for the columns that the first rows don't prove to be text."""
        names = self.names()
        masks = self.kind_masks(names, f"(FROM {self.source} LIMIT {SAMPLE_ROWS})", KIND_MASK)
        undecided = [name for name in names if not is_certainly_text(masks[name])]
        masks |= self.kind_masks(undecided, self.source, KIND_MASK)
        return {name: kind_of(mask) for name, mask in masks.items()}


def read_header(path: Path) -> Header:
    """The header of a file.

    Raises:
        Misconfigured: there are no names, too many, duplicate ones, or they can't be read.
    """
    candidates = [(separator, _first_line(path, separator)) for separator in SEPARATORS]
    separator, names = max(candidates, key=lambda candidate: len(candidate[1]))
    if not any(names):
        raise Misconfigured(
            "source_file_broken",
            f"The file {path.name!r} is empty. Its first line must name the columns.",
            where="path",
        )
    if len(names) > MAX_COLUMNS:
        raise Misconfigured(
            "source_too_large",
            f"The file {path.name!r} has {len(names):,} columns. At most {MAX_COLUMNS:,} are allowed.",
            where="path",
        )
    columns = tuple(name or f"column_{position}" for position, name in enumerate(names, start=1))
    used: set[str] = set()
    for name in columns:
        if name.lower() in used:
            message = (
                f"Two columns of the file are named {name!r}, ignoring case. Rename one of them in the first line."
            )
            raise Misconfigured("column_twice", message, where=name)
        used.add(name.lower())
    return Header(separator, columns)


def view_statement(table: str, headers: Mapping[Path, Header]) -> str:
    """The statement that creates a view of the files, with all values as text. An empty value is null unless quoted."""
    paths_by_header: dict[Header, list[Path]] = {}
    for path, header in headers.items():
        paths_by_header.setdefault(header, []).append(path)
    union = " UNION ALL BY NAME ".join(_read_csv(header, paths) for header, paths in paths_by_header.items())
    return f"CREATE VIEW {quote_identifier(table)} AS {union}"


def _read_csv(header: Header, paths: Sequence[Path]) -> str:
    columns = ", ".join(f"{quote(name)}: '{TEXT}'" for name in header.names)
    return f"""SELECT * FROM read_csv({path_list(paths)}, columns = {{{columns}}},
        auto_detect = false, header = true, delim = {quote(header.separator)}, quote = '"', escape = '"', nullstr = '',
        allow_quoted_nulls = false, buffer_size = {BUFFER_BYTES})"""  # noqa: S608


def _first_line(path: Path, separator: str) -> list[str]:
    try:
        # Invalid UTF-8 further down must not fail the reading of the first line.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next(csv.reader(file, delimiter=separator), [])
        "".join(names).encode()
        return names
    except (UnicodeError, csv.Error, OSError):
        message = f"The first line of the file {path.name!r} can't be read. The file must be CSV in UTF-8."
        raise Misconfigured("source_file_broken", message, where="path") from None
