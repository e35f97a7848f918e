"""How a run ended, in words and as a color: the same on every page, in every endpoint and in every command."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from activations.models import Run
from core.text.listing import counted

Tone = Literal["good", "bad", "warn", "busy", "calm"]

_TONES: dict[str, Tone] = {
    "queued": "busy", "planning": "busy", "delivering": "busy", "planned": "calm", "succeeded": "good",
    "completed_with_warnings": "warn", "failed": "bad", "cancelled": "calm", "held": "warn",
}  # fmt: skip


class Ended(Protocol):
    """What the words for a run are made of. A `Run` has it, and so has a row of a query with `READ`."""

    state: str
    dry_run: bool
    accepted: int
    matched: int
    rejected: int
    retried: int
    invalid: int
    unknown: int
    waiting: int
    incomplete: int
    unchanged: int
    skipped: int
    found_warnings: list[Any]


READ = (
    "state", "dry_run", "accepted", "matched", "rejected", "retried", "invalid", "unknown", "waiting", "incomplete",
    "unchanged", "skipped", "found_warnings",
)  # fmt: skip


def run_words(run: Ended) -> str:
    """The run's state in words. Of a run that completed with exceptions, how many records it concerns."""
    if run.state != Run.State.COMPLETED_WITH_WARNINGS:
        return Run.State(run.state).label
    return " · ".join(["Completed", *_exceptions(run)])


def hold_words(run: Run) -> str:
    """Why the run was held: what each guard found, one or more sentences; "" if none held it."""
    return " ".join(str(hold["message"]) for hold in run.hold)


def run_tone(run: Ended) -> Tone:
    """The color of the run's state. Red if it failed, or if nothing of what there was to send was accepted."""
    return "bad" if accepted_nothing(run) else _TONES.get(run.state, "calm")


def accepted_nothing(run: Ended) -> bool:
    """Whether a completed run had something to send, and none of it was accepted.

    A few invalid rows among records that have not changed don't count: there was nothing to send. Nor do records that
    were rejected before and only tried again, as long as others are synchronized. What is there already counts as
    accepted.
    """
    if run.state != Run.State.COMPLETED_WITH_WARNINGS or run.accepted or run.matched:
        return False
    only_invalid = run.invalid and not run.unchanged and not run.skipped and not run.waiting
    is_refused = run.rejected and (run.rejected > run.retried or not run.unchanged)
    return bool(is_refused or run.unknown or only_invalid)


def _exceptions(run: Ended) -> list[str]:
    tried = run.rejected + run.unknown
    number = tried + run.invalid
    words = [counted(number, "record") + (" not accepted" if tried else " can't be sent")] if number else []
    if not words and run.waiting:
        words = [f"{counted(run.waiting, 'record')} waiting for a retry"]
    if run.incomplete:
        words.append(f"{counted(run.incomplete, 'record')} incomplete")
    found = len(run.found_warnings)
    return [*words, counted(found, "warning")] if found else words
