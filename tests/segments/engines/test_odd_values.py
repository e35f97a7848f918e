"""Values that a source stores in an unusual form: each means the same as in its usual form."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from segments.models import Column, DataModel, Relation, Segment, Source
from segments.reading import read
from segments.sources.discovery import refresh_columns
from tests.segments.places import (
    POSTGRES_SCHEMA,
    Place,
    mysql_settings,
    postgres_settings,
    run_in_mysql,
    run_in_postgres,
    run_in_sqlite,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, tzinfo=UTC)


def model(place: Place, name: str = "Rows") -> DataModel:
    source, _ = Source.objects.get_or_create(name="Shop", defaults={"engine": place.slug, "config": place.settings})
    model = DataModel.objects.create(name=name, source=source, table=place.table, primary_key="id")
    refresh_columns(model)
    return model


def ids(place: Place, field: str, operator: str, value: Any = None) -> list[Any]:
    operand = {} if value is None else {"value": value}
    return [row["id"] for row in values(place, field=field, **{"is": operator}, **operand)]


@pytest.mark.parametrize("unit", ["us", "ns"])
@pytest.mark.parametrize(("zone", "late"), [("UTC", [2]), (None, [])])
def test_nanosecond_timestamps_are_compared_like_others(
    unit: str, zone: str | None, late: list[int], files: Path
) -> None:
    """23:30 in UTC is the next day in Paris. Without a time zone, it is the local time in Paris."""
    times = [datetime(2026, 3, 28, hour, 30, tzinfo=UTC if zone else None) for hour in (22, 23)]
    table = pa.table({"id": pa.array([1, 2]), "at": pa.array(times, pa.timestamp(unit, zone))})
    pyarrow.parquet.write_table(table, files / "times.parquet")
    place = Place("parquet", "times", {"path": "times.parquet"})
    assert ids(place, "at", "on", "2026-03-29") == late
    assert ids(place, "at", "after", "2026-03-28") == late
    assert ids(place, "at", "before", "2026-03-29") == [number for number in (1, 2) if number not in late]
    assert ids(place, "at", "more_than_ago", "1 day") == [1, 2]
    assert ids(place, "at", "anniversary_in", "13 months") == [1, 2]


def test_text_that_is_not_utf8_affects_no_other_row(files: Path) -> None:
    run_in_sqlite(
        files / "bytes.sqlite3",
        "create table odd (id integer, seen_at timestamp, mrr numeric, tags json, name text)",
        "insert into odd values (1, '2025-03-31 10:00', '12', '[\"vip\"]', 'Éa')",
        "insert into odd select 2, t, t, t, t from (select cast(x'e9' as text) as t)",
    )
    place = Place("sqlite", "odd", {"path": "bytes.sqlite3"})
    assert ids(place, "seen_at", "before", "2026-01-01") == [1]
    assert ids(place, "seen_at", "anniversary") == [1]
    assert ids(place, "mrr", "at_least", 1) == [1]
    assert ids(place, "tags", "contains_any", ["vip"]) == [1]
    rows = model(place)
    assert read.values(rows, "name", "éa", limit=9) == [("Éa", 1)]
    first = Segment(name="First", model=rows, limit={"rows": 1, "order_by": "seen_at"})
    assert [row["id"] for row in read.preview(read.selection(first), now=NOW)] == [1]


def test_february_30_is_not_a_date(files: Path) -> None:
    run_in_sqlite(
        files / "days.sqlite3",
        "create table days (id integer, d date)",
        "insert into days values (1, '2026-02-28'), (2, '2026-02-30'), (3, null)",
    )
    place = Place("sqlite", "days", {"path": "days.sqlite3"})
    assert ids(place, "d", "before", "2026-03-01") == [1]
    assert ids(place, "d", "empty") == [3]


@pytest.mark.usefixtures("mysql")
def test_mysql_date_without_a_month_or_day_is_not_a_date(files: Path) -> None:
    zeros = "(1, 1, '0000-00-00', 0), (2, 1, '2024-02-00', 1999), (3, 1, '2020-01-01', 2001)"
    run_in_mysql(
        "create or replace table zero (id int primary key, parent int, d date null, y year)",
        "set session sql_mode = ''",
        f"insert into zero values {zeros}",
    )
    place = Place("mysql", "zero", mysql_settings())
    assert ids(place, "d", "before", "2026-01-01") == [3]
    assert ids(place, "d", "more_than_ago", "1 month") == [3]
    assert ids(place, "d", "anniversary_in", "11 months") == [3]
    assert ids(place, "y", "greater_than", 1) == [2, 3]
    assert ids(place, "y", "equals", 0) == [1]
    rows, others = model(place), model(place, "Others")
    Relation.objects.create(from_model=others, from_column="parent", to_model=rows, to_column="id")
    earliest = Segment(
        name="E", model=rows, where={"all": [{"related": "Others", "min": "d", "is": "on", "value": "2020-01-01"}]}
    )
    assert [row["id"] for row in read.preview(read.selection(earliest), now=NOW)] == [1]
    first = Segment(name="F", model=rows, limit={"rows": 1, "order_by": "d"})
    assert read.preview(read.selection(first), now=NOW)[0]["d"] == date(2020, 1, 1)


def test_spellings_of_the_same_value_are_counted_as_one(files: Path) -> None:
    run_in_sqlite(
        files / "spelled.sqlite3",
        "create table spelled (id integer, b boolean, n real)",
        "insert into spelled values (1, 1, 9e999), (2, 't', null), (3, 'TRUE', -9e999), (4, 0, 2), (5, null, 2)",
    )
    rows = model(Place("sqlite", "spelled", {"path": "spelled.sqlite3"}))
    everything = read.selection(rows)
    assert read.breakdown(everything, "b", now=NOW, limit=9) == [(True, 3), (None, 1), (False, 1)]
    assert read.breakdown(everything, "n", now=NOW, limit=9) == [(None, 3), (2, 2)]
    assert read.values(rows, "b", "", limit=9) == [(True, 3), (False, 1)]
    assert read.values(rows, "n", "", limit=9) == [(2, 2)]


@pytest.mark.usefixtures("postgres")
@pytest.mark.parametrize(
    ("native", "stored", "suggested"),
    [
        ("numeric(10,2)[]", "'{1.50,2}'", ["1.50", "2.00"]),
        ("jsonb", '\'[1.50, true, "x", {"a": 1}, ["y"]]\'', ["1.50", "true", "x"]),
        ("int[]", "'{7}'", ["7"]),
    ],
)
def test_suggested_element_matches_its_rows(native: str, stored: str, suggested: Sequence[str]) -> None:
    run_in_postgres(
        "drop table if exists held",
        f"create table held (id int, tags {native})",
        f"insert into held values (1, {stored})",
    )
    place = Place("postgres", f"{POSTGRES_SCHEMA}.held", postgres_settings())
    assert [value for value, _ in read.values(model(place), "tags", "", limit=9)] == list(suggested)
    for value in suggested:
        assert ids(place, "tags", "contains_any", [value]) == [1], value
    assert Column.objects.get(name="tags").type in ("list", "object")
