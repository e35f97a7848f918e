"""PURE. Natural Python values from what a source returns: native values, or the source's text."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

# One grammar for typed values in text, on every engine, so that values, conditions and type discovery agree.
INTEGER = r"-?(0|[1-9][0-9]*)"
NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
LOCAL = DATE + r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?"
OFFSET = r" ?(Z|[-+][0-9]{2}(:?[0-9]{2})?)"
ZONED = DATE + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?" + OFFSET
TRUE = ("t", "true", "1")
FALSE = ("f", "false", "0")
LARGEST_EXPONENT = 300
"""A number with a larger exponent stays text, because 1e999999999 written out would have a billion digits."""
NOT_A_NUMBER = ("nan", "inf", "-inf", "infinity", "-infinity")

_INTEGER, _NUMBER, _DATE, _LOCAL, _ZONED = (
    re.compile(pattern, re.ASCII) for pattern in (INTEGER, NUMBER, DATE, LOCAL, ZONED)
)


def natural(value: Any, column_type: ColumnType, zone: ZoneInfo) -> Any:
    """The natural Python value: str, int, float, Decimal, bool, date, datetime (with a zone), list, dict or None.

    A value that can't be read as its column's type is returned as text, unchanged. Whether it is acceptable is decided
    where it is converted for a destination.

    Args:
        zone: the source's time zone, for times without a zone.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return _READERS[column_type](value, zone)


def parse_timestamp(text: str, zone: ZoneInfo | None) -> datetime | None:
    """Parses a timestamp, in `zone` if it has no zone of its own; None if it is not a valid timestamp."""
    if not _LOCAL.fullmatch(text) and not _ZONED.fullmatch(text):
        return None
    try:
        parsed = datetime.fromisoformat(text[:11] + text[11:].replace(" ", ""))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)


def list_elements(text: str) -> set[str]:
    """The elements of a JSON list, as the text by which they are compared: 1.50 as written.

    Nested lists and objects are ignored.
    """
    try:
        items = json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        return set()
    plain = (item for item in items if isinstance(item, str | int)) if isinstance(items, list) else ()
    return {item if isinstance(item, str) else json.dumps(item) for item in plain}


def elements(lists: Sequence[tuple[str | None, int]], search: str) -> list[tuple[str, int]]:
    """The elements of lists whose text contains `search`, the most frequent first.

    Args:
        lists: JSON documents, each with the number of rows that have it. Documents that are not lists are ignored.
    """
    counts: Counter[str] = Counter()
    for document, rows in lists:
        for text in list_elements(document or ""):
            if search.lower() in text.lower():
                counts[text] += rows
    return sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))


def _text(value: Any, _zone: ZoneInfo) -> Any:
    return value if isinstance(value, str) else str(value)


def _number(value: Any, _zone: ZoneInfo) -> Any:
    if isinstance(value, str):
        return _number_of_text(value)
    if isinstance(value, float | Decimal):
        return _shortest(value)
    return int(value) if isinstance(value, int) else str(value)


def _number_of_text(text: str) -> Any:
    try:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            number = Decimal(text)
            return _shortest(number) if abs(number.adjusted()) <= LARGEST_EXPONENT else text
    except (ValueError, ArithmeticError):
        return text
    return None if text.lower() in NOT_A_NUMBER else text


def _shortest(value: float | Decimal) -> float | Decimal | None:
    """A float if it represents the number exactly, otherwise a Decimal; None if it is not finite.

    Engines with and without decimals agree this way: 12.50 is the float 12.5 whether the source has a decimal or a
    double, but 12345678901234567.89 stays a Decimal, because a float would round it.
    """
    if not math.isfinite(value):
        return None
    return float(value) if isinstance(value, float) or Decimal(repr(float(value))) == value else value


def _boolean(value: Any, _zone: ZoneInfo) -> Any:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    return str(value)


def _date(value: Any, _zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value if isinstance(value, date) else str(value)


def _timestamp(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time.min, tzinfo=zone)
    return parse_timestamp(str(value), zone) or str(value)


def _nested(value: Any, _zone: ZoneInfo) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return value


_READERS: dict[ColumnType, Callable[[Any, ZoneInfo], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _number,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.TIMESTAMP: _timestamp,
    ColumnType.LIST: _nested,
    ColumnType.OBJECT: _nested,
}
