"""PURE. The spans of time that date conditions mean, in the zone of the source."""

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
    """A length of time. Minutes and hours are elapsed time; days, weeks and months go by the calendar of the source's zone.

    A month before March 31 is the last day of February.
    """

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def shift(self, now: datetime, zone: ZoneInfo, sign: int) -> datetime:
        """The moment this long after (`sign` 1) or before (-1) now."""
        steps = sign * self.count
        if self.unit in ("minute", "hour"):
            return now + timedelta(**{f"{self.unit}s": steps})
        local = now.astimezone(zone)
        if self.unit == "month":
            return _months(local, steps)
        return local + timedelta(**{f"{self.unit}s": steps})


@dataclass(frozen=True)
class Days:
    """From the first to the last date, both included."""

    first: date = date.min
    last: date = date.max


@dataclass(frozen=True)
class Moments:
    """From the first to the last moment, both included, to the microsecond; None is without end."""

    first: datetime | None = None
    last: datetime | None = None

    def utc(self) -> tuple[datetime, datetime]:
        """Both ends in UTC."""
        first = self.first.astimezone(UTC) if self.first else datetime.min.replace(tzinfo=UTC)
        last = self.last.astimezone(UTC) if self.last else datetime.max.replace(tzinfo=UTC)
        return first, last

    def local(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Both ends as the clocks of `zone` show them, without a zone."""
        first = self.first.astimezone(zone).replace(tzinfo=None) if self.first else datetime.min  # noqa: DTZ901
        last = self.last.astimezone(zone).replace(tzinfo=None) if self.last else datetime.max  # noqa: DTZ901
        return first, last


@dataclass(frozen=True)
class Anniversary:
    """The days from `first` to `last`, on which earlier ones come round: the same day of a later year.

    What is of February 29 comes round on February 28 where the year has no such day.
    """

    first: date
    last: date

    @property
    def latest(self) -> date:
        """The latest day that comes round on one of them."""
        return max(self.first - timedelta(days=1), _day(self.last.year - 1, self._end, "02-28"))

    @property
    def _end(self) -> str:
        end = f"{self.last:%m-%d}"
        return LEAP_DAY if end == "02-28" and not calendar.isleap(self.last.year) else end

    def days(self) -> list[tuple[str, str]]:
        """Stretches of the year, their first and last day as text: [("12-20", "12-31"), ("01-01", "01-18")]."""
        first, last = f"{self.first:%m-%d}", self._end
        if self.first.year == self.last.year:
            return [(first, last)]
        return [(first, "12-31"), ("01-01", last)] if self.last.year == self.first.year + 1 else [("01-01", "12-31")]

    def spans(self, years: Iterable[int], zone: ZoneInfo) -> list[Moments]:
        """The same in each of these years, as moments."""
        return [
            Moments(_first(_day(year, first, "03-01"), zone), _last(_day(year, last, "02-28"), zone))
            for year in years
            for first, last in self.days()
        ]


Operand = date | datetime | Duration | tuple[date | datetime, ...]


def duration(text: str) -> Duration | None:
    """Reads "30 days"; None where it is no duration."""
    found = _DURATION.fullmatch(text.strip())
    return Duration(int(found[1]), found[2].lower()) if found and int(found[1]) else None


def days(operator: str, operand: Operand, now: datetime, zone: ZoneInfo) -> Days:
    """The dates that a condition on a date column means; today is `now` in `zone`."""
    today = now.astimezone(zone).date()
    if isinstance(operand, Duration):
        back = operand.shift(now, zone, -1).astimezone(zone).date()
        ahead = operand.shift(now, zone, 1).astimezone(zone).date()
        return {
            "in_the_last": Days(back, today),
            "in_the_next": Days(today, ahead),
            "more_than_ago": Days(last=back - timedelta(days=1)),
        }[operator]
    first, last = operand if isinstance(operand, tuple) else (operand, operand)
    return {
        "on": Days(first, last),
        "between": Days(first, last),
        "before": Days(last=first - timedelta(days=1)),
        "after": Days(first=last + timedelta(days=1)),
    }[operator]


def moments(operator: str, operand: Operand, now: datetime, zone: ZoneInfo) -> Moments:
    """The moments that a condition on a timestamp column means. A date stands for that whole day in `zone`."""
    if isinstance(operand, Duration):
        back, ahead = operand.shift(now, zone, -1), operand.shift(now, zone, 1)
        return {
            "in_the_last": Moments(back, now),
            "in_the_next": Moments(now, ahead),
            "more_than_ago": Moments(last=_tick(back, -1)),
        }[operator]
    start, end = operand if isinstance(operand, tuple) else (operand, operand)
    first, last = _first(start, zone), _last(end, zone)
    return {
        "on": Moments(first, last),
        "between": Moments(first, last),
        "before": Moments(last=_tick(first, -1)),
        "after": Moments(first=_tick(last, 1)),
    }[operator]


def anniversary(length: Duration | None, now: datetime, zone: ZoneInfo) -> Anniversary:
    """Today in `zone`, or the days from today to the end of a length of time."""
    ahead = length.shift(now, zone, 1) if length else now
    return Anniversary(now.astimezone(zone).date(), ahead.astimezone(zone).date())


def _day(year: int, day: str, instead: str) -> date:
    """A day such as "02-29" of a year, or another one where it has none."""
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
    # Through UTC: adding to a local time goes by the wall clock, which jumps twice a year.
    return value.astimezone(UTC) + sign * _TICK


def _months(value: datetime, count: int) -> datetime:
    year, month = divmod(value.year * 12 + value.month - 1 + count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))
