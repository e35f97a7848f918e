"""PURE. Values of records as text for people: no JSON, no quotes."""

from __future__ import annotations

from typing import Any

LONGEST = 300
"""In characters."""
EMPTY = "empty"


def in_words(value: Any, longest: int = LONGEST) -> str:
    """A value in a few words, cut off after this number of characters."""
    text = _text(value)
    return text if len(text) <= longest else f"{text[:longest]}…"


def _text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return EMPTY
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    if isinstance(value, dict):
        given = {name: each for name, each in value.items() if each not in (None, "", [], {})}
        if len(given) == 1:
            return _text(next(iter(given.values())))
        return ", ".join(f"{name.replace('_', ' ')}: {_text(each)}" for name, each in given.items()) or EMPTY
    return str(value)
