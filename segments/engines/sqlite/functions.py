"""PURE. The functions that SQLite lacks: numbers and times in text, and sums that don't depend on the order of rows.

Text arrives as bytes, because SQLite stores any bytes as text, and the driver fails on any that are not UTF-8.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from segments.contract import ColumnType
from segments.sql.aggregates import DECIMALS
from segments.values import list_elements, natural, parse_timestamp

_UTC = ZoneInfo("UTC")


def as_number(value: bytes | None) -> int | float | None:
    """The number that a text contains, or None if it is not a number."""
    number = natural(value, ColumnType.NUMBER, _UTC)
    if number is None or isinstance(number, str):
        return None
    return number if isinstance(number, int) and abs(number) < 2**63 else float(number)


def is_within(value: bytes | None, first: str, last: str, first_local: str, last_local: str) -> bool:
    """Whether a time in text lies between two others, both inclusive.

    Args:
        first, last: in UTC, for a text with a time zone.
        first_local, last_local: in the source's zone, for a text without one.
    """
    parsed = _parsed_time(value, None)
    if parsed is None:
        return False
    if parsed.tzinfo is None:
        return first_local <= parsed.isoformat(" ", "microseconds") <= last_local
    try:
        return first <= parsed.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds") <= last
    except OverflowError:
        return False


def as_utc(value: bytes | None, zone: str) -> str | None:
    """A time in text, converted to UTC in one format so that it sorts, or None if it is not a time.

    Args:
        zone: the source's, for a text without one.
    """
    parsed = _parsed_time(value, ZoneInfo(zone))
    if parsed is None:
        return None
    try:
        return parsed.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds") + "Z"
    except OverflowError:
        return None


def month_day(value: bytes | None, zone: str) -> str | None:
    """The month and day of a time in text in a zone, such as "01-31", or None if it is not a time.

    Args:
        zone: the zone of the result, and of a text without one.
    """
    tz = ZoneInfo(zone)
    parsed = _parsed_time(value, tz)
    try:
        return f"{parsed.astimezone(tz):%m-%d}" if parsed else None
    except OverflowError:
        return None


def lowercase(value: bytes | None) -> str | None:
    """A text in lowercase, in any alphabet. SQLite's own lower() changes only ASCII."""
    return None if value is None else _text(value).lower()


def list_has(value: bytes | None, wanted: str, every: int) -> bool:
    """Whether a text is a JSON list that contains an element of the JSON list `wanted`, or all of them.

    Args:
        every: 1 for all, 0 for at least one.
    """
    elements, wanted_elements = set() if value is None else list_elements(_text(value)), _parsed(wanted)
    return wanted_elements <= elements if every else not wanted_elements.isdisjoint(elements)


@lru_cache(maxsize=64)
def _parsed(wanted: str) -> frozenset[str]:
    return frozenset(json.loads(wanted))


def _parsed_time(value: bytes | None, zone: ZoneInfo | None) -> datetime | None:
    return None if value is None else parse_timestamp(_text(value), zone)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


class ExactSum:
    """An aggregate: the sum of numbers, exact until it is rounded once at the end, in constant memory."""

    def __init__(self) -> None:
        self.whole = 0
        self.partials: list[float] = []
        """Numbers whose exact sum is that of all floating-point numbers so far: at most a few dozen (Shewchuk)."""
        self.has_fractional = False
        self.count = 0

    def step(self, value: int | float | None) -> None:
        """Adds one row's number. Null is ignored."""
        if value is None:
            return
        self.count += 1
        if isinstance(value, int):
            self.whole += value
        else:
            self.has_fractional = True
            self.partials = _added(self.partials, value)

    def total(self) -> float:
        """The sum, rounded once."""
        return math.fsum([*self.partials, self.whole])

    def finalize(self) -> int | float | None:
        if not self.count:
            return None
        if self.has_fractional or abs(self.whole) >= 2**63:
            return round(self.total(), DECIMALS)
        return self.whole


class ExactAverage(ExactSum):
    """An aggregate: the sum divided by the number of rows that have a number."""

    def finalize(self) -> float | None:
        return round(self.total() / self.count, DECIMALS) if self.count else None


def _added(partials: list[float], value: float) -> list[float]:
    """Numbers with the same exact sum as `partials` and `value`, none of which overlaps another in its digits."""
    added = []
    for partial in partials:
        if abs(value) < abs(partial):
            value, partial = partial, value
        total = value + partial
        if rest := partial - (total - value):
            added.append(rest)
        value = total
    return [*added, value]
