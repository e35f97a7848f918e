"""Cron expressions, compared with an independent reading of cron: every minute of real time around clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from hypothesis import example, given, settings
from hypothesis import strategies as st

from activations.scheduling import cron
from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = timedelta(minutes=1)
CHANGES = {
    "Europe/Paris": [date(2026, 3, 29), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "America/Havana": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
    "Antarctica/Troll": [date(2026, 3, 29), date(2026, 10, 25)],
    "Asia/Kathmandu": [date(2026, 3, 29)],
    "Pacific/Apia": [date(2011, 12, 30)],
}
"""Days around which clocks change: by an hour, at midnight, by half an hour, by two hours, never, by a whole day."""
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def values(field: str, low: int, high: int) -> set[int]:
    """The values that a field stands for, term by term."""
    found: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-")
        start, stop = (low, high) if first == "*" else (int(first), int(last or (high if step else first)))
        found |= set(range(start, stop + 1, int(step or 1)))
    return found


def reading(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Looks at the clock on the wall each minute, as cron's manual describes it."""
    parts = expression.split()
    minutes, hours, days, months, weekdays = (values(part, *span) for part, span in zip(parts, RANGES, strict=True))
    both = parts[2].startswith("*") or parts[4].startswith("*")
    real_time = parts[0].startswith("*") or parts[1].startswith("*")

    def matches(wall: datetime) -> bool:
        of_month, of_week = wall.day in days, bool({wall.isoweekday() % 7, wall.isoweekday()} & weekdays)
        on_day = (of_month and of_week) if both else (of_month or of_week)
        return wall.minute in minutes and wall.hour in hours and wall.month in months and on_day

    before = start.astimezone(zone).replace(tzinfo=None)
    shown, moment = {before}, start
    while (moment := moment + MINUTE) <= end:
        wall = moment.astimezone(zone).replace(tzinfo=None)
        skipped = [before + n * MINUTE for n in range(1, int((wall - before) / MINUTE))]
        again = wall in shown and not real_time
        if (matches(wall) and not again) or (any(map(matches, skipped)) and not real_time):
            yield moment
        shown |= {wall, *skipped}
        before = wall


def term(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    step = st.integers(1, high).map(lambda n: f"/{n}")
    spans = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    return st.one_of(number.map(str), st.tuples(spans, st.just("") | step).map("".join))


def field(low: int, high: int) -> st.SearchStrategy[str]:
    star = st.just("*") | st.integers(1, high).map(lambda n: f"*/{n}")
    return star | st.lists(term(low, high), min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(*(field(*span) for span in RANGES)).map(" ".join)
PLACES = st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days])


@given(EXPRESSIONS, PLACES)
@settings(max_examples=60)
@example("*/30 * * * *", ("Europe/Paris", date(2026, 10, 25)))
@example("30 2 * * *", ("Europe/Paris", date(2026, 3, 29)))
@example("*/10 3 * * *", ("Australia/Lord_Howe", date(2026, 10, 4)))
@example("0,30 1,2 * * *", ("Antarctica/Troll", date(2026, 10, 25)))
@example("15 6 30 12 *", ("Pacific/Apia", date(2011, 12, 30)))
def test_fires_when_an_independent_reading_of_cron_does(expression: str, place: tuple[str, date]) -> None:
    zone, day = ZoneInfo(place[0]), datetime.combine(place[1], time(), UTC)
    start, end = day - timedelta(hours=14), day + timedelta(hours=30)
    try:
        found = list(takewhile(lambda moment: moment <= end, cron.firings(expression, zone, start)))
    except Misconfigured:
        found = []  # A day that doesn't exist.
    assert found == list(reading(expression, zone, start, end))


def test_every_half_hour_has_no_hole_in_autumn_and_nothing_twice_in_spring() -> None:
    paris = ZoneInfo("Europe/Paris")
    for night in (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 3, 28, 22, tzinfo=UTC)):
        firings = cron.firings("*/30 * * * *", paris, night)
        times = [next(firings) for _ in range(12)]
        assert times == [night + timedelta(minutes=30 * n) for n in range(1, 13)]


