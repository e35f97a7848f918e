"""PURE. Rejections of values that do not fit: the attribute, what it takes, and the shape of the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.kit.values.shapes import shape

if TYPE_CHECKING:
    from destinations.contract import Field


def rejection(code: str, field: Field, value: Any, accepted: str) -> Rejected:
    """The error for a value that an attribute does not take; `accepted` describes the values that it does take."""
    message = f"The attribute “{field.name}” takes {accepted}; this value is {shape(value)}."
    return Rejected(code, message, field=field.name)
