"""PURE. The labels of the audit log, and changes formatted in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.text.listing import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN = 3
"""The number of changed fields shown in a list."""
LONGEST = 80
"""The maximum length of a value in a list, in characters."""
KINDS = {"person": "User", "token": "Trigger token", "command": "Command", "system": "DinMo"}
OBJECTS = {
    "segments.source": "Source",
    "segments.datamodel": "Model",
    "segments.segment": "Segment",
    "destinations.connection": "Connection",
    "destinations.destination": "Destination",
    "activations.activation": "Activation",
    "activations.alertchannel": "Alert channel",
    "auth.user": "User",
    "auth.group": "Group",
    "accounts.invitation": "Invitation",
}
"""The types of objects that have entries, by the labels of their tables."""
WITHOUT_PAGE = {"accounts.invitation"}


def changed(before: str, after: str) -> str:
    """The change of one value: `10 → 20`, or only the new value if there was none before."""
    if before and after:
        return f"{_short(before)} → {_short(after)}"
    return _short(after) if after else f"{_short(before)} removed"


def summary(changes: Mapping[str, Sequence[str]]) -> str:
    """The first changes, and the number of remaining ones."""
    lines = [f"{name}: {changed(pair[0], pair[1])}" for name, pair in list(changes.items())[:SHOWN]]
    more = len(changes) - SHOWN
    return "; ".join([*lines, *([f"and {counted(more, 'more change')}"] if more > 0 else [])])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
