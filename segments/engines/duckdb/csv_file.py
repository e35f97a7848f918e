"""CSV files: column names in the first line, in any common encoding and with any common separator.

Several files are one table. If a file lacks a column, the column is null there.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.contract import ColumnType, Engine, Reader
from segments.engines.declared_types import COLUMNS
from segments.engines.duckdb.column_types import Kind, is_certainly_text, kind_mask, kind_of
from segments.engines.duckdb.csv_copy import bad_records
from segments.engines.duckdb.csv_layout import Layout, layout
from segments.engines.duckdb.dialect import COMPUTED, TEXT, dialect
from segments.engines.duckdb.file_format import BAD_LINES, DECIMAL, ENCODING, QUOTE, SEPARATOR, file_format
from segments.engines.duckdb.lines import (
    LONGEST_LINE,
    UTF_8,
    encoding_of,
    has_long_line,
    has_mixed_breaks,
    lines,
    not_in_encoding,
)
from segments.engines.duckdb.session import locked_session, path_list, quote, quote_identifier
from segments.engines.duckdb.text import TextReader
from segments.engines.paths import PATHS, resolve_all, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SAMPLE_ROWS = 10_000
SAMPLE_CHARACTERS = 500_000
BUFFER_BYTES = LONGEST_LINE
"""DuckDB would otherwise use several buffers of 32 MB."""


class CSV(Engine):
    slug = "csv"
    label = "CSV files"
    summary = "A table that you upload, for example exported from a spreadsheet."
    parameters = (PATHS, SEPARATOR, QUOTE, DECIMAL, ENCODING, BAD_LINES, COLUMNS)
    dialect = dialect
    computed = COMPUTED
    signals_changes = True
    spells = frozenset(ColumnType) - {ColumnType.LIST, ColumnType.OBJECT}
    endings = (".csv", ".tsv", ".txt")

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        paths, form = resolve_all(settings["path"]), file_format(settings, self.parameters)
        with locked_session(paths) as (connection, files):
            reader = CSVReader(connection, table_name(settings["path"]), files, form, timeout_seconds)
            reader.read_layouts()
            yield reader


class CSVReader(TextReader):
    @cached_property
    def encodings(self) -> dict[Path, str]:
        return {path: encoding_of(path, self.form.encoding) for path in self.paths}

    @cached_property
    def layouts(self) -> dict[Path, Layout]:
        return {path: self._layout(path) for path in self.paths}

    def read_layouts(self) -> None:
        """Reads the first lines of each file.

        Raises:
            Misconfigured: there are no usable names.
        """
        with self.translating_errors():
            _ = self.layouts

    def _layout(self, path: Path) -> Layout:
        sample, left = [], SAMPLE_CHARACTERS
        for line in lines(path, self.encodings[path]):
            sample.append(line)
            left -= len(line.text)
            if left < 0:
                break
        if sample and not sample[0].readable:
            problem = not_in_encoding(self.encodings[path], self.form.encoding)
            message = f"Line {sample[0].number} of the file “{path.name}” {problem}."
            raise Misconfigured("source_file_broken", message, where="path")
        return layout(sample, path.name, self.form.separator, self.form.quote)

    def names(self) -> Sequence[str]:
        names: dict[str, str] = {}
        for each in self.layouts.values():
            for name in each.names:
                names.setdefault(name.lower(), name)
        return list(names.values())

    def masks(self) -> dict[str, int | None]:
        """By the first rows, then by all rows for the columns that the first rows don't prove to be text."""
        self._create_view()
        expression = kind_mask("," if self.form.decimal_comma else ".")
        expressions = {name: expression.format(column=quote_identifier(name)) for name in self.names()}
        masks = self.kind_masks(expressions, f"(FROM {self.source} LIMIT {SAMPLE_ROWS})")
        undecided = {
            name: each
            for name, each in expressions.items()
            if name in self.form.columns or not is_certainly_text(masks[name])
        }
        return masks | self.kind_masks(undecided, self.source)

    def kind(self, mask: int | None) -> Kind:
        return kind_of(mask)

    def batches(self, query: Any) -> Iterator[Any]:
        self._create_view()
        return super().batches(query)

    def create_typed_view(self) -> None:
        self._create_view()
        super().create_typed_view()

    def needs_copy(self, path: Path) -> bool:
        return (
            self.form.skips_bad_lines or self.encodings[path] != UTF_8 or has_mixed_breaks(path) or has_long_line(path)
        )

    def bad_lines(self, path: Path, copy: Path | None = None) -> Iterator[Any]:
        return bad_records(
            path,
            self.layouts[path],
            self.form.quote,
            encoding=self.encodings[path],
            chosen=self.form.encoding,
            check=self.check_time,
            copy=copy,
        )

    def _create_view(self) -> None:
        if self.opened:
            return
        statement = view_statement(self.prepare(), self.layouts, self.form.quote)
        columns = ", ".join(
            f"{self.exported(name, quote_identifier(name))} AS {quote_identifier(name)}" for name in self.names()
        )
        self.fetch_one(f"CREATE VIEW {self.source} AS SELECT {columns} FROM ({statement})")  # noqa: S608


def view_statement(opened: Mapping[Path, Path], layouts: Mapping[Path, Layout], quotation_mark: str) -> str:
    """The query that reads the files, with all values as text. An empty value is null unless quoted.

    Args:
        opened: the path by which each file is opened. A copy has no lines before the names.
    """
    groups: dict[Layout, list[Path]] = {}
    for path, each in layouts.items():
        is_copy = opened[path].suffix == ".copy"
        groups.setdefault(Layout(each.separator, each.names) if is_copy else each, []).append(opened[path])
    return " UNION ALL BY NAME ".join(_read_csv(each, paths, quotation_mark) for each, paths in groups.items())


def _read_csv(each: Layout, paths: Sequence[Path], quotation_mark: str) -> str:
    columns = ", ".join(f"{quote(name)}: '{TEXT}'" for name in each.names)
    mark = quote(quotation_mark)
    return f"""SELECT * FROM read_csv({path_list(paths)}, columns = {{{columns}}}, auto_detect = false, header = true,
        skip = {each.skip}, delim = {quote(each.separator)}, quote = {mark}, escape = {mark}, nullstr = '',
        allow_quoted_nulls = false, buffer_size = {BUFFER_BYTES})"""  # noqa: S608
