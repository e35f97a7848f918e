"""What a source engine must be: forms, discovery, small reads and one stream of column batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
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
    """The types that conditions, mappings and screens know. Everything an engine has is one of these."""

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
    """A column as the source describes it; `native` is the source's own word for the type."""

    name: str
    type: ColumnType
    native: str = ""
    nullable: bool = True


@dataclass(frozen=True)
class TableInfo:
    """A table or view as a source lists it.

    Args:
        rows: about how many there are, as the source guesses without counting; None where it has no guess.
    """

    name: str
    columns: tuple[ColumnInfo, ...]
    is_view: bool = False
    rows: int | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A column of a table whose values are found in a column of another."""

    column: str
    table: str
    other: str


class Reader(ABC):
    """An open, read-only session with a source. Nothing can be written through it."""

    guesses: ClassVar[bool] = False
    """Whether types are told by values, so that a column gets another type by one odd value, and can be read all the same."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of tables and views that can be read, qualified where the source has schemas."""

    @abstractmethod
    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        """The columns of a table or of one SQL query, asked of the source itself.

        Raises:
            Misconfigured: no such table, or the query is refused, in the source's own words.
        """

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        """The native types of the columns by name, without a look at their values.

        Args:
            expected: columns that it was known to have; a source that has to search for its columns ends once it has these.

        Raises:
            Misconfigured: as `columns`.
        """
        return {info.name: info.native for info in self.columns(table=table, sql=sql)}

    def catalog(self) -> list[TableInfo]:
        """All tables and views with their columns, by few questions where the source can answer so.

        Raises:
            Misconfigured, Unavailable
        """
        return [TableInfo(name, tuple(self.columns(table=name))) for name in self.tables()]

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        """The foreign keys of one column each that the source declares; none where it has no such thing."""
        return []

    def rows(self, query: Select[Any], limit: int) -> list[dict[str, Any]]:
        """The first rows, for screens and counts, with values as in `batches`.

        Raises:
            Misconfigured: refused by the source. Unavailable: gone, or over the statement time-out.
        """
        return [row for batch in self.batches(query.limit(limit)) for row in batch.to_pylist()]

    @abstractmethod
    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        """All rows once, in batches, in bounded memory. Values are native Arrow where Arrow holds them exactly, else the
        source's text; `segments.values.natural` reads both.

        Raises:
            Misconfigured, Unavailable: also in mid-stream; what was read until then must not be taken for the whole.
        """

    @abstractmethod
    def interrupt(self) -> None:
        """Ends the statement that another thread is waiting for; harmless where there is none."""


class Engine(ABC):
    """One kind of source."""

    slug: ClassVar[str]
    label: ClassVar[str]
    note: ClassVar[str] = ""
    """What a person should know before choosing it."""
    parameters: ClassVar[tuple[Parameter, ...]]
    dialect: ClassVar[Dialect]
    """Compiles queries for showing them and for running them."""
    computed: ClassVar[Mapping[ColumnType, str]]
    """Its own words for the types of what is computed: texts, whole numbers and numbers."""
    functions: ClassVar[Collection[str]] = ()
    """Functions that it adds to the database, so that its statements are no use to other programs."""
    endings: ClassVar[tuple[str, ...]] = ()
    """Of files that may be uploaded for its parameter `path`; none where it reads no single file."""

    def filled(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter with its value, or its default where it has none."""
        return {parameter.name: settings.get(parameter.name) or parameter.default for parameter in self.parameters}

    @abstractmethod
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> AbstractContextManager[Reader]:
        """A read-only session whose statements end after `timeout_seconds`.

        Raises:
            Misconfigured: refused (credentials, path, database). Unavailable: can't be reached.
        """
