"""Slots: a table of schedules and times, with the runs that each one stands for.

Each case is a schedule, the time from which slots are not settled yet, the time of looking, and the moments that are
due, in UTC. The expectations are written by hand, from a calendar and the dates on which clocks change.
"""

# ruff: noqa: E501 - a case is one line

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from activations.scheduling.slots import Slots, Timing, due, length, upcoming


class Case(NamedTuple):
    """One case.

    Args:
        says: what it shows.
        when: an interval such as `45 minutes`, or a cron expression.
        zone: the time zone.
        span: from when to when, as `2026-03-28 23:00/2026-03-29 03:00`.
        expected: the slots, as `03-29 00:30 01:00, 03-30 00:30`, or `number × first … last`.
        anchor: the moment from which an interval counts; the start of the span if there is none.
        starts, ends: the bounds of the schedule.
    """

    says: str
    when: str
    zone: str
    span: str
    expected: str
    anchor: str = ""
    starts: str = ""
    ends: str = ""


PARIS, NEW_YORK, INDIA, NEPAL = "Europe/Paris", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"
LORD_HOWE, ADELAIDE, HAVANA, APIA = "Australia/Lord_Howe", "Australia/Adelaide", "America/Havana", "Pacific/Apia"
ST_JOHNS, CHATHAM, TROLL = "America/St_Johns", "Pacific/Chatham", "Antarctica/Troll"
SPRING, AUTUMN = "2026-03-29 00:00/2026-03-29 04:00", "2026-10-25 00:00/2026-10-25 04:00"
WEEKDAYS = "1,2,3,4,5"

