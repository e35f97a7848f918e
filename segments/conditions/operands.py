"""PURE. Parses the values of conditions by operator and column type, serializes them, and puts them into words."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions.times import Duration, duration
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Callable

EMPTINESS = frozenset({"empty", "not_empty"})
PLAIN = EMPTINESS | {"anniversary"}
"""Operators without a value. The others take one value, a list of them, two, or a length of time."""
LISTS = frozenset({"one_of", "none_of", "contains_any", "contains_all", "contains_none"})
PAIRS = frozenset({"between", "not_between"})
LENGTHS = frozenset({"in_the_last", "in_the_next", "more_than_ago", "anniversary_in"})
_PART_OF_TEXT = frozenset({"contains", "not_contains", "starts_with", "ends_with"})

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that databases can't store."""
MAX_VALUES = 10_000
MAX_LISTED = 12
"""Values of a list that are spelled out in a description."""
MAX_NUMBER = 10**18
MAX_DIGITS = 18
EXACT_IN_JSON = 2**53
"""Browsers round larger whole numbers, unless they are sent as text."""
MAX_DECIMALS = 9
YEARS = (1000, 9000)
MAX_DURATION_DIGITS = 4
_COUNT = re.compile(r"-?[0-9]+")
_DAY = "a date such as 2026-01-31"


def read(field: str, column_type: ColumnType, operator: str, value: Any) -> Any:
    """The value of a condition, converted: str, int, Decimal, bool, date, datetime, Duration, or a tuple of them.

    Numbers, dates and booleans may be text, as submitted by forms.

    Raises:
        Misconfigured: names the column and what would fit, never the value.
    """
    if operator in PLAIN:
        if value not in (None, ""):
            raise _invalid(field, f"“{operator}” takes no value")
        return None
    if operator in LENGTHS:
        return _length(field, value)
    if operator in LISTS:
        return _many(field, column_type, value)
    if operator in PAIRS:
        return _two(field, column_type, value)
    if operator in _PART_OF_TEXT and value == "":
        raise _invalid(field, f"“{operator}” needs some text")
    if operator == "on" and isinstance(time := _READERS[column_type](field, value), datetime):
        raise _invalid(field, f"'on' takes a date without a time, such as {time.date()}")
    return _READERS[column_type](field, value)


def plain_value(value: Any) -> Any:
    """The value as stored in JSON."""
    if isinstance(value, tuple | list):
        return [plain_value(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    is_large = isinstance(value, int) and abs(value) > EXACT_IN_JSON
    return str(value) if is_large or isinstance(value, Duration) else value


def value_in_words(operator: str, value: Any) -> str:
    """The value in words."""
    if isinstance(value, tuple | list):
        more = f" and {len(value) - MAX_LISTED:,} more" if len(value) > MAX_LISTED else ""
        items = [_quoted(value_in_words(operator, item)) for item in value[:MAX_LISTED]]
        return (" and " if operator in PAIRS else ", ").join(items) + more
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value)


def _quoted(text: str) -> str:
    """A value in a list, in quotes if a comma would make it look like two values, or if it has whitespace around it."""
    return f"“{text}”" if "," in text or text != text.strip() else text


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _invalid(field, "the value must be text (in quotes)")
    if UNSTORABLE.search(value):
        raise _invalid(field, "the text contains a character that databases can't store")
    return value


def _element(field: str, value: Any) -> str:
    """An element of a list, as the text by which elements are compared."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else _text(field, value)


def _number(field: str, value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise _invalid(field, "the value must be a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _invalid(field, "the value must be a number such as 100 or 9.5") from None
    if not number.is_finite() or number.adjusted() > MAX_DIGITS or abs(number) >= MAX_NUMBER:
        raise _invalid(field, f"the value must be a number of at most {MAX_DIGITS} digits")
    if number == int(number):
        return int(number)
    if number != round(number, MAX_DECIMALS):
        raise _invalid(field, f"the value must have at most {MAX_DECIMALS} decimal places")
    return number.normalize()


def _boolean(field: str, value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _invalid(field, "the value must be true or false")
    return value


def _date(field: str, value: Any) -> date:
    day = _timestamp(field, value, _DAY)
    if isinstance(day, datetime):
        raise _invalid(field, f"the value must be {_DAY}, without a time")
    return day


def _timestamp(
    field: str, value: Any, expected: str = f"{_DAY}, or a time such as 2026-01-31 09:00"
) -> date | datetime:
    """A date means its whole day; a time without a zone is in the source's zone."""
    parsed = value if isinstance(value, date) else _parse_time(str(value).strip())
    if parsed is None:
        raise _invalid(field, f"the value must be {expected}")
    if not YEARS[0] <= parsed.year <= YEARS[1]:
        raise _invalid(field, f"the value must be a date between the years {YEARS[0]} and {YEARS[1]}")
    return parsed


def _parse_time(text: str) -> date | datetime | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-31") else datetime.fromisoformat(text)
    except ValueError:
        return None


def _length(field: str, value: Any) -> Duration:
    length = duration(value) if isinstance(value, str) else value
    count = _COUNT.match(value.strip()) if isinstance(value, str) and not length else None
    if count and (count[0].startswith("-") or not count[0].strip("0")):
        raise _invalid(field, "the duration must be 1 or more, such as 30 days")
    if count and len(count[0]) > MAX_DURATION_DIGITS:
        longest = f"the duration can have at most {MAX_DURATION_DIGITS} digits"
        raise _invalid(field, f"{longest}; use a longer unit, such as months")
    if not isinstance(length, Duration):
        raise _invalid(field, "the value must be a duration such as 30 days (minutes, hours, days, weeks or months)")
    return length


def _many(field: str, column_type: ColumnType, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise _invalid(field, "the value must be a list such as [FR, DE]")
    if len(value) > MAX_VALUES:
        raise _invalid(field, f"the list can have at most {MAX_VALUES:,} values")
    return tuple(_READERS[column_type](field, item) for item in value)


def _two(field: str, column_type: ColumnType, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) != 2 or None in value or "" in value:
        example = "[2026-01-01, 2026-01-31]" if column_type in (ColumnType.DATE, ColumnType.TIMESTAMP) else "[1, 10]"
        raise _invalid(field, f"it takes two values, such as {example}")
    first, second = (_READERS[column_type](field, item) for item in value)
    if _is_greater(first, second):
        raise _invalid(field, "the first value is greater than the second; put the lower value first")
    return first, second


def _is_greater(first: Any, second: Any) -> bool:
    try:
        return bool(first > second)
    except TypeError:
        # A date and a time, or times with and without a zone, can only be compared in the source's zone, which is not
        # known here. Such a pair is accepted in either order.
        return False


def _invalid(field: str, what: str) -> Misconfigured:
    return Misconfigured("condition_value", f"The condition on “{field}” is not valid: {what}.", where=field)


_READERS: dict[ColumnType, Callable[[str, Any], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _number,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.TIMESTAMP: _timestamp,
    ColumnType.LIST: _element,
    ColumnType.OBJECT: _element,
}
