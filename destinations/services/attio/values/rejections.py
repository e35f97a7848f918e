"""PURE. How a value that does not fit is told to people: the attribute, what would fit, and the value's shape."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected

if TYPE_CHECKING:
    from destinations.contract import Field


def refused(field: Field, fitting: str, value: Any, *, code: str = "") -> Rejected:
    """The refusal of a value, in words that say nothing of what it holds."""
    named = code or f"no_{field.type.replace('-', '_')}"
    return Rejected(named, f"The attribute {field.name!r} takes {fitting}; this is {shape(value)}.", field=field.name)


def shape(value: Any) -> str:
    """What kind of value it is: "text of 12 characters", "a list of 3 values"."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "blank text" if not value.strip() else f"text of {len(value)} character{'s' if len(value) != 1 else ''}"
    if isinstance(value, list):
        return f"a list of {len(value)} value{'s' if len(value) != 1 else ''}"
    for kind, words in _KINDS:
        if isinstance(value, kind):
            return words
    return f"a value of type {type(value).__name__}"


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (Decimal, "a number"),
    (datetime, "a date and time"),
    (date, "a date"),
    (dict, "an object"),
)
