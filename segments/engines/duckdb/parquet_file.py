"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from segments.contract import Engine, Reader
from segments.engines.duckdb.dialect import dialect
from segments.engines.duckdb.session import FileReader, locked
from segments.engines.paths import PATH, inside


class Parquet(Engine):
    slug = "parquet"
    label = "Parquet file"
    parameters = (PATH,)
    dialect = dialect

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        path = inside(settings["path"])
        with locked(path) as connection:
            reader = FileReader(connection, path.stem, timeout_seconds)
            with reader.problems():
                connection.read_parquet(str(path)).create_view(path.stem)
            yield reader
