"""Anniversaries: the same day in a later year, across the turn of the year, and for February 29."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from segments.conditions import parsing, serialization
from segments.conditions.times import Anniversary, anniversary, duration
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import ANSWERS, SLUGS, make
from tests.segments.sql.test_agreement import is_anniversary

if TYPE_CHECKING:
    from pathlib import Path

PARIS = ZoneInfo("Europe/Paris")
COLUMNS = {"id": "integer", "founded": "date", "seen_at": "timestamp", "paid_at": "timestamptz"}
LATE = time(22, 30)
"""Time of day in UTC; in summer, it is already the next day in Paris."""
EDGES = (
    "12-19",
    "12-20",
    "12-31",
    "01-01",
    "01-18",
    "01-19",
    "02-27",
    "02-28",
    "02-29",
    "03-01",
    "03-31",
    "06-30",
    "07-01",
)
DAYS = [date.fromisoformat(f"{year}-{day}") for year in (1972, 2024) for day in EDGES]
DAYS += [date.fromisoformat(f"{year}-{day}") for year in (1999, 2026, 2027) for day in EDGES if day != "02-29"]
ROWS: list[dict[str, Any]] = [
    {
        "id": number,
        "founded": day,
        "seen_at": datetime.combine(day, time(23, 59, 59, 999999)),
        "paid_at": datetime.combine(day, LATE, tzinfo=UTC),
    }
    for number, day in enumerate(DAYS, 1)
]
ROWS.append({"id": 0, "founded": None, "seen_at": None, "paid_at": None})
NOWS = (
    "2026-12-19T23:30:00Z",
    "2027-02-27T12:00:00Z",
    "2028-02-28T12:00:00Z",
    "2028-02-29T12:00:00Z",
    "2027-03-01T12:00:00Z",
    "2027-06-30T22:15:00Z",
)


def expected(column: str, now: datetime, length: str) -> set[int]:
    last = duration(length).shift(now, PARIS, 1) if length else now  # type: ignore[union-attr]
    first, last_day = now.astimezone(PARIS).date(), last.astimezone(PARIS).date()
    ids = set()
    for row in ROWS:
        value = row[column]
        if value is not None and isinstance(value, datetime) and value.tzinfo:
            value = value.astimezone(PARIS).replace(tzinfo=None)
        if value is not None and is_anniversary(value, first, last_day):
            ids.add(row["id"])
    return ids


@pytest.mark.parametrize("slug", SLUGS)
def test_every_engine_finds_anniversaries(slug: str, files: Path, request: pytest.FixtureRequest) -> None:
    if slug in ANSWERS:
        request.getfixturevalue(slug)
    location = make(slug, files, "anniversaries", COLUMNS, ROWS)
    with location.open() as reader:
        infos = {info.name: info for info in reader.columns(table=location.table)}
        for column in ("founded", "seen_at", "paid_at"):
            for now in map(datetime.fromisoformat, NOWS):
                for length in ("", "1 day", "2 weeks", "30 days", "11 months", "13 months", "30 months"):
                    condition = (
                        {"field": column, "is": "anniversary_in", "value": length}
                        if length
                        else {"field": column, "is": "anniversary"}
                    )
                    tree = parsing.parse(condition, {name: str(info.type) for name, info in infos.items()})
                    source = statements.relation(list(infos.values()), engines[slug].dialect, table=location.table)
                    query = statements.select(
                        source, infos, ["id"], statements.where(tree, source, infos, now=now, zone=PARIS)
                    )
                    result = {int(value) for batch in reader.batches(query) for value in batch.column(0).to_pylist()}
                    assert result == expected(column, now, length), (column, now, length)


def test_a_span_of_days_is_split_at_the_turn_of_the_year_and_includes_the_leap_day() -> None:
    def days(first: str, last: str) -> list[tuple[str, str]]:
        return Anniversary(date.fromisoformat(first), date.fromisoformat(last)).days()

    assert days("2026-12-20", "2027-01-18") == [("12-20", "12-31"), ("01-01", "01-18")]
    assert days("2027-02-28", "2027-02-28") == [("02-28", "02-29")]
    assert days("2028-02-28", "2028-02-28") == [("02-28", "02-28")]
    assert days("2026-06-01", "2028-01-01") == [("01-01", "12-31")]


def test_today_is_the_current_day_in_the_zone() -> None:
    now = datetime(2026, 6, 30, 22, 15, tzinfo=UTC)
    assert anniversary(None, now, PARIS) == Anniversary(date(2026, 7, 1), date(2026, 7, 1))
    assert anniversary(duration("2 days"), now, PARIS).last - date(2026, 7, 1) == timedelta(days=2)


def test_an_anniversary_is_described_in_words_and_serialized_unchanged() -> None:
    types = {"founded": "date"}
    for condition, words in (
        ({"field": "founded", "is": "anniversary"}, "founded has its anniversary today"),
        (
            {"field": "founded", "is": "anniversary_in", "value": "30 days"},
            "founded has its anniversary in the next 30 days",
        ),
    ):
        tree = parsing.parse(condition, types)
        assert parsing.in_words(tree) == words
        assert serialization.plain(tree) == {"all": [condition]}
