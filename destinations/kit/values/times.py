"""PURE. Dates and times: a time without a zone is on the source's clocks, and a day is a day on those clocks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

_YEAR = re.compile(r"\d{4}", re.ASCII)
_YEAR_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_SPACED_ZONE = re.compile(r"(?<=\d) +(?:(UTC|GMT|Z)|([+-]\d{2}(?::?\d{2})?))$", re.IGNORECASE | re.ASCII)


def parse(text: str) -> date | datetime | None:
    """A date or a time from ISO 8601 text, also with spaces around the zone, and with UTC as its name.

    Returns:
        A date if the text has no time of day; a time without a zone if the text has none; None if it is neither.
    """
    text = _SPACED_ZONE.sub(_compact_zone, text.strip())
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def parse_partial(text: str) -> date | datetime | None:
    """As `parse`, and a missing month or day is the first: "2024" is January 1, 2024."""
    text = text.strip()
    if _YEAR.fullmatch(text):
        text += "-01-01"
    elif _YEAR_MONTH.fullmatch(text):
        text += "-01"
    return parse(text)


def moment(value: date | datetime, zone: tzinfo) -> datetime | None:
    """The moment in UTC; None if it is outside of the calendar.

    Args:
        zone: of times without a zone, and of the midnight at which a date begins.
    """
    if not isinstance(value, datetime):
        value = datetime.combine(value, time.min, tzinfo=zone)
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def day(value: date | datetime, zone: tzinfo) -> date | None:
    """The day of a time on the clocks of `zone`; None if it is outside of the calendar."""
    if not isinstance(value, datetime):
        return value
    try:
        return (value.astimezone(zone) if value.tzinfo else value).date()
    except OverflowError:
        return None


def iso_utc(value: datetime) -> str:
    """The time in ISO 8601: UTC with a Z, and with microseconds unless they are zero."""
    utc = moment(value, UTC)
    return (utc.replace(tzinfo=None).isoformat() + "Z") if utc else value.isoformat()


def natural_time(value: Any, *, partial: bool = False) -> date | datetime | None:
    """A date or time that already is one, or that text spells; None for anything else."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    return parse_partial(value) if partial else parse(value)


def _compact_zone(match: re.Match[str]) -> str:
    return "Z" if match[1] else match[2]
