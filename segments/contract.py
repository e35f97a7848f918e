"""The contract of a source engine: parameters, discovery, small reads and one stream of column batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from sqlalchemy import Select
    from sqlalchemy.engine import Dialect

    from core.parameters import Parameter


class ColumnType(StrEnum):
    """The column types of conditions, mappings and screens. An engine maps each of its own types to one of these."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    LIST = "list"
    OBJECT = "object"


@dataclass(frozen=True)
class ColumnInfo:
    """A column as the source describes it; `native` is the source's own name of the type."""

    name: str
    type: ColumnType
    native: str = ""
    nullable: bool = True


@dataclass(frozen=True)
class TableInfo:
    """A table or view as a source lists it.

    Args:
        rows: the source's estimate of the number of rows, without counting them; None if it has none.
    """

    name: str
    columns: tuple[ColumnInfo, ...]
    is_view: bool = False
    rows: int | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A column of a table whose values refer to a column of another table."""

    column: str
    table: str
    other: str


@dataclass(frozen=True)
class UnreadableLine:
    """A line of a file that can't be read.

    Args:
        problem: what is wrong with it, as the end of a sentence that begins with its number. It contains no values.
    """

    file: str
    line: int
    problem: str

    @property
    def message(self) -> str:
        return f"Line {self.line} of the file “{self.file}” {self.problem}."


@dataclass
class Skipped:
    """The lines that a reader left out because they can't be read: how many, and the first of them."""

    LISTED: ClassVar[int] = 1_000

    count: int = 0
    first: list[UnreadableLine] = field(default_factory=list)

    def add(self, line: UnreadableLine) -> None:
        self.count += 1
        if len(self.first) < self.LISTED:
            self.first.append(line)


class Reader(ABC):
    """An open, read-only session with a source. Nothing can be written through it."""

    guesses: ClassVar[bool] = False
    """Whether types are inferred from values, so that a single odd value can change the type of a column.

    Such a column can still be read.
    """

    @property
    def skipped(self) -> Skipped:
        """The lines that were left out, once all batches have been read. None unless the source's settings allow it."""
        return Skipped()

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of the tables and views that can be read, qualified if the source has schemas."""

    @abstractmethod
    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        """The columns of a table or of one SQL query, as reported by the source itself.

        Raises:
            Misconfigured: there is no such table, or the source rejected the query; with the source's own message.
        """

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        """The native types of the columns by name, without reading values.

        Args:
            expected: the columns that were known before. A source that has to search for its columns can stop once it
                has found these.

        Raises:
            Misconfigured: as for `columns`.
        """
        return {info.name: info.native for info in self.columns(table=table, sql=sql)}

    def catalog(self) -> list[TableInfo]:
        """All tables and views with their columns, in as few queries as the source allows.

        Raises:
            Misconfigured, Unavailable
        """
        return [TableInfo(name, tuple(self.columns(table=name))) for name in self.tables()]

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        """The single-column foreign keys that the source declares; none if it has no foreign keys."""
        return []

    def rows(self, query: Select[Any], limit: int) -> list[dict[str, Any]]:
        """The first rows, for screens and counts, with values as in `batches`. Engines don't override this.

        Raises:
            Misconfigured: rejected by the source. Unavailable: unreachable, or the statement timed out.
        """
        return [row for batch in self.batches(query.limit(limit)) for row in batch.to_pylist()]

    @abstractmethod
    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        """All rows once, in batches, in bounded memory.

        Values are native Arrow if Arrow represents them exactly, otherwise the source's text. `segments.values.natural`
        reads both.

        Raises:
            Misconfigured, Unavailable: also in mid-stream. The rows read up to then are incomplete.
        """

    def change_signal(self, *, table: str = "", sql: str = "") -> str | None:
        """A text that differs once the data of a table or query has changed, read without reading rows.

        It may also differ if nothing changed. None if the source has no such signal for this data.

        Raises:
            Misconfigured, Unavailable
        """
        return None

    @abstractmethod
    def interrupt(self) -> None:
        """Cancels the statement that another thread is waiting for; harmless if there is none."""


class Engine(ABC):
    """One kind of source."""

    slug: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str] = ""
    """What kind of data it is, in one sentence for people who choose one."""
    note: ClassVar[str] = ""
    """What a user should know before choosing it."""
    parameters: ClassVar[tuple[Parameter, ...]]
    dialect: ClassVar[Dialect]
    """Compiles queries, both to execute and to show them."""
    computed: ClassVar[Mapping[ColumnType, str]]
    """Its own names of the types of computed columns: text, integer and number."""
    signals_changes: ClassVar[bool] = False
    """Whether its readers have a `change_signal`."""
    functions: ClassVar[Collection[str]] = ()
    """Functions that it adds to the database. Statements that use them do not run in other programs."""
    spells: ClassVar[Collection[ColumnType]] = ()
    """Types whose values are text in the source, spelled by whoever wrote it. Text attributes get that spelling."""
    endings: ClassVar[tuple[str, ...]] = ()
    """Extensions of the files that can be uploaded for its parameter `path`; none if it does not read a single file."""

    def filled(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter with its value, or with its default if it has no value."""
        return {parameter.name: settings.get(parameter.name) or parameter.default for parameter in self.parameters}

    def reach(self, settings: Mapping[str, Any]) -> Iterator[str]:
        """The stages of a connection test before signing in, each named once it has succeeded; none for a file.

        Raises:
            Misconfigured, Unavailable: as `open`.
        """
        return iter(())

    @abstractmethod
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> AbstractContextManager[Reader]:
        """A read-only session whose statements time out after `timeout_seconds`.

        Raises:
            Misconfigured: wrong credentials, path or database. Unavailable: can't be reached.
        """
