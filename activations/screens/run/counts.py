"""The counts of a run with plain names and meanings, its outcomes as a bar, and its stages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from activations.models import Run
from activations.screens.presentation import in_words
from core.text.listing import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

COUNTS = (
    ("Compared with what was sent before", (
        ("rows", "Rows read", "Rows that the source returned."),
        ("new", "New", "Never accepted by the destination before."),
        ("known", "Changed", "Accepted before. At least one mapped value has changed since."),
        ("unchanged", "Up to date", "Nothing that is mapped has changed, so nothing is sent."),
        ("another", "Match changed", "The match value changed, so all fields are sent to a different record at the "
         "destination from now on."),
        ("waiting", "Waiting for retry", "Rejected, invalid or skipped in an earlier run, and unchanged since. They "
         "are retried later."),
        ("left", "Left", "No longer in the data. At the destination, they stay as they are."),
        ("returned", "Returned", "In the data again after they had left. They were compared with what was last "
         "accepted."),
    )),
    ("Outcomes", (
        ("creates", "Would create", "The destination doesn't have them yet. Nothing was sent."),
        ("updates", "Would update", "The destination has them, and some fields would be sent. Nothing was sent."),
        ("accepted", "Accepted", "The destination stored the values: records created and updated."),
        ("created", "Created", "Accepted, and created at the destination in this run."),
        ("incomplete", "Waiting for a value", "The destination did not take one of their values yet, such as a company "
         "that is not there. The next run sends it again."),
        ("hidden", "Not visible yet", "Created, but the destination doesn't show them yet."),
        ("made_visible", "Made visible", "The destination shows them now, because known contacts were attached."),
        ("still_hidden", "Still hidden", "No known contact could be attached to them in this run."),
        ("matched", "Already there", "The destination had all of their values already, so nothing was sent."),
        ("kept", "Kept", "A write policy left a field as it is: it was filled, or the record existed already. These "
         "records are also counted as accepted or already there."),
        ("rejected", "Rejected", "Refused by the destination. Retried in a later run."),
        ("invalid", "Can't be sent", "The destination could not have accepted them as they are."),
        ("skipped", "Skipped", "Not sent because of the mode: update skips records that are missing there, insert "
         "those that exist."),
        ("unknown", "Unknown", "The destination may or may not have processed them. The next run sends them again."),
        ("not_sent", "Not sent", "The run ended before they were sent."),
    )),
    ("Requests to the destination", (
        ("discovery_requests", "Attributes", "Requests that read which attributes the destination has."),
        ("lookup_requests", "Lookups", "Requests that look for existing records."),
        ("write_requests", "Writes", "Requests that create or update records."),
        ("throttled", "Rate-limited", "Requests that the destination turned down because of its rate limit. They are "
         "sent again."),
    )),
)  # fmt: skip
BAR = (
    ("creates", "would be created", "good"), ("updates", "would be updated", "accent"),
    ("created", "created", "good"), ("updated", "updated", "accent"), ("matched", "already there", "good-light"),
    ("skipped", "skipped", "calm"),
    ("invalid", "can't be sent", "warn"), ("rejected", "rejected", "bad"), ("unknown", "unknown", "warn"),
    ("not_sent", "not sent", "calm"),
)  # fmt: skip
PENDING = "planned"


@dataclass(frozen=True)
class Count:
    """One count of a run, with its label and meaning."""

    name: str
    label: str
    meaning: str
    value: int


@dataclass(frozen=True)
class Segment:
    """A part of the bar of outcomes. `choice`: the filter that lists its records; "" if they can't be listed."""

    choice: str
    label: str
    tone: str
    value: int


@dataclass(frozen=True)
class Stage:
    """A step of a run.

    Args:
        state: done, now, next (still to come), or ended (the run ended in it).
    """

    label: str
    state: str
    note: str = ""
    at: datetime | None = None


OF_CHECK = {"updates": "edited", "matched": "as sent", "skipped": "gone"}
"""What a check for drift calls its outcomes."""


def counts(run: Run) -> tuple[list[tuple[str, list[Count]]], list[Count]]:
    """The counts of a run that are not zero, in groups, and all others."""
    groups = [(title, [Count(*group, getattr(run, group[0])) for group in described]) for title, described in COUNTS]
    shown = [(title, [count for count in group if count.value]) for title, group in groups]
    zeros = [count for _, group in groups for count in group if not count.value]
    return [(title, group) for title, group in shown if group], zeros


