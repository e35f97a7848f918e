"""Settles slots, for beat and the sweep alike, so that it doesn't matter which of them calls it, or how often."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Min, Q

from activations.models import Run, Schedule, SkippedSlot
from activations.runs import restores
from activations.scheduling import data_changes, definition, outcomes, slots
from core.errors import Problem

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

log = logging.getLogger(__name__)
LARGEST_STEP = timedelta(minutes=5)
"""A clock that is set back by more was wrong before."""
IDLE = timedelta(days=1)
"""Without slots, the mark of a schedule still moves this often, so that little has to be counted."""
COMPLETED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)


def settle(schedule_id: int, now: datetime) -> None:
    """Gives each slot that is due a run or a reason. Does nothing if somebody else has just done so.

    Raises:
        Misconfigured: the schedule is not valid.
    """
    schedule = _active().filter(pk=schedule_id).first()
    if schedule is not None and outcomes.has_slots(schedule.activation):
        _settle(schedule, now)


def settle_all(now: datetime) -> None:
    """Settles every schedule that is behind, because beat did not fire it, or was not running."""
    _pass_over_paused(now)
    for schedule in _active():
        try:
            if outcomes.has_slots(schedule.activation):
                _settle(schedule, now)
        except Problem as problem:
            log.warning("The schedule %s was not settled: %s %s", schedule.pk, problem.code, problem.message)


def run_ended(run_id: int, now: datetime) -> None:
    """Starts what waited for the end of a run: the run that was due meanwhile, and activations that follow."""
    run = Run.objects.select_related("activation").get(pk=run_id)
    if run.kind == Run.Kind.DRIFT and run.state not in Run.OPEN:
        restores.heal(run)
    if run.dry_run or run.state in Run.OPEN:
        return
    # A check for drift may have asked for a run while this one was in progress.
    for check in Run.objects.filter(activation=run.activation, kind=Run.Kind.DRIFT, follow_up=True):
        restores.heal(check)
    if run.follow_up:
        outcomes.start_follow_up(run, now)
    for schedule_id in Schedule.objects.filter(kind=Schedule.Kind.AFTER, after=run.activation).values_list("pk"):
        settle(schedule_id[0], now)


def start_follow_ups(now: datetime) -> None:
    """Starts every run that was due while one was in progress that has ended since."""
    waiting = Run.objects.filter(follow_up=True).exclude(state__in=Run.OPEN)
    for run in waiting.select_related("activation"):
        if run.kind == Run.Kind.DRIFT:
            restores.heal(run)
        else:
            outcomes.start_follow_up(run, now)


def prune(now: datetime) -> None:
    """Deletes the records of slots that are older than the changes of runs."""
    SkippedSlot.objects.filter(last_due_at__lt=now - timedelta(days=settings.RETENTION_DAYS)).delete()


def _settle(schedule: Schedule, now: datetime) -> None:
    if schedule.settled_until > now + LARGEST_STEP:
        _restart_after_wrong_clock(schedule, now)
        return
    due = _due(schedule, now)
    if due is None:
        if schedule.kind != Schedule.Kind.AFTER and now - schedule.settled_until > IDLE:
            _claim(schedule, now)
    elif schedule.kind == Schedule.Kind.DATA_CHANGED:
        data_changes.poll(schedule, due.last, now)
    else:
        with transaction.atomic():
            if _claim(schedule, due.last):
                outcomes.act(schedule, due, _before_last(schedule, due), now)


def _due(schedule: Schedule, now: datetime) -> slots.Slots | None:
    if schedule.kind == Schedule.Kind.AFTER:
        found = _completed(schedule, schedule.settled_until, now).aggregate(
            first=Min("finished_at"), last=Max("finished_at"), number=Count("pk")
        )
        return slots.Slots(**found) if found["number"] else None
    return slots.due(definition.timing(schedule), schedule.settled_until, now)


def _before_last(schedule: Schedule, due: slots.Slots) -> datetime | None:
    """The second newest of the slots."""
    if due.number == 1:
        return None
    if schedule.kind == Schedule.Kind.AFTER:
        earlier = _completed(schedule, schedule.settled_until, due.last).exclude(finished_at=due.last)
        found: datetime | None = earlier.aggregate(last=Max("finished_at"))["last"]
        return found or due.last
    before = slots.due(definition.timing(schedule), schedule.settled_until, due.last - timedelta(microseconds=1))
    assert before
    return before.last


def _completed(schedule: Schedule, after: datetime, until: datetime) -> Any:
    """The completed runs of the activation that this schedule follows."""
    until = min(until, schedule.ends_at) if schedule.ends_at else until
    runs = Run.objects.filter(activation=schedule.after_id, state__in=COMPLETED, **Run.WHOLE)
    runs = runs.filter(finished_at__gt=after, finished_at__lte=until)
    return runs.filter(finished_at__gte=schedule.starts_at) if schedule.starts_at else runs


def _claim(schedule: Schedule, until: datetime) -> bool:
    """Moves the mark up to which slots are settled, unless somebody else has moved it since it was read."""
    unchanged = Schedule.objects.filter(pk=schedule.pk, settled_until=schedule.settled_until)
    return bool(unchanged.update(settled_until=until))


@transaction.atomic
def _restart_after_wrong_clock(schedule: Schedule, now: datetime) -> None:
    """Forgets what a clock settled that was ahead, so that the same moments are due again once they come."""
    if _claim(schedule, now):
        log.warning("The clock was set back: the schedule %s counts from now.", schedule.pk)
        SkippedSlot.objects.filter(schedule=schedule, last_due_at__gt=now).delete()
        Run.objects.filter(schedule=schedule, due_at__gt=now).update(due_at=None)
        Schedule.objects.filter(pk=schedule.pk, anchored_at__gt=now).update(anchored_at=now)


def _pass_over_paused(now: datetime) -> None:
    """Moves the marks of paused activations along: they have no slots, and none to catch up on once they resume."""
    paused = Q(activation__paused=True) | Q(activation__is_draft=True) | Q(activation__system_pause__isnull=False)
    behind = Schedule.objects.filter(paused, settled_until__lt=now - timedelta(minutes=1))
    Schedule.objects.filter(pk__in=list(behind.values_list("pk", flat=True))).update(settled_until=now)


def _active() -> QuerySet[Schedule]:
    related = ("activation__system_pause", "activation__segment__model", "activation__model")
    schedules = Schedule.objects.select_related(*related).filter(activation__paused=False, activation__is_draft=False)
    # Of several that are due, the oldest starts the run, whatever order the database likes.
    return schedules.order_by("pk")
