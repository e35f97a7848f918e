"""PURE. Messages for values that can't be converted: the attribute, what it accepts, and the shape of the value."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected

if TYPE_CHECKING:
    from destinations.contract import Field


def rejection(field: Field, accepted: str, value: Any, *, code: str = "") -> Rejected:
    """The error for a value that does not fit. Its message describes the value's shape, never its contents."""
    return Rejected(
        code or f"no_{field.type.replace('-', '_')}",
        f"The attribute {field.name!r} takes {accepted}; this value is {shape(value)}.",
        field=field.name,
    )


def shape(value: Any) -> str:
    """The kind of a value: "text of 12 characters", "a list of 3 values"."""
    if value is None:
        return "empty"
    if isinstance(value, str):
        return "blank text" if not value.strip() else f"text of {len(value)} character{'s' if len(value) != 1 else ''}"
    if isinstance(value, list):
        return f"a list of {len(value)} value{'s' if len(value) != 1 else ''}"
    for kind, description in _KINDS:
        if isinstance(value, kind):
            return description
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
