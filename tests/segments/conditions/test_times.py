"""Durations and spans of time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from segments.conditions.times import Days, Duration, day_span, duration, time_span

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "length", "sign", "then"),
    [
        ("2026-03-31T10:00:00Z", "1 month", -1, "2026-02-28T12:00:00+01:00"),
        ("2024-03-31T10:00:00Z", "1 month", -1, "2024-02-29T12:00:00+01:00"),
        ("2026-03-31T10:00:00Z", "13 months", -1, "2025-02-28T12:00:00+01:00"),
        ("2026-01-31T10:00:00Z", "2 months", 1, "2026-03-31T11:00:00+02:00"),
        ("2026-03-29T10:00:00Z", "1 day", -1, "2026-03-28T12:00:00+01:00"),
        ("2026-03-29T10:00:00Z", "24 hours", -1, "2026-03-28T10:00:00Z"),
        ("2026-03-29T10:00:00Z", "90 minutes", 1, "2026-03-29T11:30:00Z"),
        ("2026-01-08T10:00:00Z", "1 week", -1, "2026-01-01T10:00:00Z"),
    ],
)
def test_months_and_days_follow_the_calendar_and_hours_are_elapsed_time(
    now: str, length: str, sign: int, then: str
) -> None:
    parsed = duration(length)
    assert parsed is not None
    assert parsed.shift(at(now), PARIS, sign) == at(then)


@pytest.mark.parametrize("text", ["", "days", "0 days", "1.5 days", "30", "30 years", "-1 day", "10000 days"])
def test_text_that_is_not_a_duration_is_not_parsed(text: str) -> None:
    assert duration(text) is None


def test_a_duration_is_printed_with_its_unit() -> None:
    assert (str(Duration(1, "day")), str(Duration(2, "month"))) == ("1 day", "2 months")


def test_today_is_the_current_day_in_the_source_zone() -> None:
    late = at("2026-01-01T23:30:00Z")
    assert day_span("in_the_last", Duration(1, "day"), late, PARIS) == Days(date(2026, 1, 1), date(2026, 1, 2))
    assert day_span("in_the_last", Duration(1, "day"), late, ZoneInfo("UTC")) == Days(
        date(2025, 12, 31), date(2026, 1, 1)
    )


def test_the_day_of_a_timestamp_begins_and_ends_in_the_source_zone() -> None:
    span = time_span("on", date(2026, 3, 29), at("2026-01-01T00:00:00Z"), PARIS)
    assert span.utc() == (at("2026-03-28T23:00:00Z"), at("2026-03-29T21:59:59.999999Z"))
    assert span.local(PARIS) == (at("2026-03-29T00:00:00"), at("2026-03-29T23:59:59.999999"))


def test_in_the_last_and_more_than_ago_neither_overlap_nor_leave_a_gap() -> None:
    now = at("2026-03-31T10:00:00Z")
    last, before = (
        time_span(operator, Duration(1, "month"), now, PARIS) for operator in ("in_the_last", "more_than_ago")
    )
    assert last.first is not None
    assert before.last is not None
    assert (last.first.astimezone(UTC) - before.last).total_seconds() == 1e-6
