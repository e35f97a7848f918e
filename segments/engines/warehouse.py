"""What the engines share whose drivers are installed only where they are needed."""

from __future__ import annotations

import importlib
import json
from abc import abstractmethod
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from core.errors import Misconfigured, Unavailable
from segments.contract import ColumnInfo, Reader
from segments.engines import sql_guard
from segments.engines.failures import refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from types import ModuleType

    from sqlalchemy import Select

BATCH_ROWS = 20_000


def driver(module: str, package: str) -> ModuleType:
    """Raises Misconfigured where the package is not installed, with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = (
            f"This kind of source needs the package {package}. Install it with: pip install -r requirements-extras.txt"
        )
        raise Misconfigured("driver_missing", message, detail=str(error)) from None


class WarehouseReader(Reader):
    """A session in which a query is described and read by way of the driver."""

    forbidden: Collection[str] = ()
    """Functions that do more than read."""

    @abstractmethod
    def described(self, sql: str) -> list[ColumnInfo]:
        """The columns of a query that is no more than one SELECT."""

    @abstractmethod
    def described_table(self, table: str) -> list[ColumnInfo]:
        """The columns of a table."""

    @abstractmethod
    def read(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        """All rows of a query."""

    @abstractmethod
    def failure(self, error: Exception) -> Exception:
        """What a failure of the driver means; the error itself where it is none of its own."""

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        with self.problems():
            if not sql:
                return self.described_table(table)
            sql_guard.refuse_calls(sql, self.forbidden, sql_guard.STANDARD)
            return self.described(sql)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        for sql in sql_guard.written_by_people(query):
            sql_guard.refuse_calls(sql, self.forbidden, sql_guard.STANDARD)
        with self.problems():
            yield from self.read(query)

    @contextmanager
    def problems(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise self.failure(error) from None


def meaning(error: Exception, own: type[Exception], lost: tuple[type[Exception], ...]) -> Exception:
    """A failure of a driver: its connection's, or the source's refusal in its own words; others are no business of ours."""
    if isinstance(error, lost):
        return Unavailable("source_lost", "The connection to the source was lost. Try again.", detail=str(error)[:500])
    return refused(" ".join(str(error).split())[:500]) if isinstance(error, own) else error


def batch(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Rows of Python values as columns of text."""
    columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.record_batch(
        [pa.array([text(value) for value in column], pa.string()) for column in columns], names=list(names)
    )


def text(value: Any) -> str | None:
    """A value of a driver as the text that `segments.values.natural` reads."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)
