"""PURE. Exact numbers, and dates or numbers of seconds in text, regardless of the column type."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.kit.values import times
from destinations.kit.values.decimals import NUMBER
from destinations.services.intercom.values.rejections import rejection

if TYPE_CHECKING:
    from destinations.contract import Field

LARGEST_EXPONENT = 308


def exact_number(field: Field, value: Any) -> Decimal:
    """The number without rounding.

    Raises:
        Rejected: the value is not a finite number, or its exponent is too large.
    """
    try:
        number = _decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise rejection("value_invalid", field, value, "a number") from None
    if not number.is_finite():
        raise Rejected(
            "value_invalid",
            f"The attribute “{field.name}” takes a number; this value is not a finite number.",
            field=field.name,
        )
    if number == 0:
        return Decimal(0)
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise rejection(
            "number_out_of_range",
            field,
            value,
            f"a number with an exponent from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}",
        )
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool | date):
        raise ValueError
    if isinstance(value, str):
        if not NUMBER.fullmatch(value.strip()):
            raise ValueError
        return Decimal(value.strip())
    # repr gives the shortest digits that identify a float: 0.1 becomes 0.1, not 0.1000000000000000055….
    # The shortest notation of a whole double may miss its exact value: 3.602879701896397e+16.
    return Decimal(repr(value)) if isinstance(value, float) and not value.is_integer() else Decimal(value)


def whole_number(field: Field, number: Decimal) -> int:
    """The number as an integer. Numbers with decimals are rejected, because Intercom would cut the decimals off."""
    if number != number.to_integral_value():
        raise rejection("value_invalid", field, number, "a whole number (Intercom would cut off the decimals)")
    return int(number)


def parse_time(field: Field, text: str) -> Any:
    """A date or a time from ISO text, or a number of Unix seconds from digits.

    Eight digits are ambiguous. They are taken as a date (20240131), because as Unix seconds they would be in 1970.
    """
    if re.fullmatch(r"[+-]?\d+", text, re.ASCII) and len(text) != len("20240131"):
        return int(text)
    time = times.parse(text)
    if time is None:
        raise rejection("value_invalid", field, text, "a date such as 2024-01-31 or 2024-01-31T09:30:00Z")
    return time
