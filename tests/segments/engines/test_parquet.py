"""Parquet files: native types, and many files as one table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet

from tests.segments.engines.files import types, values
from tests.segments.places import Place

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {
    "small": "integer",
    "huge": "integer",
    "money": "number",
    "single": "number",
    "nan": "number",
    "nano": "timestamp",
    "zoned": "timestamp",
    "tags": "list",
    "place": "object",
    "word": "text",
    "raw": "text",
}


def test_native_values_of_parquet_are_read_exactly(files: Path) -> None:
    table = pa.table(
        {
            "small": pa.array([1], pa.int8()),
            "huge": pa.array([2**64 - 1], pa.uint64()),
            "money": pa.array([Decimal("12345678901234567.89")], pa.decimal128(20, 2)),
            "single": pa.array([0.1], pa.float32()),
            "nan": pa.array([float("nan")], pa.float64()),
            "nano": pa.array([1], pa.timestamp("ns")),
            "zoned": pa.array([datetime(2026, 1, 31, tzinfo=UTC)], pa.timestamp("ms", "Europe/Paris")),
            "tags": pa.array([["a", None]], pa.list_(pa.string())),
            "place": pa.array([{"city": "Zürich", "day": date(2026, 1, 31)}]),
            "word": pa.array(["x"]).dictionary_encode(),
            "raw": pa.array([b"\x00\xff"], pa.binary()),
        }
    )
    pyarrow.parquet.write_table(table, files / "native.parquet")
    place = Place("parquet", "native", {"path": "native.parquet"})
    assert types(place) == TYPES
    assert values(place) == [
        {
            "small": 1,
            "huge": 2**64 - 1,
            "money": Decimal("12345678901234567.89"),
            "single": 0.1,
            "nan": None,
            "nano": datetime(1970, 1, 1, tzinfo=UTC),
            "zoned": datetime(2026, 1, 31, tzinfo=UTC),
            "tags": ["a", None],
            "place": {"city": "Zürich", "day": "2026-01-31"},
            "word": "x",
            "raw": "\\x00\\xFF",
        }
    ]


def test_parquet_files_are_combined_by_column_name(files: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"a": [1], "b": ["x"]}), files / "u-1.parquet")
    pyarrow.parquet.write_table(
        pa.table({"b": ["y"], "c": [0.5], "a": pa.array([2], pa.int8())}), files / "u-2.parquet"
    )
    place = Place("parquet", "u", {"path": "u-*.parquet"})
    assert types(place) == {"a": "integer", "b": "text", "c": "number"}
    assert values(place) == [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": "y", "c": 0.5}]
