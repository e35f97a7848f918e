"""Files whose values are read as text. The types of a model decide how a value is interpreted, one value at a time.

So a value that does not match its column's type affects no other value.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from segments.contract import ColumnInfo
from segments.engines.duckdb.dialect import TEXT
from segments.engines.duckdb.session import FileReader, file_state, quote_identifier
from segments.sql.statements import is_of_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa
    from sqlalchemy import Select

    from segments.engines.duckdb.column_types import Kind

MAX_CACHED = 100
_CACHE: dict[tuple[tuple[str, int, int, int], ...], dict[str, Kind]] = {}
"""The kinds of the columns by the state of the files, because inferring them reads the files completely."""


class TextReader(FileReader):
    """A table of text columns. For a person's SQL, they get the types inferred from their values."""

    guesses = True

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, paths: Sequence[Path], timeout_seconds: float
    ) -> None:
        super().__init__(connection, table, paths, timeout_seconds)
        self.source = f"memory.main.{quote_identifier(table)}"
        self.typed = False

    @abstractmethod
    def names(self) -> Sequence[str]:
        """The columns, in their order."""

    @abstractmethod
    def infer_kinds(self) -> dict[str, Kind]:
        """The kind of each column, inferred by reading all values."""

    def kinds(self) -> dict[str, Kind]:
        """The inferred kinds, from the cache unless the files have changed."""
        state = file_state(self.paths)
        if state not in _CACHE:
            kinds = self.infer_kinds()
            if len(_CACHE) >= MAX_CACHED:
                _CACHE.clear()
            _CACHE[state] = kinds
            return kinds
        return _CACHE[state]

    def cached_kinds(self) -> dict[str, Kind] | None:
        """The inferred kinds if they are cached."""
        return _CACHE.get(file_state(self.paths))

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if sql:
            self.create_typed_view()
            return super().columns(sql=sql)
        self.require_table(table)
        kinds = self.kinds()
        return [ColumnInfo(name, kinds[name].type, TEXT) for name in self.names()]

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        if sql:
            return super().natives(sql=sql)
        self.require_table(table)
        return dict.fromkeys(self.names(), TEXT)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        if is_of_sql(query):
            self.create_typed_view()
        return super().batches(query)

    def kind_masks(self, names: Sequence[str], source: str, expression: str) -> dict[str, int | None]:
        """A bit mask for each column, computed by an expression such as `column_types.KIND_MASK`."""
        masks = ", ".join(expression.format(column=quote_identifier(name)) for name in names)
        return dict(zip(names, self.fetch_one(f"SELECT {masks} FROM {source}"), strict=True)) if names else {}  # noqa: S608

    def create_typed_view(self) -> None:
        """Creates a temporary view with the inferred types that hides the table of text."""
        if self.typed:
            return
        kinds = self.kinds()
        typed = [
            f"CAST({quote_identifier(name)} AS {kinds[name].native}) AS {quote_identifier(name)}"
            for name in self.names()
        ]
        columns = ", ".join(typed)
        self.fetch_one(f"CREATE TEMP VIEW {quote_identifier(self.table)} AS SELECT {columns} FROM {self.source}")  # noqa: S608
        self.typed = True
