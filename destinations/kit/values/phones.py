"""PURE. Phone numbers in E.164."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import phonenumbers

from destinations.kit.values.decimals import decimal

_WHOLE = re.compile(r"\d+(?:\.0*)?", re.ASCII)


def e164(value: Any, country: str = "", spelling: str = "") -> str | None:
    """The number in E.164, such as +33142685300; None if it is not a valid number.

    Args:
        value: text, or digits that the source took for a number.
        country: ISO alpha-2, the country of national numbers. Without it, a number must start with + or 00.
        spelling: the source's spelling of a number. One with an exponent has lost digits.
    """
    text = _text(value, spelling)
    try:
        parsed = phonenumbers.parse("+" + text[2:] if text.startswith("00") else text, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _text(value: Any, spelling: str) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return ""
    if spelling:
        return spelling.split(".")[0] if _WHOLE.fullmatch(spelling) else ""
    number = decimal(value)
    return str(int(number)) if number is not None and number == number.to_integral_value() else ""
