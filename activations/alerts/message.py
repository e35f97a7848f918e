"""PURE. What an alert says, before a channel writes it in its own format. All text is plain text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

SHOWN_PLACES = 10
"""How many activations of an item a message lists. It counts the others."""
SHOWN_ITEMS = 10
SHOWN_KINDS = 3
"""How many kinds of alerts a title names. It counts the alerts if there are more."""
LONGEST_TEXT = 600
"""In characters, of a sentence in a message. Pages show all of it."""


@dataclass(frozen=True)
class Link:
    """A link to the page that helps."""

    text: str
    url: str


@dataclass(frozen=True)
class Place:
    """One activation that an item is about, with the page that helps."""

    alert_id: int
    activation: str
    link: Link
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One change of state, of one or more activations.

    Args:
        event: a key of `warning_kinds.EVENTS`.
        kind: a slug of `warning_kinds`.
        label: the kind in words.
        recovered: it is resolved.
        text: what happened, in one or more sentences.
        advice: what to do; "" if it is resolved.
    """

    event: str
    kind: str
    label: str
    recovered: bool
    text: str
    advice: str
    places: tuple[Place, ...]

    @property
    def heading(self) -> str:
        """The label, with “Resolved” before it if it is."""
        return f"Resolved: {self.label}" if self.recovered else self.label

    @property
    def shown(self) -> tuple[Place, ...]:
        """The activations to list."""
        return self.places[:SHOWN_PLACES]

    @property
    def link(self) -> Link | None:
        """The page that helps all of several activations, such as their source; None if each has its own."""
        links = {place.link for place in self.places}
        return links.pop() if len(self.places) > 1 and len(links) == 1 else None

    @property
    def rest(self) -> int:
        """How many more activations there are."""
        return len(self.places) - len(self.shown)


@dataclass(frozen=True)
class Message:
    """An alert: one or more changes of state.

    Args:
        link: where the recipient sees everything that is open.
        settings: where a person decides who receives alerts.
        test: a person wants to know whether the channel works.
    """

    title: str
    items: tuple[Item, ...]
    link: Link
    settings: Link
    sent_at: datetime
    digest: bool = False
    test: bool = False

    @property
    def shown(self) -> tuple[Item, ...]:
        """The items to list."""
        return self.items[:SHOWN_ITEMS]

    @property
    def rest(self) -> int:
        """How many more items there are."""
        return len(self.items) - len(self.shown)


def title(items: tuple[Item, ...], digest: bool) -> str:
    """What the message is about, in a few words. A name comes last, whatever its writing direction."""
    opened, resolved = ([item for item in items if item.recovered is recovered] for recovered in (False, True))
    if digest:
        return f"Daily digest: {_places(opened)} new, {_places(resolved)} resolved"
    headings = {item.heading for item in items}
    if len(headings) == 1:
        names = list(dict.fromkeys(place.activation for item in items for place in item.places))
        return f"{headings.pop()}: {names[0] if len(names) == 1 else f'{len(names)} activations'}"
    parts = [_kinds(opened)] if opened else []
    return "; ".join([*parts, f"Resolved: {_kinds(resolved)}"] if resolved else parts)


def _places(items: Iterable[Item]) -> int:
    return sum(len(item.places) for item in items)


def _kinds(items: Iterable[Item]) -> str:
    """What happened, with how many activations it concerns if it is more than one."""
    counts: Counter[str] = Counter()
    for item in items:
        counts[item.label] += len(item.places)
    if len(counts) > SHOWN_KINDS:
        return f"{counts.total()} alerts"
    return ", ".join(label if number == 1 else f"{label} ({number})" for label, number in counts.items())


def shortened(text: str) -> str:
    """The text with at most `LONGEST_TEXT` characters."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1].rstrip() + "…"
