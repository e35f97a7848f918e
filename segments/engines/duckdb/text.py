"""Files whose values are read as the text that they are: the types of a model say how it is meant, and an odd value spoils no other."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from segments.contract import ColumnInfo
from segments.engines.duckdb.dialect import TEXT
from segments.engines.duckdb.session import FileReader, identifier, state
from segments.sql.statements import is_of_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa
    from sqlalchemy import Select

    from segments.engines.duckdb.column_types import Kind

MAX_KNOWN = 100
_KNOWN: dict[tuple[tuple[str, int, int, int], ...], dict[str, Kind]] = {}
"""The kinds of the columns of files by their `state`: to tell them takes a reading of all."""


class TextReader(FileReader):
    """A table of text. For a person's SQL, its columns get the types that their values show."""

    guesses = True

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, paths: Sequence[Path], timeout_seconds: float
    ) -> None:
        super().__init__(connection, table, paths, timeout_seconds)
        self.source = f"memory.main.{identifier(table)}"
        self.typed = False

    @abstractmethod
    def names(self) -> Sequence[str]:
        """The columns, in their order."""

    @abstractmethod
    def shown_kinds(self) -> dict[str, Kind]:
        """What the values of each column turn out to be, by a reading of all."""

    def kinds(self) -> dict[str, Kind]:
        """As `shown_kinds`, which is asked once for each state of the files."""
        now = state(self.paths)
        if now not in _KNOWN:
            found = self.shown_kinds()
            if len(_KNOWN) >= MAX_KNOWN:
                _KNOWN.clear()
            _KNOWN[now] = found
            return found
        return _KNOWN[now]

    def known_kinds(self) -> dict[str, Kind] | None:
        """The same where it was asked before."""
        return _KNOWN.get(state(self.paths))

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        if sql:
            self.give_types()
            return super().columns(sql=sql)
        self.refuse_other(table)
        kinds = self.kinds()
        return [ColumnInfo(name, kinds[name].type, TEXT) for name in self.names()]

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        if sql:
            return super().natives(sql=sql)
        self.refuse_other(table)
        return dict.fromkeys(self.names(), TEXT)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        if is_of_sql(query):
            self.give_types()
        return super().batches(query)

    def masks(self, names: Sequence[str], source: str, expression: str) -> dict[str, int | None]:
        """The kinds of all values of columns, by an expression such as `types.KINDS`."""
        asked = ", ".join(expression.format(column=identifier(name)) for name in names)
        return dict(zip(names, self.asked(f"SELECT {asked} FROM {source}"), strict=True)) if names else {}  # noqa: S608

    def give_types(self) -> None:
        """A view of this session that stands before the table of text."""
        if self.typed:
            return
        kinds = self.kinds()
        typed = [f"CAST({identifier(name)} AS {kinds[name].native}) AS {identifier(name)}" for name in self.names()]
        self.asked(f"CREATE TEMP VIEW {identifier(self.table)} AS SELECT {', '.join(typed)} FROM {self.source}")  # noqa: S608
        self.typed = True
