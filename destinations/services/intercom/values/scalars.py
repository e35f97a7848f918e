"""PURE. Scalars as text, exact numbers and times, whatever the type of their column."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.services.intercom.values.rejections import refused

if TYPE_CHECKING:
    from destinations.contract import Field

LARGEST_EXPONENT = 308
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def plain_text(field: Field, text: str) -> str:
    """The text, if it is Unicode that can be sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Rejected(
            "text_broken",
            f"The value for {field.name!r} holds broken characters. Mend the text in the source.",
            field=field.name,
        ) from None
    return text


def as_text(field: Field, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return zoned(value).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return _digits(exact_number(field, value))


def _digits(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def zoned(value: datetime) -> datetime:
    """In UTC; without a zone it is taken for UTC. The first and the last day of the calendar stay in their own zone."""
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return value


def exact_number(field: Field, value: Any) -> Decimal:
    try:
        number = _decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise refused("value_invalid", field, value, "a number") from None
    if not number.is_finite():
        raise Rejected(
            "value_invalid",
            f"The attribute {field.name!r} takes a number; this value is not a finite one.",
            field=field.name,
        )
    if number == 0:
        return Decimal(0)
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise refused("number_out_of_range", field, value, "a number of an ordinary size")
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool | date):
        raise ValueError
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise ValueError
        return Decimal(value.strip())
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def whole_number(field: Field, number: Decimal) -> int:
    if number != number.to_integral_value():
        raise refused("value_invalid", field, number, "a whole number; Intercom would cut the decimals off")
    return int(number)


def parsed_time(field: Field, text: str) -> Any:
    """A date or time from ISO text; a number in text stays a number of unix seconds."""
    if re.fullmatch(r"[+-]?\d+", text) and len(text) != len("20240131"):
        return int(text)
    try:
        return date.fromisoformat(text) if len(text) == len("2024-01-31") else datetime.fromisoformat(text)
    except ValueError:
        raise refused("value_invalid", field, text, "a date such as 2024-01-31 or 2024-01-31T09:30:00Z") from None
