"""Stores the rows of the shared tests in Feather."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}

ENDLESS = "select count(*) as x from range(1000000000000) as numbers where hash(numbers.range) = 5"
"""A query of one row that runs for minutes, to test timeouts."""


def make(
    root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """Stores rows under `table`, in place of what it held, and returns its qualified name and the source's settings."""
    path = root / f"{table}.feather"
    schema = pa.schema([(name, TYPES[kind]) for name, kind in columns.items()])
    pyarrow.feather.write_feather(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), str(path))
    return table, {"path": path.name}
