"""Parquet files. If one of several files lacks a column, the column is null there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from segments.contract import Engine, Reader
from segments.engines.duckdb.dialect import COMPUTED, dialect
from segments.engines.duckdb.session import FileReader, locked_session
from segments.engines.paths import PATHS, resolve_all, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Parquet(Engine):
    slug = "parquet"
    label = "Parquet files"
    summary = "A table in the Parquet format, exported from a warehouse."
    parameters = (PATHS,)
    dialect = dialect
    computed = COMPUTED
    signals_changes = True
    endings = (".parquet",)

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        paths = resolve_all(settings["path"])
        with locked_session(paths) as (connection, files):
            reader = FileReader(connection, table_name(settings["path"]), paths, timeout_seconds)
            with reader.translating_errors():
                connection.read_parquet([str(file.opened) for file in files], union_by_name=len(paths) > 1).create_view(
                    reader.table
                )
            yield reader
