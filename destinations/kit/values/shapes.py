"""PURE. Words for a value that does not fit: what kind of value it is, never its contents."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any


def shape(value: Any) -> str:
    """The kind of a value: "text of 12 characters", "a list of 3 values"."""
    if value is None:
        return "empty"
    if isinstance(value, str):
        return "blank text" if not value.strip() else f"text of {_counted(len(value), 'character')}"
    if isinstance(value, list | tuple | set):
        return f"a list of {_counted(len(value), 'value')}"
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "of an unsupported type")


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number with decimals"),
    (Decimal, "a number with decimals"),
    (datetime, "a date and time"),
    (date, "a date"),
    (dict, "an object"),
    (bytes, "binary data"),
)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
