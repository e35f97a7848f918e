"""PURE. Converts scalars of any type to text and to exact numbers."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from destinations.services.attio.values.datetimes import iso_utc

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


def plain_text(value: Any) -> str:
    """A scalar in its usual notation, a list joined with commas, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return format(Decimal(value), "f")
    if isinstance(value, float | Decimal):
        return _decimal_text(Decimal(str(value)))
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list) and all(isinstance(item, str | int | float | Decimal) for item in value):
        return ", ".join(plain_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def decimal(value: Any) -> Decimal | None:
    """The exact number, or None if the value is not a finite number."""
    if isinstance(value, str):
        return Decimal(value.strip()) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _decimal_text(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_unicode(text: str) -> bool:
    """Whether the text can be encoded. An unpaired surrogate can't, and would make the whole request fail."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
