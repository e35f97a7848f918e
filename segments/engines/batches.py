"""PURE. The size of batches: many short rows or few long ones, so that memory is bounded either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BATCH_BYTES = 4_000_000
LARGEST_ROW = 64 << 20
FIRST_ROWS = 500


def next_batch_rows(batch: pa.RecordBatch | None, max_rows: int) -> int:
    """How many rows to read after this batch: about `BATCH_BYTES` of rows like these, and only a few at first."""
    if batch is None:
        return min(FIRST_ROWS, max_rows)
    return int(max(1, min(max_rows, BATCH_BYTES * batch.num_rows // max(1, batch.nbytes))))


def pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in pieces of about `BATCH_BYTES`, each of at least one row.

    Raises:
        Misconfigured: a row has more than `LARGEST_ROW` bytes.
    """
    rows = next_batch_rows(batch, max(1, batch.num_rows))
    for start in range(0, batch.num_rows, rows):
        piece = batch.slice(start, rows)
        if piece.nbytes > LARGEST_ROW:
            raise row_too_large()
        yield piece


def row_too_large() -> Misconfigured:
    """A row has more than `LARGEST_ROW` bytes."""
    message = "A row of the source is too large. Leave out columns with long values."
    return Misconfigured("source_too_large", message, where="columns")


def merge_batches(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Small batches merged into larger ones, each with at least this many rows or `BATCH_BYTES` bytes."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= rows or sum(part.nbytes for part in waiting) >= BATCH_BYTES:
            yield pa.concat_batches(waiting)
            waiting = []
    if waiting:
        yield pa.concat_batches(waiting)