def firings(expression: str, number: int) -> list[str]:
    found = cron.firings(expression, UTC, datetime(2026, 6, 1, tzinfo=UTC))
    return [f"{next(found):%a %d %b}" for _ in range(number)]


def test_either_of_two_given_days_is_enough() -> None:
    assert firings("0 7 1 * 1", 4) == ["Mon 01 Jun", "Mon 08 Jun", "Mon 15 Jun", "Mon 22 Jun"]
    assert firings("0 7 3 * fri", 3) == ["Wed 03 Jun", "Fri 05 Jun", "Fri 12 Jun"]


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN", "sun-sun"])
def test_sunday_has_several_names(sunday: str) -> None:
    assert firings(f"0 7 * * {sunday}", 2) == ["Sun 07 Jun", "Sun 14 Jun"]


def test_days_and_months_can_be_named() -> None:
    assert firings("0 7 * jul mon-wed", 4) == ["Wed 01 Jul", "Mon 06 Jul", "Tue 07 Jul", "Wed 08 Jul"]
    assert firings("0 7 * * sat-sun", 3) == ["Sat 06 Jun", "Sun 07 Jun", "Sat 13 Jun"]


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "0 0 L * *", "0 0 * * 5L",
     "0 0 * * mon#2", "@daily", "*/0 * * * *", "5-1 * * * *", "0 7 * * monday", "0 7 31 2 *", "0 7 31 4,6 *",
     "a b c d e", "0 0 0 0 0 0", "-1 * * * *", "1,,2 * * * *", "٣ * * * *"],
)  # fmt: skip
def test_what_is_no_cron_expression_is_refused_in_words(expression: str) -> None:
    with pytest.raises(Misconfigured, match="is not a valid cron expression"):
        cron.fires_ever(expression)


def test_expression_is_put_into_words() -> None:
    assert cron.words("0 7 1 * 1") == "At 07:00 on the first day of month and on Monday"
    assert cron.words("0 7 * * 7") == "At 07:00 on Sunday"


@given(EXPRESSIONS)
@settings(max_examples=40)
@example("*/2,5 * *,3 jan,feb 7")
def test_stored_fields_mean_the_same_to_us_and_can_be_read_by_celery(expression: str) -> None:
    try:
        plain = cron.plain_fields(expression)
    except Misconfigured:
        return
    crontab(**plain)
    first, second = (
        cron.firings(each, UTC, datetime(2026, 6, 1, tzinfo=UTC)) for each in (expression, " ".join(plain.values()))
    )
    assert [next(first, None) for _ in range(5)] == [next(second, None) for _ in range(5)]


@given(EXPRESSIONS, PLACES, st.integers(0, 4 * 1440), st.integers(0, 9 * 1440))
@settings(max_examples=150, deadline=None)
def test_counting_agrees_with_listing(expression: str, place: tuple[str, date], begin: int, length: int) -> None:
    zone, day = ZoneInfo(place[0]), place[1]
    after = datetime.combine(day, time(), UTC) - timedelta(days=3) + timedelta(minutes=begin)
    until = after + timedelta(minutes=length)
    try:
        listed = list(takewhile(lambda moment: moment <= until, cron.firings(expression, zone, after)))
    except Misconfigured:
        return
    assert cron.tally(expression, zone, after, until) == ((listed[0], listed[-1], len(listed)) if listed else None)


def test_a_decade_of_minutes_is_counted_not_iterated_over() -> None:
    after = datetime(2016, 1, 1, tzinfo=UTC)
    found = cron.tally("* * * * *", ZoneInfo("Europe/Paris"), after, datetime(2026, 1, 1, tzinfo=UTC))
    assert found == (after + MINUTE, datetime(2026, 1, 1, tzinfo=UTC), 3653 * 1440)
