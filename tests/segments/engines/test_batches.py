"""How large the batches are that sources give."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.engines.batches import BATCH_BYTES, FEW_ROWS, gathered, rows_next
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import SLUGS, make

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONG = 40_000


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 100))
def test_gathered_batches_hold_the_same_rows_in_the_same_order(sizes: list[int], rows: int) -> None:
    numbers = iter(range(sum(sizes)))
    batches = [pa.record_batch({"n": pa.array([next(numbers) for _ in range(size)], pa.int64())}) for size in sizes]
    found = list(gathered(batches, rows))
    assert [number for batch in found for number in batch["n"].to_pylist()] == list(range(sum(sizes)))
    assert all(batch.num_rows >= rows for batch, _ in pairwise(found))


def test_long_rows_come_in_few_at_a_time() -> None:
    batch = pa.record_batch({"text": ["x" * LONG] * 100})
    assert rows_next(None, 20_000) == FEW_ROWS
    assert rows_next(batch, 20_000) == BATCH_BYTES * 100 // batch.nbytes < 100
    assert rows_next(pa.record_batch({"n": [1] * 100}), 20_000) == 20_000
    assert [one.num_rows for one in gathered([batch.slice(0, 60)] * 4, 20_000)] == [120, 120]


@pytest.mark.parametrize("slug", SLUGS, indirect=True)
def test_batches_of_long_rows_stay_small(slug: str, files: Path) -> None:
    rows: list[Mapping[str, object]] = [{"id": number, "text": f"{number:0{LONG}d}"} for number in range(4_000)]
    place = make(slug, files, "long", {"id": "integer", "text": "text"}, rows)
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)
        read = [
            (batch.num_rows, batch.nbytes) for batch in reader.batches(statements.select(source, infos, ["id", "text"]))
        ]
    assert sum(rows for rows, _ in read) == 4_000
    assert max(bytes for _, bytes in read) <= 2_048 * LONG * 1.3
