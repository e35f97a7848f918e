"""How the pages of runs and activations show things: pills, labeled counts, progress, next runs and sent values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activations.alerts.words import run_tone, run_words
from activations.models import Change, Run
from core.web.screens import pill

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from django.utils.safestring import SafeString

    from activations.alerts.state import State
    from destinations.contract import Service

OUTCOME_TONES = {
    "accepted": "good", "rejected": "bad", "invalid": "bad", "skipped": "calm", "unknown": "warn", "not_sent": "calm",
}  # fmt: skip
NO_OUTCOME = {"left": "Left", "returned": "Returned"}
COUNTS = (
    ("Compared with the sync history", (
        ("rows", "Rows read"), ("new", "New"), ("known", "Changed"), ("unchanged", "Unchanged"),
        ("another", "Match changed"), ("waiting", "Waiting for retry"), ("left", "Left"), ("returned", "Returned"),
    )),
    ("Outcomes", (
        ("accepted", "Accepted"), ("created", "Created"), ("hidden", "Not visible yet"), ("rejected", "Rejected"),
        ("invalid", "Failed validation"), ("skipped", "Skipped"), ("unknown", "Unknown"), ("not_sent", "Not sent"),
    )),
    ("Requests sent", (
        ("discovery_requests", "Discovery"), ("lookup_requests", "Lookups"), ("write_requests", "Writes"),
        ("throttled", "Rate-limited"),
    )),
)  # fmt: skip
MEANINGS = {
    "waiting": "Rejected, invalid or skipped in an earlier run, and unchanged since. They are retried later.",
    "left": "No longer in the data. At the destination, they stay as they are.",
    "returned": "In the data again after they had left. They were compared with what was last accepted.",
    "created": "Accepted, and created at the destination in this run.",
    "another": "The match value changed, so all fields are sent to a different record at the destination from now on.",
    "hidden": "Created, but the destination doesn't show them yet.",
    "rejected": "Rejected by the destination. Retried in a later run.",
    "invalid": "Not sent, because the destination could not have accepted them as they are.",
    "skipped": "Not sent because of the mode: update skips records that are missing there, insert those that exist.",
    "unknown": "The destination may or may not have processed them. The next run sends them again.",
    "not_sent": "The run ended before they were sent.",
    "throttled": "Requests that the destination turned down because of its rate limit. They are sent again.",
}


@dataclass(frozen=True)
class Count:
    """One count of a run, with its label and meaning."""

    name: str
    label: str
    value: int
    meaning: str


@dataclass(frozen=True)
class Sent:
    """One field of a change: its value, and whether it was in the request."""

    name: str
    value: str
    was_sent: bool


def run_pill(run: Run) -> SafeString:
    """The run's state as a colored pill."""
    return pill(run_words(run), run_tone(run))


def state_pill(state: State) -> SafeString:
    """The state of an activation as a colored pill."""
    return pill(state.label, state.tone)


def outcome_pill(change: Change) -> SafeString:
    """The outcome of a change as a colored pill."""
    text = change.get_outcome_display() if change.outcome else NO_OUTCOME.get(change.code, "Planned")
    return pill("Created" if change.created else text, OUTCOME_TONES.get(change.outcome, "calm"))


def counts(run: Run) -> list[tuple[str, list[Count]]]:
    """All counts of a run, in groups."""
    return [
        (title, [Count(name, label, getattr(run, name), MEANINGS.get(name, "")) for name, label in group])
        for title, group in COUNTS
    ]


def hidden_note(service: Service, number: int) -> str:
    """How many created records are not visible at the destination yet, and why; "" if there are none."""
    if not number:
        return ""
    created = f"{number} created records are" if number > 1 else "1 created record is"
    return f"{created} not visible at the destination yet. {service.hidden_note}".strip()


def progress_percent(run: Run) -> int | None:
    """How much of a run in delivery is settled, from 0 to 100; None if there is nothing to measure."""
    if run.state != Run.State.DELIVERING or not run.planned:
        return None
    settled = run.accepted + run.rejected + run.skipped + run.unknown
    return min(100, settled * 100 // run.planned)


def duration(run: Run, now: datetime) -> str:
    """How long the run took, or has taken so far."""
    if run.started_at is None:
        return ""
    return in_words((run.finished_at or now) - run.started_at)


def in_words(length: timedelta) -> str:
    """A length of time, e.g. `3 min 5 s`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s" if seconds else "under 1 s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def sent_values(change: Change) -> list[Sent]:
    """The fields of a change to show: those sent and those changed, or else all of them."""
    names: Iterable[str] = dict.fromkeys([*change.sent, *change.changed]) or change.values
    if change.field and change.outcome == Change.Outcome.REJECTED:
        names = dict.fromkeys([*names, change.field])
    return [
        Sent(name, value_in_words(change.values.get(name, change.match_value)), name in change.sent) for name in names
    ]


def value_in_words(value: Any) -> str:
    """A wire value, short enough for a table."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}…"
