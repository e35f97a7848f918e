"""Formats the values of settings, and compares two descriptions of an object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from core.secrets import redact
from core.text.listing import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.audit import Changes

LONGEST_VALUE = 500
"""In characters. SQL and lists can be too long for a log."""
MOST_FIELDS = 200
"""The maximum number of changed fields in an entry. A model can have thousands of columns."""
MORE = "More"
"""The field that holds the number of changes left out."""
SET, CHANGED = "Set", "Changed"


@dataclass(frozen=True)
class Secret:
    """A secret, which can be compared but is never shown."""

    value: Any

    def __repr__(self) -> str:
        return "Secret()"


@dataclass(frozen=True)
class Description:
    """The state of an object: its name, and its settings by label."""

    name: str
    fields: Mapping[str, Any]


def in_words(value: Any) -> str:
    """A value as formatted on the screens; "" for no value. Anything that looks like a credential is redacted."""
    return _cut(redact(_text(value)))


def _text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, Secret):
        return SET if value.value else ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_text, value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M %Z}".strip()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def differences(before: Description | None, after: Description | None) -> Changes:
    """The fields that differ between two states of an object. None means that the object doesn't exist."""
    old, new = (state.fields if state else {} for state in (before, after))
    names = [*new, *(name for name in old if name not in new)]
    changed = {name: _pair(old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}
    # Leaves out settings that a new object has without a value.
    visible = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    return _shortened(visible)


def _pair(before: Any, after: Any) -> tuple[str, str]:
    old, new = in_words(before), in_words(after)
    if isinstance(after, Secret) and old and new:
        return old, CHANGED
    if old == new and old:
        # The difference lies beyond the part that is shown.
        return old, f"{new} ({CHANGED.lower()})"
    return old, new


def _shortened(changes: Changes) -> Changes:
    more = len(changes) - MOST_FIELDS
    if more <= 0:
        return changes
    return {**dict(list(changes.items())[:MOST_FIELDS]), MORE: ("", counted(more, "other change"))}
