"""PURE. The values of conditions: read by operator and column type, written down again, and said in words."""

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
MOST_SAID = 12
"""Values of a list that are said one by one."""
MAX_NUMBER = 10**18
MAX_DIGITS = 18
EXACT_IN_JSON = 2**53
"""Browsers round whole numbers beyond it, unless they stand in a text."""
MAX_DECIMALS = 9
YEARS = (1000, 9000)
LONGEST_COUNT = 4
"""Digits of a length of time."""
_COUNT = re.compile(r"-?[0-9]+")
_DAY = "a date such as 2026-01-31"


def read(field: str, column_type: ColumnType, operator: str, value: Any) -> Any:
    """The value of a condition in its right type: str, int, Decimal, bool, date, datetime, Duration, or a tuple of them.

    Numbers, dates and booleans may come as text, as forms give them.

    Raises:
        Misconfigured: names the column and says what would fit, never the value.
    """
    if operator in PLAIN:
        if value not in (None, ""):
            raise _wrong(field, f"{operator!r} takes no value")
        return None
    if operator in LENGTHS:
        return _length(field, value)
    if operator in LISTS:
        return _many(field, column_type, value)
    if operator in PAIRS:
        return _two(field, column_type, value)
    if operator in _PART_OF_TEXT and value == "":
        raise _wrong(field, f"{operator!r} needs some text")
    if operator == "on" and isinstance(one := _READERS[column_type](field, value), datetime):
        raise _wrong(field, f"'on' takes a day such as {one.date()}")
    return _READERS[column_type](field, value)


def plain_value(value: Any) -> Any:
    """The value as JSON holds it."""
    if isinstance(value, tuple | list):
        return [plain_value(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    is_large = isinstance(value, int) and abs(value) > EXACT_IN_JSON
    return str(value) if is_large or isinstance(value, Duration) else value


def words(operator: str, value: Any) -> str:
    """The value in words."""
    if isinstance(value, tuple | list):
        more = f" and {len(value) - MOST_SAID:,} more" if len(value) > MOST_SAID else ""
        return (" and " if operator in PAIRS else ", ").join(
            _quoted(words(operator, one)) for one in value[:MOST_SAID]
        ) + more
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value)


def _quoted(said: str) -> str:
    """One of several values, so that it can be told from two and from one without blanks around it."""
    return f"“{said}”" if "," in said or said != said.strip() else said


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(field, "its value must be text (in quotes)")
    if UNSTORABLE.search(value):
        raise _wrong(field, "its text holds a character that databases can't store")
    return value


def _element(field: str, value: Any) -> str:
    """An element of a list is compared by its text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else _text(field, value)


def _number(field: str, value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise _wrong(field, "its value must be a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _wrong(field, "its value must be a number such as 100 or 9.5") from None
    if not number.is_finite() or number.adjusted() > MAX_DIGITS or abs(number) >= MAX_NUMBER:
        raise _wrong(field, "its value must be a number of at most 18 digits")
    if number == int(number):
        return int(number)
    if number != round(number, MAX_DECIMALS):
        raise _wrong(field, f"its value must have at most {MAX_DECIMALS} decimals")
    return number.normalize()


def _boolean(field: str, value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _wrong(field, "its value must be true or false")
    return value


def _date(field: str, value: Any) -> date:
    read = _timestamp(field, value, _DAY)
    if isinstance(read, datetime):
        raise _wrong(field, "its value must be a day such as 2026-01-31, without a time")
    return read


def _timestamp(field: str, value: Any, such: str = f"{_DAY}, or a time such as 2026-01-31 09:00") -> date | datetime:
    """A date stands for its whole day, a time without a zone is the source's."""
    read = value if isinstance(value, date) else _moment(str(value).strip())
    if read is None:
        raise _wrong(field, f"its value must be {such}")
    if not YEARS[0] <= read.year <= YEARS[1]:
        raise _wrong(field, f"its value must be a date between the years {YEARS[0]} and {YEARS[1]}")
    return read


def _moment(text: str) -> date | datetime | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-31") else datetime.fromisoformat(text)
    except ValueError:
        return None


def _length(field: str, value: Any) -> Duration:
    read = duration(value) if isinstance(value, str) else value
    count = _COUNT.match(value.strip()) if isinstance(value, str) and not read else None
    if count and (count[0].startswith("-") or not count[0].strip("0")):
        raise _wrong(field, "its length of time must be 1 or more, such as 30 days")
    if count and len(count[0]) > LONGEST_COUNT:
        raise _wrong(
            field, f"its length of time can have at most {LONGEST_COUNT} digits; take a longer unit, such as months"
        )
    if not isinstance(read, Duration):
        raise _wrong(
            field, "its value must be a length of time such as 30 days (minutes, hours, days, weeks or months)"
        )
    return read


def _many(field: str, column_type: ColumnType, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(field, "its value must be a list such as [FR, DE]")
    if len(value) > MAX_VALUES:
        raise _wrong(field, f"it can hold at most {MAX_VALUES:,} values")
    return tuple(_READERS[column_type](field, one) for one in value)


def _two(field: str, column_type: ColumnType, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) != 2 or None in value or "" in value:
        such = "[2026-01-01, 2026-01-31]" if column_type in (ColumnType.DATE, ColumnType.TIMESTAMP) else "[1, 10]"
        raise _wrong(field, f"it takes two values, such as {such}")
    first, second = (_READERS[column_type](field, one) for one in value)
    if _above(first, second):
        raise _wrong(field, "its first value is above its second; the lower one comes first")
    return first, second


def _above(first: Any, second: Any) -> bool:
    try:
        return bool(first > second)
    except TypeError:
        # Which of a day and a time, or of times with a zone and without, is the lower one depends on the source's zone.
        return False


def _wrong(field: str, what: str) -> Misconfigured:
    return Misconfigured("condition_value", f"The condition on {field!r} is wrong: {what}.", where=field)


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
