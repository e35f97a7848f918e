"""PURE. The dates and times that a condition on a date or timestamp covers, in the source's time zone."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

_DURATION = re.compile(r"([0-9]{1,4}) *(minute|hour|day|week|month)s?", re.IGNORECASE)
_TICK = timedelta(microseconds=1)
LEAP_DAY = "02-29"


@dataclass(frozen=True)
class Duration:
    """A length of time. Minutes and hours are elapsed time; days, weeks and months follow the source zone's calendar.

    For example, one day before noon is always noon of the previous day, even if a clock change made that day 23 hours
    long, and one month before March 31 is the last day of February.
    """

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def shift(self, now: datetime, zone: ZoneInfo, sign: int) -> datetime:
        """The time this long after (`sign` 1) or before (-1) now."""
        steps = sign * self.count
        if self.unit in ("minute", "hour"):
            return now + timedelta(**{f"{self.unit}s": steps})
        local = now.astimezone(zone)
        if self.unit == "month":
            return _months(local, steps)
        return local + timedelta(**{f"{self.unit}s": steps})


@dataclass(frozen=True)
class Days:
    """From the first to the last date, inclusive."""

    first: date = date.min
    last: date = date.max


@dataclass(frozen=True)
class TimeSpan:
    """From the first to the last time, inclusive, to the microsecond; None means unbounded."""

    first: datetime | None = None
    last: datetime | None = None

    def utc(self) -> tuple[datetime, datetime]:
        """Both ends in UTC."""
        first = self.first.astimezone(UTC) if self.first else datetime.min.replace(tzinfo=UTC)
        last = self.last.astimezone(UTC) if self.last else datetime.max.replace(tzinfo=UTC)
        return first, last

    def local(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Both ends in local time of `zone`, without a zone."""
        first = self.first.astimezone(zone).replace(tzinfo=None) if self.first else datetime.min  # noqa: DTZ901
        last = self.last.astimezone(zone).replace(tzinfo=None) if self.last else datetime.max  # noqa: DTZ901
        return first, last


@dataclass(frozen=True)
class Anniversary:
    """The days from `first` to `last`, as anniversaries of earlier dates: the same month and day in a later year.

    The anniversary of February 29 is February 28 if the year has no February 29.
    """

    first: date
    last: date

    @property
    def latest(self) -> date:
        """The latest date that has an anniversary on one of these days.

        SQL compares only month and day, so the year needs a bound of its own. Usually that is the day before `first`:
        December 25, 2026 has no anniversary between December 20, 2026 and January 18, 2027. If the days span more than
        a year, dates up to a year before `last` have one too.
        """
        return max(self.first - timedelta(days=1), _day(self.last.year - 1, self._end, "02-28"))

    @property
    def _end(self) -> str:
        end = f"{self.last:%m-%d}"
        return LEAP_DAY if end == "02-28" and not calendar.isleap(self.last.year) else end

    def days(self) -> list[tuple[str, str]]:
        """The parts of a year that are covered, by first and last day: [("12-20", "12-31"), ("01-01", "01-18")].

        Text in this form sorts like the days of a year, so SQL can compare it with the month and day of any date.
        """
        first, last = f"{self.first:%m-%d}", self._end
        if self.first.year == self.last.year:
            return [(first, last)]
        return [(first, "12-31"), ("01-01", last)] if self.last.year == self.first.year + 1 else [("01-01", "12-31")]

    def spans(self, years: Iterable[int], zone: ZoneInfo) -> list[TimeSpan]:
        """The same days in each of these years, as spans of time."""
        return [
            TimeSpan(_first(_day(year, first, "03-01"), zone), _last(_day(year, last, "02-28"), zone))
            for year in years
            for first, last in self.days()
        ]


Operand = date | datetime | Duration | tuple[date | datetime, ...]


def duration(text: str) -> Duration | None:
    """Parses text such as "30 days"; None if it is not a duration."""
    match = _DURATION.fullmatch(text.strip())
    return Duration(int(match[1]), match[2].lower()) if match and int(match[1]) else None


def day_span(operator: str, operand: Operand, now: datetime, zone: ZoneInfo) -> Days:
    """The dates that a condition on a date column covers; today is `now` in `zone`."""
    today = now.astimezone(zone).date()
    if isinstance(operand, Duration):
        past = operand.shift(now, zone, -1).astimezone(zone).date()
        future = operand.shift(now, zone, 1).astimezone(zone).date()
        return {
            "in_the_last": Days(past, today),
            "in_the_next": Days(today, future),
            "more_than_ago": Days(last=past - timedelta(days=1)),
        }[operator]
    first, last = operand if isinstance(operand, tuple) else (operand, operand)
    return {
        "on": Days(first, last),
        "between": Days(first, last),
        "before": Days(last=first - timedelta(days=1)),
        "after": Days(first=last + timedelta(days=1)),
    }[operator]


def time_span(operator: str, operand: Operand, now: datetime, zone: ZoneInfo) -> TimeSpan:
    """The times that a condition on a timestamp column covers. A date means that whole day in `zone`."""
    if isinstance(operand, Duration):
        past, future = operand.shift(now, zone, -1), operand.shift(now, zone, 1)
        return {
            "in_the_last": TimeSpan(past, now),
            "in_the_next": TimeSpan(now, future),
            "more_than_ago": TimeSpan(last=_tick(past, -1)),
        }[operator]
    start, end = operand if isinstance(operand, tuple) else (operand, operand)
    first, last = _first(start, zone), _last(end, zone)
    return {
        "on": TimeSpan(first, last),
        "between": TimeSpan(first, last),
        "before": TimeSpan(last=_tick(first, -1)),
        "after": TimeSpan(first=_tick(last, 1)),
    }[operator]


def anniversary(length: Duration | None, now: datetime, zone: ZoneInfo) -> Anniversary:
    """Today in `zone`, or the days from today to the end of `length`."""
    end = length.shift(now, zone, 1) if length else now
    return Anniversary(now.astimezone(zone).date(), end.astimezone(zone).date())


def _day(year: int, day: str, instead: str) -> date:
    """The day "MM-DD" of a year; `instead` if it is February 29 and the year has none."""
    return date.fromisoformat(f"{year}-{instead if day == LEAP_DAY and not calendar.isleap(year) else day}")


def _first(value: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    return datetime.combine(value, time.min, tzinfo=zone)


def _last(value: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(value, datetime):
        return _first(value, zone)
    return _tick(_first(value + timedelta(days=1), zone), -1)


def _tick(value: datetime, sign: int) -> datetime:
    # In UTC, because adding to a local time follows the wall clock, which jumps twice a year.
    return value.astimezone(UTC) + sign * _TICK


def _months(value: datetime, count: int) -> datetime:
    year, month = divmod(value.year * 12 + value.month - 1 + count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))
