"""Values to choose from, and the first and last of times, as every engine gives them."""

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
        "id": place,
        "country": country,
        "seats": 10 + place % 2,
        "active": place > 6,
        "since": date(2026, 1, 1 + place // 5),
    }
    for place, country in enumerate(COUNTRIES)
]


def model(place: Place, zone: str = "UTC") -> DataModel:
    source = Source.objects.create(name="Shop", engine=place.slug, config=place.settings, timezone=zone)
    made = DataModel.objects.create(name="Rows", source=source, table=place.table, primary_key="id")
    refresh_columns(made)
    return made


def test_values_keep_their_capitals_and_are_searched_without(slug: str, files: Path) -> None:
    rows = model(make(slug, files, "observed", COLUMNS, ROWS))
    assert read.values(rows, "country", "", limit=2) == [("FR", 3), ("fr", 2)]
    assert read.values(rows, "country", "f", limit=9) == [("FR", 3), ("fr", 2)]
    assert sorted(read.values(rows, "country", "éCO", limit=9)) == [("ÉCOLE", 1), ("École", 1)]
    french = Segment.objects.create(
        name="Some", model=rows, where={"field": "country", "is": "one_of", "value": ["FR", "fr"]}
    )
    assert read.breakdown(read.selection(french), "country", now=NOW, limit=9) == [("FR", 3), ("fr", 2)]


def test_numbers_days_and_truths_can_be_chosen_too(slug: str, files: Path) -> None:
    rows = model(make(slug, files, "observed", COLUMNS, ROWS))
    assert read.values(rows, "seats", "1", limit=9) == [(10, 5), (11, 4)]
    assert read.values(rows, "since", "", limit=9) == [(date(2026, 1, 1), 5), (date(2026, 1, 2), 4)]
    assert read.values(rows, "active", "", limit=9) == [(False, 7), (True, 2)]


def test_of_lists_the_elements_are_offered(lists: Place) -> None:
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
def test_times_written_differently_are_compared_as_moments(engine: str, files: Path) -> None:
    """The source is in Paris, where summer time has begun: its clocks show two hours more than UTC."""
    visits = [{"id": place, "company": company, "seen_at": seen} for place, (company, seen) in enumerate(SEEN, start=1)]
    rows = model(
        make(engine, files, "visits", {"id": "integer", "company": "integer", "seen_at": "text"}, visits),
        "Europe/Paris",
    )
    rows.columns.filter(name="seen_at").update(type="timestamp")
    companies = DataModel.objects.create(name="Companies", source=rows.source, table=rows.table, primary_key="id")
    refresh_columns(companies)
    Relation.objects.create(from_model=rows, from_column="company", to_model=companies, to_column="id")
    first_four = {"field": "id", "is": "at_most", "value": 4}

    def found(measure: str, operator: str, value: Any = None) -> set[int]:
        asked = {"related": "Rows", measure: "seen_at", "is": operator, "value": value}
        segment = Segment(name="S", model=companies, where={"all": [first_four, asked]})
        return {row["id"] for row in read.preview(read.selection(segment), now=NOW)}

    assert found("max", "after", "2026-03-31 12:15") == {1}
    assert found("max", "between", ["2026-03-31 11:59:59", "2026-03-31 12:15"]) == {2, 3}
    assert found("min", "before", "2026-03-31 12:00") == {2}
    assert found("min", "empty") == {4}
    latest = Segment(name="L", model=rows, limit={"rows": 3, "order_by": "seen_at", "descending": True})
    assert {row["id"] for row in read.preview(read.selection(latest), now=NOW)} == {2, 1, 5}
