"""Warnings that no run finds: an activation that is out of date, a run that takes too long, and missed schedules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Exists, Max, OuterRef, Q

from activations import warning_kinds as kinds
from activations.alerts.record import close_warnings, open_warning
from activations.models import Activation, Run, Schedule, SkippedSlot, SystemPause, Warning
from activations.scheduling import definition
from core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMPLETED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)
AT_WORK = (Run.State.PLANNING, Run.State.DELIVERING)
TIMED = (Schedule.Kind.INTERVAL, Schedule.Kind.WEEKLY, Schedule.Kind.CRON)
GRACE = timedelta(minutes=5)
"""How long a run that is due may take until it counts as missing."""


def look(now: datetime) -> None:
    """Opens what is due now. The next run that completes closes it, and pausing an activation does too."""
    for activation in _running():
        _look_at_age(activation, now)
    for run in _long():
        _look_at_length(run, now)
    for activation in _missed():
        _look_at_slots(activation, now)
    _close_paused(now)


def overdue_since(slots: Iterable[datetime], number: int, now: datetime) -> datetime | None:
    """PURE. The last of the first `number` slots, if it is over; None if it is not.

    Args:
        slots: when runs were due since the last one that completed.
    """
    over = [slot for slot in sorted(slots)[:number] if slot + GRACE <= now]
    return over[-1] if number and len(over) == number else None


def _running() -> Iterator[Activation]:
    """Activations whose schedules start runs at times, and that no run is working on, with their last success."""
    at_work = Run.objects.filter(activation=OuterRef("pk"), dry_run=False, state__in=AT_WORK)
    paused = SystemPause.objects.filter(activation=OuterRef("pk"))
    success = Max(
        "runs__finished_at",
        filter=Q(runs__state__in=COMPLETED, runs__dry_run=False, runs__only_key="", runs__only_fields__isnull=True),
    )
    found = Activation.objects.filter(paused=False, is_draft=False, schedules__kind__in=TIMED).distinct()
    yield from (
        found.exclude(Exists(at_work))
        .exclude(Exists(paused))
        .prefetch_related("schedules")
        .annotate(last_success=success)
    )


def _look_at_age(activation: Activation, now: datetime) -> None:
    number = kinds.effective(activation.thresholds)["stale_intervals"]
    if not number:
        return
    last: datetime | None = getattr(activation, "last_success", None)
    slots = [slot for schedule in definition.of_runs(activation) for slot in _slots(schedule, last, int(number))]
    if since := overdue_since(slots, int(number), now):
        was = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "yet"
        message = f"No run has completed {was}, although at least {number} were due, the last one at {since:%H:%M} UTC."
        facts = {"last_success": last.isoformat() if last else None, "due": since.isoformat(), "runs": number}
        open_warning(activation, kinds.STALE, message, facts, now)


def _slots(schedule: Schedule, last: datetime | None, number: int) -> list[datetime]:
    """The first slots after the last success. What was due before the schedule was resumed doesn't count."""
    if schedule.kind not in TIMED:
        return []
    after = max(last, schedule.anchored_at) if last else schedule.anchored_at
    try:
        return definition.next_runs(schedule, after, number)
    except Problem:
        return []


def _long() -> Iterable[Run]:
    live = Run.objects.filter(state__in=AT_WORK, **Run.WHOLE, started_at__isnull=False)
    return live.filter(activation__thresholds__has_key="run_minutes").select_related("activation")


def _look_at_length(run: Run, now: datetime) -> None:
    limit = kinds.effective(run.activation.thresholds)["run_minutes"]
    minutes = (now - run.started_at).total_seconds() / 60 if run.started_at else 0
    if limit is not None and run.activation.warnings_enabled and minutes > limit:
        message = f"The run has taken {minutes:,.0f} minutes so far. The limit is {limit}."
        open_warning(run.activation, kinds.SLOW_RUN, message, {"minutes": round(minutes)}, now, run=run)


def _missed() -> Iterable[Activation]:
    """Activations with slots that were missed since their last run was requested."""
    missed = SkippedSlot.objects.filter(schedule__activation=OuterRef("pk"), reason=SkippedSlot.Reason.MISSED)
    later = Run.objects.filter(activation=OuterRef("schedule__activation"), created_at__gt=OuterRef("last_due_at"))
    current = missed.exclude(Exists(later.filter(dry_run=False)))
    return Activation.objects.filter(Exists(current), paused=False, is_draft=False, warnings_enabled=True)


def _look_at_slots(activation: Activation, now: datetime) -> None:
    limit = kinds.effective(activation.thresholds)["missed_slots"]
    slot = SkippedSlot.objects.filter(schedule__activation=activation, reason=SkippedSlot.Reason.MISSED).first()
    if slot and limit is not None and slot.number > limit:
        runs = "1 run was" if slot.number == 1 else f"{slot.number:,} runs were"
        message = (
            f"{runs} not started, because DinMo was not running. The last was due at {slot.last_due_at:%H:%M} UTC."
        )
        open_warning(activation, kinds.MISSED, message, {"number": slot.number}, now)


def _close_paused(now: datetime) -> None:
    """A person who pauses an activation does not expect it to be up to date."""
    paused = Activation.objects.filter(paused=True)
    for warning in Warning.objects.filter(kind=kinds.STALE, closed_at=None, activation__in=paused):
        close_warnings(warning.activation, [kinds.STALE], now, resolution="The activation was paused by a person.")
