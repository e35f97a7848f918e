"""PURE. Rejections of values that do not fit: the attribute, what it takes, and the shape of the value."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected

if TYPE_CHECKING:
    from destinations.contract import Field


def shape(value: Any) -> str:
    """A description of a value that does not reveal the value itself."""
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    for kind, description in _SHAPES:
        if isinstance(value, kind):
            return description
    if isinstance(value, int):
        return "a whole number"
    return "a number with decimals" if isinstance(value, float | Decimal) else "of an unsupported type"


_SHAPES: tuple[tuple[Any, str], ...] = (
    (bool, "true or false"),
    (datetime, "a date with a time"),
    (date, "a date"),
    (list | tuple | set, "a list"),
    (dict, "an object"),
    (bytes, "binary data"),
)


def rejection(code: str, field: Field, value: Any, accepted: str) -> Rejected:
    """The error for a value that an attribute does not take; `accepted` describes the values that it does take."""
    message = f"The attribute {field.name!r} takes {accepted}; this value is {shape(value)}."
    return Rejected(code, message, field=field.name)