CASES = [
    # Intervals: real time, also where they don't divide an hour or a day.
    Case("every minute", "1 minutes", "UTC", "2026-06-01 10:00/2026-06-01 10:03", "06-01 10:01 10:02 10:03"),
    Case("45 minutes", "45 minutes", "UTC", "2026-06-01 10:00/2026-06-01 13:00", "06-01 10:45 11:30 12:15 13:00"),
    Case("7 minutes", "7 minutes", "UTC", "2026-06-01 10:50/2026-06-01 11:12", "06-01 10:57 11:04 11:11"),
    Case("50 minutes over midnight", "50 minutes", "UTC", "2026-06-01 23:00/2026-06-02 01:30", "06-01 23:50, 06-02 00:40 01:30"),
    Case("5 hours don't divide a day", "5 hours", "UTC", "2026-06-01 20:00/2026-06-02 12:00", "06-02 01:00 06:00 11:00"),
    Case("7 days", "7 days", "UTC", "2026-02-20 08:00/2026-03-08 00:00", "02-27 08:00, 03-06 08:00"),
    Case("45 minutes while clocks go forward", "45 minutes", PARIS, SPRING, "03-29 00:45 01:30 02:15 03:00 03:45"),
    Case("45 minutes while clocks go back", "45 minutes", PARIS, AUTUMN, "10-25 00:45 01:30 02:15 03:00 03:45"),
    Case("a day is 24 hours, also in spring", "1 days", PARIS, "2026-03-28 12:00/2026-03-31 00:00", "03-29 12:00, 03-30 12:00"),
    Case("over the leap day", "12 hours", "UTC", "2028-02-28 12:00/2028-03-01 12:00", "02-29 00:00 12:00, 03-01 00:00 12:00"),
    Case("counts from its anchor, not from the look", "20 minutes", "UTC", "2026-06-01 10:13/2026-06-01 11:00", "06-01 10:20 10:40 11:00", anchor="2026-06-01 09:00"),
    Case("its anchor itself is no slot", "20 minutes", "UTC", "2026-06-01 08:00/2026-06-01 09:30", "06-01 09:20", anchor="2026-06-01 09:00"),
    Case("not due yet", "45 minutes", "UTC", "2026-06-01 10:00/2026-06-01 10:44", ""),
    Case("a slot that is settled is not due again", "45 minutes", "UTC", "2026-06-01 10:45/2026-06-01 10:46", "", anchor="2026-06-01 10:00"),
    Case("a restart within the interval keeps it", "45 minutes", "UTC", "2026-06-01 10:45/2026-06-01 11:31", "06-01 11:30", anchor="2026-06-01 10:00"),
    Case("down for half a year", "1 minutes", "UTC", "2026-01-01 00:00/2026-07-01 00:00", "260640 × 01-01 00:01 … 07-01 00:00"),
    Case("down for ten years", "45 minutes", "UTC", "2016-01-01 00:00/2026-01-01 00:00", "116896 × 01-01 00:45 … 01-01 00:00"),
    # The clock stepping back.
    Case("the clock is behind the mark", "1 minutes", "UTC", "2026-06-01 10:05/2026-06-01 10:02", "", anchor="2026-06-01 10:00"),
    Case("the clock is behind the mark of a cron schedule", "* * * * *", "UTC", "2026-06-01 10:05/2026-06-01 10:02", ""),
    Case("the clock has reached the mark again", "1 minutes", "UTC", "2026-06-01 10:05/2026-06-01 10:06", "06-01 10:06", anchor="2026-06-01 10:00"),
    # Start and end.
    Case("an interval begins with its start", "6 hours", "UTC", "2026-06-01 00:00/2026-06-02 03:00", "06-01 08:00 14:00 20:00, 06-02 02:00", starts="2026-06-01 08:00"),
    Case("nothing before the start", "6 hours", "UTC", "2026-06-01 00:00/2026-06-01 07:59", "", starts="2026-06-01 08:00"),
    Case("long after the start", "7 hours", "UTC", "2026-06-03 00:00/2026-06-03 12:00", "06-03 02:00 09:00", starts="2026-06-01 08:00"),
    Case("the end is included", "1 hours", "UTC", "2026-06-01 00:00/2026-06-01 09:00", "06-01 01:00 02:00", ends="2026-06-01 02:00"),
    Case("nothing after the end", "1 hours", "UTC", "2026-06-01 02:00/2026-06-01 09:00", "", ends="2026-06-01 02:00"),
    Case("cron from its start", "0 * * * *", "UTC", "2026-06-01 00:00/2026-06-01 04:00", "06-01 03:00 04:00", starts="2026-06-01 03:00"),
    Case("cron until its end", "0 * * * *", "UTC", "2026-06-01 00:00/2026-06-01 04:00", "06-01 01:00 02:00", ends="2026-06-01 02:59"),
    Case("a start within a repeated hour", "*/30 * * * *", PARIS, AUTUMN, "10-25 01:00 01:30 02:00 02:30 03:00 03:30 04:00", starts="2026-10-25 01:00"),
    Case("start and end leave one slot", "0 9 * * *", PARIS, "2026-01-01 00:00/2026-12-31 00:00", "07-14 07:00", starts="2026-07-13 08:00", ends="2026-07-15 06:59"),
    # Cron and days of the week, on ordinary days.
    Case("every minute", "* * * * *", "UTC", "2026-06-01 10:00/2026-06-01 10:03", "06-01 10:01 10:02 10:03"),
    Case("*/7 begins again each hour", "*/7 * * * *", "UTC", "2026-06-01 10:48/2026-06-01 11:08", "06-01 10:49 10:56 11:00 11:07"),
    Case("weekdays", f"0 9 * * {WEEKDAYS}", PARIS, "2026-06-04 12:00/2026-06-09 12:00", "06-05 07:00, 06-08 07:00, 06-09 07:00"),
    Case("two days", "30 18 * * 1,4", "UTC", "2026-06-01 00:00/2026-06-08 00:00", "06-01 18:30, 06-04 18:30"),
    Case("Sunday by either number", "0 0 * * 7", "UTC", "2026-06-01 00:00/2026-06-15 00:00", "06-07 00:00, 06-14 00:00"),
    Case("several times a day", "15,45 8-9 * * *", "UTC", "2026-06-01 08:20/2026-06-02 08:20", "06-01 08:45 09:15 09:45, 06-02 08:15"),
    Case("either of two given days", "0 7 1 * 1", "UTC", "2026-06-02 00:00/2026-07-02 00:00", "06-08 07:00, 06-15 07:00, 06-22 07:00, 06-29 07:00, 07-01 07:00"),
    # Half-hour and quarter-hour zones.
    Case("India", "0 9 * * *", INDIA, "2026-06-01 00:00/2026-06-03 00:00", "06-01 03:30, 06-02 03:30"),
    Case("Nepal", "0 9 * * *", NEPAL, "2026-06-01 00:00/2026-06-02 00:00", "06-01 03:15"),
    Case("the start of an hour in India", "0 * * * *", INDIA, "2026-06-01 10:00/2026-06-01 12:00", "06-01 10:30 11:30"),
    Case("Chatham Islands", "0 0 * * *", CHATHAM, "2026-06-01 00:00/2026-06-02 00:00", "06-01 11:15"),
    Case("a weekday begins earlier in India", "0 2 * * 1", INDIA, "2026-06-01 00:00/2026-06-10 00:00", "06-07 20:30"),
    Case("St. John's in summer", "0 6 * * *", ST_JOHNS, "2026-07-01 00:00/2026-07-02 00:00", "07-01 08:30"),
    Case("St. John's in winter", "0 6 * * *", ST_JOHNS, "2026-01-01 00:00/2026-01-02 00:00", "01-01 09:30"),
    Case("Adelaide before and after its change", "0 9 * * *", ADELAIDE, "2026-10-03 00:00/2026-10-05 00:00", "10-03 22:30, 10-04 22:30"),
    # The day on which clocks go forward.
    Case("09:00 stays 09:00 in spring", "0 9 * * *", PARIS, "2026-03-28 00:00/2026-03-31 00:00", "03-28 08:00, 03-29 07:00, 03-30 07:00"),
    Case("a skipped time runs at the end of the gap", "30 2 * * *", PARIS, "2026-03-28 00:00/2026-03-31 00:00", "03-28 01:30, 03-29 01:00, 03-30 00:30"),
    Case("every 30 minutes has no hole in spring", "*/30 * * * *", PARIS, "2026-03-29 00:00/2026-03-29 02:00", "03-29 00:30 01:00 01:30 02:00"),
    Case("every two hours, by the clock, in spring", "0 */2 * * *", PARIS, "2026-03-28 23:00/2026-03-29 05:00", "03-29 02:00 04:00"),
    Case("two skipped times run once", "0,30 2 * * *", PARIS, "2026-03-29 00:00/2026-03-29 04:00", "03-29 01:00"),
    Case("New York in spring", "30 2 * * *", NEW_YORK, "2026-03-08 00:00/2026-03-09 12:00", "03-08 07:00, 03-09 06:30"),
    Case("Havana skips midnight", "0 0 * * *", HAVANA, "2026-03-07 12:00/2026-03-09 12:00", "03-08 05:00, 03-09 04:00"),
    Case("Lord Howe by half an hour, in spring", "15 2 * * *", LORD_HOWE, "2026-10-03 00:00/2026-10-05 00:00", "10-03 15:30, 10-04 15:15"),
    Case("Apia skipped a whole day", "0 9 * * *", APIA, "2011-12-29 12:00/2012-01-01 00:00", "12-29 19:00, 12-30 10:00 19:00, 12-31 19:00"),
    # The day on which clocks go back.
    Case("09:00 stays 09:00 in autumn", "0 9 * * *", PARIS, "2026-10-24 00:00/2026-10-27 00:00", "10-24 07:00, 10-25 08:00, 10-26 08:00"),
    Case("a repeated time runs once", "30 2 * * *", PARIS, "2026-10-24 12:00/2026-10-26 12:00", "10-25 00:30, 10-26 01:30"),
    Case("every 30 minutes has no hole in autumn", "*/30 * * * *", PARIS, "2026-10-25 00:00/2026-10-25 02:00", "10-25 00:30 01:00 01:30 02:00"),
    Case("every hour runs in both of the repeated hours", "0 * * * *", PARIS, "2026-10-24 23:00/2026-10-25 02:00", "10-25 00:00 01:00 02:00"),
    Case("New York in autumn", "30 1 * * *", NEW_YORK, "2026-11-01 00:00/2026-11-02 12:00", "11-01 05:30, 11-02 06:30"),
    Case("Havana repeats midnight", "30 0 * * *", HAVANA, "2026-10-31 12:00/2026-11-02 12:00", "11-01 04:30, 11-02 05:30"),
    Case("Lord Howe by half an hour, in autumn", "45 1 * * *", LORD_HOWE, "2026-04-03 12:00/2026-04-06 12:00", "04-03 14:45, 04-04 14:45, 04-05 15:15"),
    Case("Troll by two hours", "30 2 * * *", TROLL, "2026-10-24 12:00/2026-10-26 12:00", "10-25 00:30, 10-26 02:30"),
    Case("a restart within the repeated hour", "30 2 * * *", PARIS, "2026-10-25 00:45/2026-10-25 12:00", ""),
    # Ends of months, the leap day and the year.
    Case("the 31st exists in seven months", "0 0 31 * *", "UTC", "2026-01-01 00:00/2027-01-01 00:00", "01-31 00:00, 03-31 00:00, 05-31 00:00, 07-31 00:00, 08-31 00:00, 10-31 00:00, 12-31 00:00"),
    Case("the 30th is left out in February", "0 0 30 * *", "UTC", "2026-01-31 00:00/2026-04-01 00:00", "03-30 00:00"),
    Case("the leap day", "0 12 29 2 *", "UTC", "2026-01-01 00:00/2033-01-01 00:00", "2 × 02-29 12:00 … 02-29 12:00"),
    Case("the first of the month is the last in New York", "0 22 31 * *", NEW_YORK, "2026-01-01 12:00/2026-04-02 00:00", "02-01 03:00, 04-01 02:00"),
    Case("New Year in Kathmandu", "0 0 1 1 *", NEPAL, "2026-06-01 00:00/2027-06-01 00:00", "12-31 18:15"),
    Case("every second day begins again each month", "0 0 */2 * *", "UTC", "2026-01-28 00:00/2026-02-04 00:00", "01-29 00:00, 01-31 00:00, 02-01 00:00, 02-03 00:00"),
    # Downtime.
    Case("down for three days", "0 9 * * *", PARIS, "2026-06-01 12:00/2026-06-04 12:00", "06-02 07:00, 06-03 07:00, 06-04 07:00"),
    Case("down for a year of minutes", "* * * * *", PARIS, "2026-01-01 00:00/2027-01-01 00:00", "525600 × 01-01 00:01 … 01-01 00:00"),
    Case("down over both changes", "0 9 * * *", PARIS, "2026-01-01 00:00/2027-01-01 00:00", "365 × 01-01 08:00 … 12-31 08:00"),
]  # fmt: skip


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def timing(case: Case) -> Timing:
    number, _, unit = case.when.partition(" ")
    is_interval = unit in ("minutes", "hours", "days")
    return Timing(
        anchored_at=moment(case.anchor or case.span.partition("/")[0]),
        every=length(int(number), unit) if is_interval else None,
        expression="" if is_interval else case.when,
        zone=ZoneInfo(case.zone),
        starts_at=moment(case.starts) if case.starts else None,
        ends_at=moment(case.ends) if case.ends else None,
    )


