"""Reads Feather: read-only, with a time limit, in batches."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather

from core.errors import Misconfigured
from segments.contract import Engine, Reader
from segments.engines.duckdb.session import FileReader, locked_session
from segments.engines.feather.dialect import COMPUTED, dialect
from segments.engines.paths import PATH, resolve, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Feather(Engine):
    slug = "feather"
    label = "Feather"
    parameters = (PATH,)
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        path = resolve(settings["path"])
        try:
            table = pyarrow.feather.read_table(path, memory_map=True)
        except (pa.ArrowInvalid, OSError) as error:
            message = f"The file {path.name} is not a Feather file."
            raise Misconfigured("source_file", message, detail=str(error)) from None
        with locked_session([path]) as (connection, _):
            reader = FileReader(connection, table_name(settings["path"]), [path], timeout_seconds)
            connection.register(reader.table, table)
            yield reader
