"""PURE. Parses dates and times from natural values and ISO 8601 text, and formats them in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

_YEAR = re.compile(r"\d{4}", re.ASCII)
_YEAR_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


def to_utc(value: Any) -> datetime | None:
    """The value as a time in UTC, or None if it is not a date or time.

    Text without a time zone is taken as UTC, and a missing month or day as the first: "2024" is January 1, 2024.
    """
    if isinstance(value, datetime):
        time: datetime | None = value
    elif isinstance(value, date):
        time = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        time = _parse(value.strip()) if isinstance(value, str) else None
    if time is None or time.tzinfo is None:
        return time and time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None


def iso_utc(time: datetime) -> str:
    """The time in ISO 8601: UTC with a Z, and with microseconds unless they are zero."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _parse(text: str) -> datetime | None:
    if _YEAR.fullmatch(text):
        text += "-01-01"
    elif _YEAR_MONTH.fullmatch(text):
        text += "-01"
    elif text.endswith(" UTC"):
        text = text[:-4] + "Z"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