def listed(expected: str) -> list[str]:
    """`03-29 00:30 01:00, 03-30 00:30` as three moments."""
    days = [day.split(" ") for day in expected.split(", ")] if expected else []
    return [f"{day} {hour}" for day, *hours in days for hour in hours]


def shown(slot: datetime) -> str:
    return f"{slot.astimezone(UTC):%m-%d %H:%M}"


def test_the_table_is_large_and_names_no_case_twice() -> None:
    assert len(CASES) >= 60
    assert len({(case.says, case.when, case.zone) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.says}: {case.when}")
def test_schedule_has_the_stated_slots(case: Case) -> None:
    after, until = map(moment, case.span.split("/"))
    found = due(timing(case), after, until)
    if "×" in case.expected:
        number, _, ends = case.expected.partition(" × ")
        assert found
        assert f"{found.number} × {shown(found.first)} … {shown(found.last)}" == f"{number} × {ends}"
        return
    each = list(takewhile(lambda slot: slot <= until, upcoming(timing(case), after)))
    assert [shown(slot) for slot in each] == listed(case.expected)
    assert found == (Slots(each[0], each[-1], len(each)) if each else None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.says}: {case.when}")
def test_looking_more_often_finds_the_same_slots(case: Case) -> None:
    """Whoever looks at the slots, and however often: each is found exactly once."""
    after, until = map(moment, case.span.split("/"))
    whole, number, mark = due(timing(case), after, until), 0, after
    steps = [after + (until - after) * place / 17 for place in range(1, 18)]
    for look in steps:
        if found := due(timing(case), mark, look):
            number, mark = number + found.number, found.last
    assert number == (whole.number if whole else 0)


def test_next_runs_keep_the_time_of_day_when_clocks_change() -> None:
    paris = ZoneInfo(PARIS)
    nine = Timing(moment("2026-01-01 00:00"), expression="0 9 * * *", zone=paris)
    found = list(islice(upcoming(nine, moment("2026-10-24 00:00")), 3))
    assert [slot.astimezone(paris).strftime("%d %H:%M %Z") for slot in found] == [
        "24 09:00 CEST",
        "25 09:00 CET",
        "26 09:00 CET",
    ]


def test_schedule_that_has_ended_has_no_next_runs() -> None:
    ended = Timing(moment("2026-01-01 00:00"), every=timedelta(hours=1), ends_at=moment("2026-01-02 00:00"))
    assert list(upcoming(ended, moment("2026-01-02 00:00"))) == []
