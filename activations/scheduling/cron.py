"""PURE. Cron expressions as Debian's cron reads them: when they fire, also when the clocks change, and in words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
LOOK_AHEAD_DAYS = 41 * 366
"""February 29 falls on a given day of the week at least once in this time."""
_LONGEST_SHIFT = timedelta(hours=3)
"""By how much a clock is set back at most."""
_TERM = r"(?:\*|\d+|[a-z]{3})(?:-(?:\d+|[a-z]{3}))?(?:/\d+)?"
_FIELD = re.compile(rf"{_TERM}(?:,{_TERM})*", re.IGNORECASE)
_ONE_VALUE = re.compile(r"\b(\w+)-\1(?:/\d+)?(?=$|,)", re.IGNORECASE)
_ENDS_ON_SUNDAY = re.compile(r"\b(?!0-|sun-)([1-6]|[a-z]{3})-(?:sun|0)(?=$|[,/])", re.IGNORECASE)


@lru_cache(maxsize=1000)
def parse(expression: str) -> CronSim:
    """The fields of an expression, of which callers change none.

    Raises:
        Misconfigured: it doesn't have five valid fields, or names a day that doesn't exist.
    """
    parts = expression.split()
    if len(parts) != len(FIELDS):
        raise _invalid(expression, "It needs five fields, such as 0 7 * * 1-5.")
    for name, part in zip(FIELDS, parts, strict=True):
        if not _FIELD.fullmatch(part):
            raise _invalid(expression, f"The {_in_words(name)} can't be “{part}”.")
    # CronSim would take a range of one value with a step for an open range.
    parts = [_ONE_VALUE.sub(r"\1", part) for part in parts]
    parts[-1] = _ENDS_ON_SUNDAY.sub(r"\1-7", parts[-1])
    try:
        return CronSim(" ".join(parts), datetime(2024, 1, 1))  # noqa: DTZ001
    except CronSimError as error:
        name = str(error).removeprefix("Bad ").replace("-", " ")
        raise _invalid(expression, f"Check the {name}, and that the days exist in the months.") from None


def firings(expression: str, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """The moments after `after` at which the expression fires in a time zone, in UTC.

    If the minutes or the hours begin with `*`, real time counts: `*/30` fires every 30 minutes when clocks are set
    back, and not in the hour that is skipped when they are set forward. Otherwise, the time of day counts: it fires
    once, also if the time occurs twice, and at the end of the gap if the time is skipped.

    Raises:
        Misconfigured: see `parse`.
    """
    times = parse(expression)
    start = after.astimezone(zone).replace(tzinfo=None) - _LONGEST_SHIFT
    latest = after.astimezone(UTC)
    for day in _days(start.date(), start.date() + timedelta(days=LOOK_AHEAD_DAYS)):
        if day.month in times.months and times.match_day(day):
            for moment in _moments(times, day, zone, start):
                if moment > latest:
                    latest = moment
                    yield moment


def tally(expression: str, zone: tzinfo, after: datetime, until: datetime) -> tuple[datetime, datetime, int] | None:
    """The first and the last firing in (after, until], and how many there are; None if there are none.

    Days on which no clock changes are counted, not iterated over, so that years pass in milliseconds.

    Raises:
        Misconfigured: see `parse`.
    """
    times = parse(expression)
    start, end = after.astimezone(zone).replace(tzinfo=None) - _LONGEST_SHIFT, until.astimezone(zone).date()
    first, last, number = None, after, 0
    for day in _days(start.date(), end + timedelta(days=1)):
        if day.month not in times.months or not times.match_day(day):
            continue
        earliest, latest = _ends_of(times, day, zone)
        if earliest > last and latest <= until and _clocks_stay(day, zone):
            first, last, number = first or earliest, latest, number + len(times.hours) * len(times.minutes)
            continue
        for moment in _moments(times, day, zone, start):
            if last < moment <= until:
                first, last, number = first or moment, moment, number + 1
    return (first, last, number) if first else None


def fires_ever(expression: str) -> bool:
    """Whether there is a day on which it fires. Raises Misconfigured like `parse`."""
    return next(firings(expression, UTC, datetime(2024, 1, 1, tzinfo=UTC)), None) is not None


def words(expression: str) -> str:
    """The expression in words, e.g. `At 07:00 on Monday through Friday`. Raises Misconfigured like `parse`."""
    return parse(expression).explain()


def plain_fields(expression: str) -> dict[str, str]:
    """The fields without names and with Sunday as 0, by name, as any other reader of cron expressions accepts them.

    A field that begins with `*` keeps it, because that decides whether both fields for days have to match.
    """
    times = parse(expression)
    parsed = (times.minutes, times.hours, times.days, times.months, {day % 7 for day in times.weekdays})  # type: ignore[operator]
    parts = zip(FIELDS, expression.split(), parsed, strict=True)
    return {name: _plain(part, ",".join(map(str, sorted(values)))) for name, part, values in parts}


def _plain(part: str, values: str) -> str:
    first, _, more = part.partition(",")
    if not first.startswith("*"):
        return values
    return f"{first},{values}" if more else first


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _ends_of(times: CronSim, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first and the last moment of a day on which no clock changes."""
    first, last = (
        datetime(day.year, day.month, day.day, pick(times.hours), pick(times.minutes), tzinfo=zone)
        for pick in (min, max)
    )
    return first.astimezone(UTC), last.astimezone(UTC)


def _moments(times: CronSim, day: date, zone: tzinfo, start: datetime) -> Iterator[datetime]:
    """The moments of a day in order, in UTC, without local times before `start`, which are certainly over."""
    locals_ = (
        local
        for hour in sorted(times.hours)
        for minute in sorted(times.minutes)
        if (local := datetime(day.year, day.month, day.day, hour, minute)) >= start  # noqa: DTZ001
    )
    if _clocks_stay(day, zone):
        return (local.replace(tzinfo=zone).astimezone(UTC) for local in locals_)
    real_time = any(part.startswith("*") for part in times.parts[1:3])
    return iter(sorted(moment for local in locals_ for moment in _occurrences(local, zone, real_time)))


def _clocks_stay(day: date, zone: tzinfo) -> bool:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    offsets = {
        (midnight + timedelta(hours=hours)).replace(fold=fold).utcoffset() for hours in (0, 24) for fold in (0, 1)
    }
    return len(offsets) == 1


def _occurrences(local: datetime, zone: tzinfo, real_time: bool) -> Iterator[datetime]:
    """When a clock in the zone shows this time: once, twice, or never if it is skipped."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > second:
        if not real_time:
            yield _end_of_gap(local, zone)
        return
    yield first
    if real_time and second > first:
        yield second


def _end_of_gap(local: datetime, zone: tzinfo) -> datetime:
    while (moment := local.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local:
        local += timedelta(minutes=1)
    return moment


def _in_words(name: str) -> str:
    return name.removesuffix("_of_year").replace("_", " ")


def _invalid(expression: str, advice: str) -> Misconfigured:
    return Misconfigured("cron_invalid", f"“{expression}” is not a valid cron expression. {advice}", where="cron")
