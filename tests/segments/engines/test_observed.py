"""Suggested values, and the earliest and latest times, on every engine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from segments.models import DataModel, Relation, Segment, Source
from segments.reading import read
from segments.sources.discovery import refresh_columns
from tests.segments.conditions.test_lists import place as lists
from tests.segments.places import Place, make

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lists"]
pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 1, tzinfo=UTC)
COLUMNS = {"id": "integer", "country": "text", "seats": "integer", "active": "boolean", "since": "date"}
COUNTRIES = ["FR", "FR", "FR", "fr", "fr", "École", "ÉCOLE", "DE", None]
ROWS = [
    {
        "id": number,
        "country": country,
        "seats": 10 + number % 2,
        "active": number > 6,
        "since": date(2026, 1, 1 + number // 5),
    }
    for number, country in enumerate(COUNTRIES)
]


def model(place: Place, zone: str = "UTC") -> DataModel:
    source = Source.objects.create(name="Shop", engine=place.slug, config=place.settings, timezone=zone)
    model = DataModel.objects.create(name="Rows", source=source, table=place.table, primary_key="id")
    refresh_columns(model)
    return model


def test_values_keep_their_case_and_are_searched_without_it(slug: str, files: Path) -> None:
    rows = model(make(slug, files, "observed", COLUMNS, ROWS))
    assert read.values(rows, "country", "", limit=2) == [("FR", 3), ("fr", 2)]
    assert read.values(rows, "country", "f", limit=9) == [("FR", 3), ("fr", 2)]
    assert sorted(read.values(rows, "country", "éCO", limit=9)) == [("ÉCOLE", 1), ("École", 1)]
    french = Segment.objects.create(
        name="Some", model=rows, where={"field": "country", "is": "one_of", "value": ["FR", "fr"]}
    )
    assert read.breakdown(read.selection(french), "country", now=NOW, limit=9) == [("FR", 3), ("fr", 2)]


def test_numbers_dates_and_booleans_are_suggested_too(slug: str, files: Path) -> None:
    rows = model(make(slug, files, "observed", COLUMNS, ROWS))
    assert read.values(rows, "seats", "1", limit=9) == [(10, 5), (11, 4)]
    assert read.values(rows, "since", "", limit=9) == [(date(2026, 1, 1), 5), (date(2026, 1, 2), 4)]
    assert read.values(rows, "active", "", limit=9) == [(False, 7), (True, 2)]


def test_elements_of_lists_are_suggested(lists: Place) -> None:
    rows = model(lists)
    assert read.values(rows, "tags", "", limit=2) == [("a", 3), ("b", 3)]
    assert read.values(rows, "tags", "a", limit=9) == [("a", 3), ("A", 1), ("a,b", 1), ("café", 1)]


SEEN = [
    (1, "2026-03-31 12:00"),
    (1, "2026-03-31T10:30:00Z"),
    (1, "nobody knows"),
    (2, "2026-03-31 11:59:59.5"),
    (2, "2026-03-31 08:00:00-02:00"),
    (3, "2026-03-31 12:00"),
    (3, "unknown"),
    (4, "never"),
]


@pytest.mark.parametrize("engine", ["sqlite", "csv", "jsonl"])
def test_times_in_different_formats_are_compared_as_points_in_time(engine: str, files: Path) -> None:
    """The source is in Paris, where daylight saving time has begun: two hours ahead of UTC."""
    visits = [
        {"id": number, "company": company, "seen_at": seen} for number, (company, seen) in enumerate(SEEN, start=1)
    ]
    rows = model(
        make(engine, files, "visits", {"id": "integer", "company": "integer", "seen_at": "text"}, visits),
        "Europe/Paris",
    )
    rows.columns.filter(name="seen_at").update(type="timestamp")
    companies = DataModel.objects.create(name="Companies", source=rows.source, table=rows.table, primary_key="id")
    refresh_columns(companies)
    Relation.objects.create(from_model=rows, from_column="company", to_model=companies, to_column="id")
    first_four = {"field": "id", "is": "at_most", "value": 4}

    def matching(measure: str, operator: str, value: Any = None) -> set[int]:
        condition = {"related": "Rows", measure: "seen_at", "is": operator, "value": value}
        segment = Segment(name="S", model=companies, where={"all": [first_four, condition]})
        return {row["id"] for row in read.preview(read.selection(segment), now=NOW)}

    assert matching("max", "after", "2026-03-31 12:15") == {1}
    assert matching("max", "between", ["2026-03-31 11:59:59", "2026-03-31 12:15"]) == {2, 3}
    assert matching("min", "before", "2026-03-31 12:00") == {2}
    assert matching("min", "empty") == {4}
    latest = Segment(name="L", model=rows, limit={"rows": 3, "order_by": "seen_at", "descending": True})
    assert {row["id"] for row in read.preview(read.selection(latest), now=NOW)} == {2, 1, 5}
