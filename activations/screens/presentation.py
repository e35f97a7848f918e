"""What run and activation pages show: pills, counts in words, progress, next runs and the values sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activations.models import Activation, Change, Run
from activations.setup import schedules
from core.errors import Problem
from core.web.screens import pill

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from django.utils.safestring import SafeString

    from destinations.contract import Service

TONES = {
    "queued": "busy", "planning": "busy", "delivering": "busy", "planned": "calm", "succeeded": "good",
    "completed_with_warnings": "warn", "failed": "bad", "cancelled": "calm",
}  # fmt: skip
OUTCOME_TONES = {
    "accepted": "good", "rejected": "bad", "invalid": "bad", "skipped": "calm", "unknown": "warn", "not_sent": "calm",
}  # fmt: skip
NO_OUTCOME = {"left": "Left", "returned": "Came back"}
COUNTS = (
    ("Compared with what was sent before", (
        ("rows", "Rows read"), ("new", "New"), ("known", "Known, changed"), ("unchanged", "Unchanged"),
        ("another", "Another record"), ("waiting", "Waiting"), ("left", "Left"), ("returned", "Came back"),
    )),
    ("What became of the changes", (
        ("accepted", "Accepted"), ("created", "Created"), ("hidden", "Not shown yet"), ("rejected", "Rejected"),
        ("invalid", "Invalid"), ("skipped", "Skipped"), ("unknown", "Unknown"), ("not_sent", "Not sent"),
    )),
    ("Requests sent", (
        ("discovery_requests", "Discovery"), ("lookup_requests", "Look-ups"), ("write_requests", "Writes"), ("throttled", "Slowed down"),
    )),
)  # fmt: skip
MEANINGS = {
    "waiting": "Refused or skipped before and not changed since; tried again later.",
    "left": "No longer in the data. They are not touched at the destination.",
    "returned": "In the data again after they had left; compared with what was accepted last.",
    "created": "Accepted, and made by the destination in this run.",
    "another": "Known, but their match value changed: another record at the destination from now on, which all of it is sent to.",
    "hidden": "Created, but the destination does not show them yet.",
    "rejected": "Refused by the destination; tried again by the next run.",
    "invalid": "Not sent: something about the record can't be right.",
    "skipped": "Not sent because of the mode: not there in update mode, already there in insert mode.",
    "unknown": "The destination did not say whether it took them; tried again by the next run.",
    "not_sent": "The run ended before their turn.",
    "throttled": "Answers of the destination that asked to slow down.",
}


@dataclass(frozen=True)
class Count:
    """One number of a run, with its name and meaning."""

    name: str
    label: str
    value: int
    meaning: str


@dataclass(frozen=True)
class Sent:
    """One field of a change: its value, and whether it changed and was in the request."""

    name: str
    value: str
    was_sent: bool


def run_pill(run: Run) -> SafeString:
    """The run's state as a coloured word."""
    return pill(run.get_state_display(), TONES.get(run.state, "calm"))


def outcome_pill(change: Change) -> SafeString:
    """What became of a change, as a coloured word."""
    text = change.get_outcome_display() if change.outcome else NO_OUTCOME.get(change.code, "Planned")
    return pill("Created" if change.created else text, OUTCOME_TONES.get(change.outcome, "calm"))


def counts(run: Run) -> list[tuple[str, list[Count]]]:
    """All counts of a run in groups."""
    return [
        (title, [Count(name, label, getattr(run, name), MEANINGS.get(name, "")) for name, label in group])
        for title, group in COUNTS
    ]


def hidden_note(service: Service, number: int) -> str:
    """How many records the destination keeps without showing them yet, and why; nothing where there are none."""
    if not number:
        return ""
    many = f"{number} records were created that are" if number > 1 else "1 record was created that is"
    return f"{many} not shown there yet. {service.hidden_note}".strip()


def progress_percent(run: Run) -> int | None:
    """How much of a delivering run is settled, 0 to 100; None where nobody knows yet."""
    if run.state != Run.State.DELIVERING or not run.planned:
        return None
    settled = run.accepted + run.rejected + run.skipped + run.unknown
    return min(100, settled * 100 // run.planned)


def duration(run: Run, now: datetime) -> str:
    """How long the run took, or takes until now."""
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
    """The fields of a change that matter: those sent, those changed, or all of a new record's."""
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


def next_run(activation: Activation, now: datetime) -> datetime | None:
    """When a schedule of the activation starts the next run."""
    if activation.paused:
        return None
    moments = []
    for schedule in activation.schedules.all():
        try:
            moments += schedules.next_runs(schedule, now, 1)
        except Problem:
            continue
    return min(moments, default=None)
