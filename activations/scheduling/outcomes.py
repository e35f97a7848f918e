"""Carries out decisions on slots: a run, or a record of why there is none. Called inside the claim's transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F

from activations.models import Activation, Run, Schedule, SkippedSlot
from activations.runs import drift_checks, outages
from activations.runs.due import start_due
from activations.scheduling.decision import Decision, Reason, decide
from activations.setup import holds

if TYPE_CHECKING:
    from datetime import datetime

    from activations.scheduling.slots import Slots

SHORTEST_GRACE = timedelta(seconds=60)
_ATTEMPTS = 3


def grace(schedule: Schedule) -> timedelta:
    """A slot that is older than this was missed: nothing was running that could have started it."""
    if schedule.kind == Schedule.Kind.DATA_CHANGED:
        # A change is never missed: the next look finds it.
        return timedelta.max
    return max(SHORTEST_GRACE, timedelta(seconds=2 * settings.RUN_SWEEP_SECONDS))


def has_slots(activation: Activation) -> bool:
    """Whether schedules of the activation start runs: it is neither a draft, nor paused by a person or the system."""
    return not (activation.is_draft or activation.paused or holds.system_pause(activation))


def act(schedule: Schedule, due: Slots, before_last: datetime | None, now: datetime) -> Decision:
    """Starts a run for the newest of the slots, or records why none starts.

    Args:
        before_last: the second newest slot; None if there is one slot.

    Returns:
        What was decided.
    """
    for _ in range(_ATTEMPTS):
        run = _open_run(schedule)
        decision = decide(
            due,
            now,
            _blocker(schedule.activation, run, now),
            catch_up=schedule.activation.catch_up,
            grace=grace(schedule),
        )
        if _carried_out(schedule, due, decision, run):
            break
    else:
        decision = Decision(False, decision.late, Reason.RUNNING)
    _record(schedule, due, before_last, decision)
    return decision


@transaction.atomic
def start_follow_up(run: Run, now: datetime) -> bool:
    """Starts the run that was due while this one was in progress. Returns whether it did.

    It waits as long as the vendor accepts no requests. A paused activation has no run that is due.
    """
    activation = run.activation
    if outages.must_wait(outages.latest_run(activation), now):
        return False
    claimed = Run.objects.filter(pk=run.pk, follow_up=True).exclude(state__in=Run.OPEN).update(follow_up=False)
    return bool(claimed and has_slots(activation) and start_due(activation, Run.Trigger.SCHEDULE))


def _open_run(schedule: Schedule) -> Run | None:
    """The run that keeps this schedule from starting one. Checks for drift and runs don't keep each other."""
    if schedule.purpose == Schedule.Purpose.DRIFT:
        return drift_checks.checks(schedule.activation).filter(state__in=Run.LIVE).first()
    return Run.objects.filter(activation=schedule.activation, state__in=Run.OPEN, dry_run=False).first()


def _blocker(activation: Activation, run: Run | None, now: datetime) -> Reason | None:
    """Why no run can start now."""
    if run:
        return _reason_of(activation, run)
    if outages.must_wait(outages.latest_run(activation), now):
        return Reason.VENDOR_WAIT
    return Reason.ON_HOLD if holds.cause(activation) else None


def _reason_of(activation: Activation, run: Run) -> Reason:
    if run.state == Run.State.HELD:
        return Reason.HELD
    if run.kind == Run.Kind.DRIFT:
        return Reason.RUNNING
    if run.is_partial:
        # A test of one record does not replace a run.
        return Reason.QUEUED
    # A run that no worker has begun yet reads the data later than now, so that one more would find nothing.
    has_begun = run.state != Run.State.QUEUED
    return Reason.QUEUED if has_begun and activation.overlap == Activation.Overlap.QUEUE else Reason.RUNNING


def _carried_out(schedule: Schedule, due: Slots, decision: Decision, run: Run | None) -> bool:
    """Whether the decision could be carried out. If not, the open run has just ended, or one has just begun."""
    if decision.starts:
        trigger = Run.Trigger.CATCH_UP if decision.late else Run.Trigger.SCHEDULE
        if schedule.purpose == Schedule.Purpose.DRIFT:
            return _check(schedule, trigger, due.last)
        return start_due(schedule.activation, trigger, schedule=schedule, due_at=due.last) is not None
    if (
        run is None
        or schedule.purpose == Schedule.Purpose.DRIFT
        or decision.reason not in (Reason.RUNNING, Reason.QUEUED)
    ):
        return True
    noted = Run.objects.filter(pk=run.pk, state__in=Run.OPEN)
    follow_up = {"follow_up": True} if decision.reason == Reason.QUEUED else {}
    return bool(noted.update(missed_firings=F("missed_firings") + due.number, **follow_up))


def _check(schedule: Schedule, trigger: str, due_at: datetime) -> bool:
    """Queues the check for drift of a slot, unless the slot has one already."""
    if not Run.objects.filter(schedule=schedule, due_at=due_at).exists():
        drift_checks.check(schedule.activation, trigger, schedule=schedule, due_at=due_at)
    return True


def _record(schedule: Schedule, due: Slots, before_last: datetime | None, decision: Decision) -> None:
    """Stores why slots started no run: one row for slots in a row with the same reason."""
    last = before_last if decision.starts else due.last
    number = due.number - decision.starts
    if decision.reason is None or last is None or not number:
        return
    latest = schedule.skipped_slots.order_by("-last_due_at").first()
    if latest and latest.reason == decision.reason and not _has_run_after(schedule, latest):
        SkippedSlot.objects.filter(pk=latest.pk).update(number=F("number") + number, last_due_at=last)
    else:
        schedule.skipped_slots.create(
            reason=decision.reason.value, first_due_at=due.first, last_due_at=last, number=number
        )


def _has_run_after(schedule: Schedule, skipped: SkippedSlot) -> bool:
    return Run.objects.filter(schedule=schedule, due_at__gt=skipped.last_due_at).exists()
