"""PURE. What SQLite can't do by itself: numbers and times in text are read, and numbers summed whatever their order.

Text comes as its bytes: SQLite holds any, and Python would take none that are not UTF-8.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from segments.contract import ColumnType
from segments.sql.terms import DECIMALS
from segments.values import list_elements, natural, parse_timestamp

_UTC = ZoneInfo("UTC")


def as_number(value: bytes | None) -> int | float | None:
    """The number that a text spells; None where it spells none."""
    number = natural(value, ColumnType.NUMBER, _UTC)
    if number is None or isinstance(number, str):
        return None
    return number if isinstance(number, int) and abs(number) < 2**63 else float(number)


def is_within(value: bytes | None, first: str, last: str, first_local: str, last_local: str) -> bool:
    """Whether a time in text lies between two others, both included.

    Args:
        first, last: in UTC, for a text that names its zone.
        first_local, last_local: in the source's zone, for one that names none.
    """
    read = _moment(value, None)
    if read is None:
        return False
    if read.tzinfo is None:
        return first_local <= read.isoformat(" ", "microseconds") <= last_local
    try:
        return first <= read.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds") <= last
    except OverflowError:
        return False


def as_moment(value: bytes | None, zone: str) -> str | None:
    """A time in text as that moment in UTC, all written alike so that they sort; None where it is none.

    Args:
        zone: the source's, for a text that names none.
    """
    read = _moment(value, ZoneInfo(zone))
    if read is None:
        return None
    try:
        return read.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds") + "Z"
    except OverflowError:
        return None


def month_day(value: bytes | None, zone: str) -> str | None:
    """The day of a time in text, as the clocks of a zone show it: "01-31"; None where it is none.

    Args:
        zone: that of a text that names none, too.
    """
    home = ZoneInfo(zone)
    read = _moment(value, home)
    try:
        return f"{read.astimezone(home):%m-%d}" if read else None
    except OverflowError:
        return None


def small_letters(value: bytes | None) -> str | None:
    """A text in small letters, those of other alphabets than English too."""
    return None if value is None else _text(value).lower()


def list_has(value: bytes | None, wanted: str, every: int) -> bool:
    """Whether a text is a JSON list with elements that read as those of the list `wanted`: one of them, or every one."""
    held, asked = set() if value is None else list_elements(_text(value)), _asked(wanted)
    return asked <= held if every else not asked.isdisjoint(held)


@lru_cache(maxsize=64)
def _asked(wanted: str) -> frozenset[str]:
    return frozenset(json.loads(wanted))


def _moment(value: bytes | None, zone: ZoneInfo | None) -> datetime | None:
    return None if value is None else parse_timestamp(_text(value), zone)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


class ExactSum:
    """An aggregate: the sum of numbers, rounded once at its end; of whole numbers exact."""

    def __init__(self) -> None:
        self.whole = 0
        self.broken: list[float] = []
        self.count = 0

    def step(self, value: int | float | None) -> None:
        """Takes one row's number; null counts for nothing."""
        if value is None:
            return
        self.count += 1
        if isinstance(value, int):
            self.whole += value
        else:
            self.broken.append(value)

    def finalize(self) -> int | float | None:
        if not self.count:
            return None
        if self.broken or abs(self.whole) >= 2**63:
            return round(math.fsum([*self.broken, self.whole]), DECIMALS)
        return self.whole


class ExactAverage(ExactSum):
    """An aggregate: the sum divided by the number of rows that have one."""

    def finalize(self) -> float | None:
        return round(math.fsum([*self.broken, self.whole]) / self.count, DECIMALS) if self.count else None
