"""PURE. Days and moments in UTC, from natural values and from text in ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

_YEAR = re.compile(r"\d{4}", re.ASCII)
_YEAR_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


def moment(value: Any) -> datetime | None:
    """A moment in UTC, or None where the value tells none.

    Text without a zone is taken for UTC, and what it leaves out for the first: "2024" is the first of January.
    """
    if isinstance(value, datetime):
        found: datetime | None = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        found = _parsed(value.strip()) if isinstance(value, str) else None
    if found is None or found.tzinfo is None:
        return found and found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def instant(found: datetime) -> str:
    """The one way to write a moment: UTC with a Z, microseconds where there are any."""
    return found.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _parsed(text: str) -> datetime | None:
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
