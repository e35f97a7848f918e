"""PURE. How large batches are: many rows where they are short, few where they are long, so that memory is bounded either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BATCH_BYTES = 4_000_000
FEW_ROWS = 500


def rows_next(batch: pa.RecordBatch | None, most: int) -> int:
    """How many rows to read after a batch: about `BATCH_BYTES` of such rows; few at first."""
    if batch is None:
        return min(FEW_ROWS, most)
    return max(1, min(most, BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)))


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Small batches put together, until one has so many rows or so many bytes."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= rows or sum(one.nbytes for one in waiting) >= BATCH_BYTES:
            yield pa.concat_batches(waiting)
            waiting = []
    if waiting:
        yield pa.concat_batches(waiting)
