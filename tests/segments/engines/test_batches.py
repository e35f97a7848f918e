"""The size of the batches that sources return."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Misconfigured
from segments.engines.batches import BATCH_BYTES, FIRST_ROWS, LARGEST_ROW, merge_batches, next_batch_rows, pieces
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import SLUGS, make

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONG = 40_000


@given(st.lists(st.integers(0, 40), max_size=60))
def test_large_batch_is_split_by_its_bytes(lengths: list[int]) -> None:
    texts = ["x" * (length * 50_000) for length in lengths]
    split = list(pieces(pa.record_batch({"text": pa.array(texts, pa.string())})))
    assert [text for piece in split for text in piece["text"].to_pylist()] == texts
    assert all(piece.nbytes <= 5 * BATCH_BYTES for piece in split)


def test_row_that_is_too_large_is_refused() -> None:
    with pytest.raises(Misconfigured) as refused:
        list(pieces(pa.record_batch({"text": ["a", "x" * (LARGEST_ROW + 1)]})))
    assert refused.value.code == "source_too_large"


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 100))
def test_merged_batches_contain_the_same_rows_in_the_same_order(sizes: list[int], rows: int) -> None:
    numbers = iter(range(sum(sizes)))
    batches = [pa.record_batch({"n": pa.array([next(numbers) for _ in range(size)], pa.int64())}) for size in sizes]
    merged = list(merge_batches(batches, rows))
    assert [number for batch in merged for number in batch["n"].to_pylist()] == list(range(sum(sizes)))
    assert all(batch.num_rows >= rows for batch, _ in pairwise(merged))


def test_long_rows_are_read_a_few_at_a_time() -> None:
    batch = pa.record_batch({"text": ["x" * LONG] * 100})
    assert next_batch_rows(None, 20_000) == FIRST_ROWS
    assert next_batch_rows(batch, 20_000) == BATCH_BYTES * 100 // batch.nbytes < 100
    assert next_batch_rows(pa.record_batch({"n": [1] * 100}), 20_000) == 20_000
    assert [merged.num_rows for merged in merge_batches([batch.slice(0, 60)] * 4, 20_000)] == [120, 120]


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
