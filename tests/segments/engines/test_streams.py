"""Streams of every engine: timeouts, early ends, empty tables and bounded memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from core.errors import Misconfigured, Unavailable
from segments.contract import ColumnInfo, ColumnType
from segments.reading.prefetch import prefetch
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.test_engines import COLUMNS, natural_rows, place, places, select_all
from tests.segments.places import ADDED, Place, make, run_in_mysql

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["place", "places"]
FILES = ("csv", "parquet", "jsonl", "duckdb")
ENDLESS = {
    "sqlite": "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) as x from n",
    "mysql": "select count(*) as x from big as a, big as b, big as c, big as d where concat(a.n, b.n, c.n, d.n) = 'x'",
    "postgres": "select count(*) as x from generate_series(1, 100000000000) as n",
    **dict.fromkeys(FILES, "select count(*) as x from range(1000000000000) as numbers where hash(numbers.range) = 5"),
    **{slug: module.ENDLESS for slug, module in ADDED.items()},
}


@pytest.fixture
def numbers(slug: str) -> None:
    """A table to join with itself, because MySQL can't generate rows."""
    if slug == "mysql":
        values = ", ".join(f"({number})" for number in range(1000))
        run_in_mysql("create table if not exists big (n int)", f"insert into big values {values}")


@pytest.mark.usefixtures("numbers")
def test_endless_statement_ends_at_the_timeout(place: Place) -> None:
    with place.open(timeout_seconds=0.3) as reader, pytest.raises(Unavailable) as ended:
        list(reader.batches(select_all(reader, place, ENDLESS[place.slug])))
    assert ended.value.code == "source_timeout"
    assert "0.3 seconds" in ended.value.message


@pytest.mark.usefixtures("numbers")
def test_endless_statement_ends_as_soon_as_the_caller_stops(place: Place) -> None:
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() - began > 0.3:
            raise KeyError("cancelled")

    info = ColumnInfo("x", ColumnType.INTEGER)
    endless = statements.select(
        statements.relation([info], engines[place.slug].dialect, sql=ENDLESS[place.slug]), {"x": info}, ["x"]
    )
    with place.open(timeout_seconds=60) as reader:
        batches = prefetch(reader.batches(endless), check=check, interrupt=reader.interrupt)
        with pytest.raises(KeyError):
            next(batches)
    assert time.monotonic() - began < 5


def test_abandoned_stream_can_be_closed(place: Place) -> None:
    with place.open() as reader:
        batches = reader.batches(select_all(reader, place))
        next(batches)
        batches.close()  # type: ignore[attr-defined]


def test_stream_of_no_rows_is_empty(slug: str, files: Path) -> None:
    place = make(slug, files, "nobody", COLUMNS, [])
    if slug == "jsonl":
        # Without objects there are no field names.
        with pytest.raises(Misconfigured, match="no objects"):
            natural_rows(place)
        return
    assert natural_rows(place) == []
    with place.open() as reader:
        assert [info.name for info in reader.columns(table=place.table)] == list(COLUMNS)


def test_row_of_a_single_null_is_a_row(slug: str, files: Path) -> None:
    place = make(
        slug,
        files,
        "single",
        {"name": "text", "id": "integer"},
        [{"name": name, "id": 1} for name in ("a", None, "", None)],
    )
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)
        rows = reader.rows(statements.select(source, infos, ["name"]), 10)
    assert [row["name"] for row in rows] == ["a", None, "", None]


MANY = 200_000


@pytest.fixture(scope="module")
def many() -> list[dict[str, Any]]:
    return [{"id": number, "text": f"{number:x}".ljust(100, "é")} for number in range(MANY)]


def test_long_table_is_read_in_batches_and_not_kept_in_memory(
    slug: str, files: Path, many: list[dict[str, Any]]
) -> None:
    """Read at once, the text would take 40 MB."""
    place = make(slug, files, "many", {"id": "integer", "text": "text"}, many)
    with place.open(timeout_seconds=60) as reader:
        query = select_all(reader, place)
        before = pa.total_allocated_bytes()
        peak, batches, total = 0, 0, 0
        for batch in reader.batches(query):
            batches, total = batches + 1, total + batch.num_rows
            peak = max(peak, pa.total_allocated_bytes() - before, batch.nbytes)
    assert total == MANY
    assert batches >= 5
    assert peak < 15_000_000
