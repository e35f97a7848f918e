"""Writes the reporting views to Parquet files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from dinmo.reporting.views import ACTIVATIONS, CHANGES, RUNS, VALUES, VIEWS, View
from dinmo.rows import databases

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from dinmo.rows.columns import Table
    from dinmo.rows.databases import Snapshot

_WITH_VALUES = (
    '(SELECT reported.*, change."key", change.name, change."values" FROM reporting_changes reported '
    "JOIN activations_change change ON change.id = reported.change_id) AS with_values"
)


def export(directory: Path, since: datetime | None, *, with_values: bool) -> dict[str, int]:
    """Writes one file per view from a single snapshot. Replaces existing files.

    Args:
        since: excludes runs requested earlier, and their changes.
        with_values: adds the key, name and values of each record to the changes.

    Returns:
        the number of rows by file name.

    Raises:
        OSError: a file can't be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = {}
    with databases.current().snapshot() as snapshot:
        for view in VIEWS:
            name = f"{view.name.removeprefix('reporting_')}.parquet"
            table, source = _selected(view, with_values)
            written[name] = _write(directory / name, snapshot, table, f"{source} {_since(view, since)}")
    return written


def _selected(view: View, with_values: bool) -> tuple[Table, str]:
    """The columns of the file of a view, and the SQL after FROM."""
    if view is not CHANGES or not with_values:
        return view.table, view.name
    return replace(view.table, columns=view.table.columns + VALUES), _WITH_VALUES


def _since(view: View, since: datetime | None) -> str:
    if view is ACTIVATIONS or since is None:
        return ""
    recent = f"created_at >= '{since:%Y-%m-%d %H:%M:%S}'"
    if view is RUNS:
        return f"WHERE {recent}"
    return f"WHERE run_id IN (SELECT run_id FROM {RUNS.name} WHERE {recent})"  # noqa: S608


def _write(path: Path, snapshot: Snapshot, table: Table, source: str) -> int:
    """Writes the rows to a temporary file, and renames it when complete. Returns the number of rows."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    rows = 0
    try:
        with pq.ParquetWriter(unfinished, table.schema, compression="zstd") as file:
            for batch in snapshot.batches(table, source):
                file.write_table(pa.Table.from_batches([batch]))
                rows += batch.num_rows
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return rows
