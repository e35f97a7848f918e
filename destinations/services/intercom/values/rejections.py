"""PURE. How a value that does not fit is reported: the attribute, what would fit, and the value's shape."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected

if TYPE_CHECKING:
    from destinations.contract import Field


def shape(value: Any) -> str:
    """What a value is, in words that don't tell the value."""
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    for kind, words in _SHAPES:
        if isinstance(value, kind):
            return words
    if isinstance(value, int):
        return "a whole number"
    return "a number with decimals" if isinstance(value, float | Decimal) else "of another kind"


_SHAPES: tuple[tuple[Any, str], ...] = (
    (bool, "true or false"),
    (datetime, "a date with a time"),
    (date, "a date"),
    (list | tuple | set, "a list"),
    (dict, "an object"),
    (bytes, "binary data"),
)


def refused(code: str, field: Field, value: Any, fits: str) -> Rejected:
    return Rejected(code, f"The attribute {field.name!r} takes {fits}; this value is {shape(value)}.", field=field.name)