def bar(run: Run, listed: Mapping[str, int], *, links_earlier: bool) -> list[Segment]:
    """The outcomes of a run as parts of a bar, without empty ones. What is still to be sent comes last.

    Args:
        listed: as `record_list.count_listed`. What is counted and not listed was listed by earlier runs.
        links_earlier: whether those records can be listed.
    """
    values = {**run.counts(), "updated": run.accepted - run.created, **listed}
    words = OF_CHECK if run.kind == Run.Kind.DRIFT else {}
    parts = [Segment(choice, words.get(choice, label), tone, values[choice]) for choice, label, tone in BAR]
    if run.state == Run.State.DELIVERING:
        rest = "still to be compared" if run.dry_run else "still to be sent"
        parts.append(Segment(PENDING, rest, "rest", run.planned - done(run)))
    if run.state == Run.State.HELD or (run.state == Run.State.PLANNED and not run.live):
        parts = [Segment("new", "new", "good", run.new), Segment("changed", "changed", "accent", run.known), *parts]
    earlier = run.waiting + sum(getattr(run, outcome) - number for outcome, number in listed.items())
    choice = "earlier" if links_earlier else ""
    parts.append(Segment(choice, "not accepted since an earlier run", "warn-light", earlier))
    return [part for part in parts if part.value > 0]


def done(run: Run) -> int:
    """How many of the planned changes are settled."""
    foreseen = run.creates + run.updates
    return min(run.planned, foreseen + run.accepted + run.matched + run.rejected + run.skipped + run.unknown)


def percent(run: Run) -> int | None:
    """How much of a run in delivery is settled, from 0 to 100; None if there is nothing to measure."""
    if run.state != Run.State.DELIVERING or not run.planned:
        return None
    return done(run) * 100 // run.planned


def stages(run: Run) -> list[Stage]:
    """The steps of a run, each with what it found and how long it took."""
    compared = run.state in (Run.State.DELIVERING, Run.State.PLANNED)
    compared = compared or run.compared_at is not None or (not run.is_live and bool(run.rows))
    ended = run.state not in Run.OPEN
    was_held = bool(run.hold) and not run.dry_run
    approved = run.decision == Run.Decision.APPROVED
    steps = [
        (Stage("Read the source", "", _read(run) if compared else "", run.started_at), compared),
        (Stage("Compare", "", _compared(run) if compared else ""), compared),
        *([(Stage("Approve", "", _decided(run), run.decided_at), approved)] if was_held else []),
        *_third(run, compared, ended),
        (Stage("Done", "", "", run.finished_at), ended),
    ]
    states = ["done" if finished else "next" for _, finished in steps]
    if run.state in (Run.State.FAILED, Run.State.CANCELLED):
        at = 2 + approved if compared and (run.live or not run.dry_run) else 0
        states = ["done"] * at + ["ended"] + ["next"] * (len(steps) - at - 1)
    elif "next" in states and run.state != Run.State.QUEUED:
        states[states.index("next")] = "now"
    return [replace(stage, state=state) for (stage, _), state in zip(steps, states, strict=True)]


def _third(run: Run, compared: bool, ended: bool) -> list[tuple[Stage, bool]]:
    """What follows the plan: it is sent, or a live dry run compares it with the destination."""
    if run.dry_run and not run.live:
        return []
    label = "Look at the destination" if run.dry_run else "Send"
    return [(Stage(label, "", _sent(run) if compared else ""), ended)]


def _decided(run: Run) -> str:
    return f"by {run.decided_by}" if run.decision else ""


def _read(run: Run) -> str:
    return f"{run.rows:,} row{'' if run.rows == 1 else 's'}"


def _compared(run: Run) -> str:
    numbers = [f"{number:,} {words}" for number, words in ((run.new, "new"), (run.known, "changed")) if number]
    differ = ", ".join(numbers) or "nothing to send"
    return " · ".join(filter(None, [differ, _took(run.started_at, run.compared_at)]))


def _sent(run: Run) -> str:
    if not run.planned:
        return ""
    number = f"{run.accepted:,} accepted" if run.accepted else f"{done(run):,} of {run.planned:,}"
    if run.live:
        number = f"{number} · {counted(run.lookup_requests, 'request')}"
    return " · ".join(filter(None, [number, _took(run.compared_at, run.finished_at)]))


def _took(since: datetime | None, until: datetime | None) -> str:
    return in_words(until - since) if since and until else ""
