"""Shared by the engines of cloud warehouses, whose drivers are installed only if they are needed."""

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
from segments.engines.batches import pieces
from segments.engines.failures import refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from types import ModuleType

    from sqlalchemy import Select

BATCH_ROWS = 20_000


def import_driver(module: str, package: str) -> ModuleType:
    """The driver's module.

    Raises:
        Misconfigured: the package is not installed; the message has the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = (
            f"This kind of source needs the package {package}. Install it with: pip install -r requirements-extras.txt"
        )
        raise Misconfigured("driver_missing", message, detail=str(error)) from None


class WarehouseReader(Reader):
    """A session in which the driver describes and runs queries."""

    forbidden: Collection[str] = ()
    """Functions that do more than read."""

    @abstractmethod
    def describe_query(self, sql: str) -> list[ColumnInfo]:
        """The columns of a query. Fails unless it is a single SELECT."""

    @abstractmethod
    def describe_table(self, table: str) -> list[ColumnInfo]:
        """The columns of a table."""

    @abstractmethod
    def read_batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        """All rows of a query."""

    @abstractmethod
    def translate(self, error: Exception) -> Exception:
        """The Problem for an error of the driver. Any other error is returned unchanged."""

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        with self.translating_errors():
            if not sql:
                return self.describe_table(table)
            sql_guard.refuse_calls(sql, self.forbidden, sql_guard.STANDARD)
            return self.describe_query(sql)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        for sql in sql_guard.custom_sql(query):
            sql_guard.refuse_calls(sql, self.forbidden, sql_guard.STANDARD)
        with self.translating_errors():
            for batch in self.read_batches(query):
                yield from pieces(batch)

    @contextmanager
    def translating_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise self.translate(error) from None


def translated(error: Exception, own: type[Exception], lost: tuple[type[Exception], ...]) -> Exception:
    """The Problem for a driver's error: a lost connection, or a refused statement with the source's own message.

    Args:
        own: the base class of the driver's errors. Any other error is returned unchanged.
        lost: the errors that mean a lost connection.
    """
    if isinstance(error, lost):
        return Unavailable("source_lost", "The connection to the source was lost. Try again.", detail=str(error)[:500])
    return refused(" ".join(str(error).split())[:500]) if isinstance(error, own) else error


def text_batch(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """A batch of text columns from rows of Python values."""
    columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.record_batch(
        [pa.array([to_text(value) for value in column], pa.string()) for column in columns], names=list(names)
    )


def to_text(value: Any) -> str | None:
    """A driver's value as text that `segments.values.natural` can read back."""
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
