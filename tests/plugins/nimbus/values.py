"""PURE. Conversion to Nimbus's values: text, whole numbers, decimals, true or false, days, times, choices and tags."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import Rejected
from destinations.contract import Field, Plain, Wire

LONGEST_TEXT = 500
LARGEST_WHOLE = 2**53
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PLAIN = {
    ("text", "text"): Plain("text", most_characters=LONGEST_TEXT),
    ("whole", "integer"): Plain("number"),
    ("yes_no", "boolean"): Plain("boolean"),
    ("day", "date"): Plain("day"),
    ("time", "timestamp"): Plain("seconds"),
}


def convert(field: Field, value: Any) -> Wire:
    if field.multiple:
        return [_one(field, item) for item in (value if isinstance(value, list) else str(value).split(","))]
    return _one(field, value)


def plain(field: Field, type_name: str) -> Plain | None:
    return None if field.multiple or field.matchable else _PLAIN.get((field.type, type_name))


def spelled(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal) and Decimal(str(value)).is_finite():
        text = format(Decimal(str(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def _one(field: Field, value: Any) -> Wire:
    if isinstance(value, list | dict):
        raise _rejected(field, "a single value")
    return _CONVERTERS[field.type](field, value)


def _text(field: Field, value: Any) -> str:
    text = spelled(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _rejected(field, "valid characters") from None
    if len(text) > LONGEST_TEXT:
        raise _rejected(field, f"up to {LONGEST_TEXT} characters")
    return text


def _email(field: Field, value: Any) -> str:
    text = _text(field, value).strip().lower()
    if not _EMAIL.fullmatch(text):
        raise _rejected(field, "an email address")
    return text


def _decimal(field: Field, value: Any) -> int | float:
    try:
        number = Decimal(spelled(value).strip())
    except InvalidOperation:
        raise _rejected(field, "a number") from None
    if isinstance(value, bool) or not number.is_finite() or abs(number) > LARGEST_WHOLE:
        raise _rejected(field, "a number up to 2^53")
    return int(number) if number == number.to_integral_value() else float(number)


def _whole(field: Field, value: Any) -> int:
    number = _decimal(field, value)
    if isinstance(number, float):
        raise _rejected(field, "a whole number")
    return number


def _yes_no(field: Field, value: Any) -> bool:
    answer = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(spelled(value).lower())
    if answer is None:
        raise _rejected(field, "true or false")
    return answer


def _time(field: Field, value: Any) -> int:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(spelled(value))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution * 1_000_000)
    except (ValueError, OverflowError):
        raise _rejected(field, "a date or a time") from None


def _day(field: Field, value: Any) -> str:
    try:
        return date.fromisoformat(spelled(value)[:10]).isoformat()
    except ValueError:
        raise _rejected(field, "a date") from None


def _choice(field: Field, value: Any) -> str:
    for option in field.options:
        if option.title.casefold() == spelled(value).strip().casefold():
            return option.title
    raise _rejected(field, "one of its options")


_CONVERTERS = {
    "text": _text, "email": _email, "decimal": _decimal, "whole": _whole, "yes_no": _yes_no, "time": _time, "day": _day,
    "choice": _choice,
}  # fmt: skip


def _rejected(field: Field, accepted: str) -> Rejected:
    return Rejected("value_invalid", f"The field {field.name!r} takes {accepted}.", field=field.name)
