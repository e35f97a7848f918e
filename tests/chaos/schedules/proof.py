"""PURE. Enumerates the slots of each schedule from its definition alone, and compares them with what was stored.

Nothing here uses the application's own reading of schedules.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Skipped:
    """Slots in a row that started no run."""

    reason: str
    first: datetime
    last: datetime
    number: int


@dataclass(frozen=True)
class Started:
    """A run of an activation. `due_at` is the slot of the schedule that started it; None if no slot did."""

    created_at: datetime
    due_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True)
class Story:
    """One schedule, and what became of it.

    Args:
        begin: when it was created.
        seconds: its interval.
        completions: when the runs that it follows completed.
        changes: when the data changed.
    """

    name: str
    kind: str
    begin: datetime
    seconds: int = 0
    completions: Sequence[datetime] = ()
    changes: Sequence[datetime] = ()
    runs: Sequence[Started] = ()
    skipped: Sequence[Skipped] = ()
    reasons: Counter[str] = field(default_factory=Counter, compare=False)


def slots(story: Story, end: datetime) -> list[datetime]:
    """Every slot up to the end, for schedules whose slots follow from their definition."""
    if story.kind == "interval":
        step = timedelta(seconds=story.seconds)
        return [
            story.begin + step * n
            for n in range(1, int((end - story.begin) / step) + 2)
            if story.begin + step * n <= end
        ]
    if story.kind == "cron":
        first = story.begin.replace(second=0, microsecond=0) + MINUTE
        return [first + MINUTE * n for n in range(int((end - first) / MINUTE) + 1) if first + MINUTE * n <= end]
    return sorted(moment for moment in story.completions if story.begin < moment <= end)


def check(story: Story, end: datetime) -> Iterator[str]:
    """What is wrong with one schedule, in sentences."""
    yield from check_changes(story, end) if story.kind == "data_changed" else check_slots(story, end)
    yield from check_queued(story, end)


def check_slots(story: Story, end: datetime) -> Iterator[str]:
    """Each slot has exactly one run or one reason, and nothing else has either."""
    wanted = slots(story, end)
    started = Counter(run.due_at for run in story.runs if run.due_at and run.due_at <= end)
    for slot in wanted:
        reasons = [one.reason for one in story.skipped if one.first <= slot <= one.last]
        if started[slot] + len(reasons) != 1:
            yield f"{story.name}: the slot {slot:%H:%M:%S.%f} has {started[slot]} runs and the reasons {reasons}."
    for extra in sorted(set(started) - set(wanted)):
        yield f"{story.name}: a run started at {extra:%H:%M:%S.%f}, which is no slot."
    for one in story.skipped:
        covered = [slot for slot in wanted if one.first <= slot <= one.last]
        if one.last <= end and len(covered) != one.number:
            yield f"{story.name}: {one.number} slots are recorded as {one.reason}, but {len(covered)} lie in between."


def check_changes(story: Story, end: datetime) -> Iterator[str]:
    """Each change is followed by a run, and each run that a look started is preceded by a change or is the first."""
    for change in story.changes:
        if change <= end and not any(run.created_at >= change for run in story.runs):
            yield f"{story.name}: no run followed the change at {change:%H:%M:%S}."
    looks = sorted((run.due_at, run.created_at) for run in story.runs if run.due_at)
    for number, (due_at, created_at) in enumerate(looks):
        since = looks[number - 1][0] if number else story.begin
        if number and not any(since - timedelta(seconds=1) <= change <= created_at for change in story.changes):
            yield f"{story.name}: the look at {due_at:%H:%M:%S} started a run, but nothing had changed."


def check_queued(story: Story, end: datetime) -> Iterator[str]:
    """A slot that was queued is followed by a run, and each such run by a slot that was queued."""
    queued = [one for one in story.skipped if one.reason == "queued" and one.last <= end]
    for one in queued:
        if not any(run.created_at >= one.last for run in story.runs):
            yield f"{story.name}: no run followed the queued slot {one.last:%H:%M:%S}."
    follow_ups = sum(1 for run in story.runs if run.due_at is None)
    if follow_ups > sum(one.number for one in story.skipped if one.reason == "queued"):
        yield f"{story.name}: {follow_ups} runs started that no slot asked for."
