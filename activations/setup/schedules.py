"""Schedules as periodic tasks of django-celery-beat, and the times at which they fire next."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from activations.models import Activation, Schedule
from activations.setup import cron, holds
from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK = "activations.tasks.fire"
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
LONGEST_MINUTES = 366 * 1440
_MINUTES = {Schedule.Unit.MINUTES: 1, Schedule.Unit.HOURS: 60, Schedule.Unit.DAYS: 1440}


def interval(schedule: Schedule) -> timedelta:
    """The time between two firings of a schedule of kind interval."""
    return timedelta(minutes=(schedule.every or 0) * _MINUTES[Schedule.Unit(schedule.unit)])


def expression(schedule: Schedule) -> str:
    """The cron expression of a cron or weekly schedule.

    Raises:
        Misconfigured: the day or the time of a weekly schedule is missing.
    """
    return " ".join(schedule.cron.split()) if schedule.kind == Schedule.Kind.CRON else _weekly(schedule)


def check(schedule: Schedule) -> None:
    """Raises Misconfigured if the schedule is not valid or could never fire."""
    if schedule.kind == Schedule.Kind.INTERVAL:
        if not schedule.every:
            raise Misconfigured("interval_invalid", "The interval must be at least one minute.")
        if schedule.every * _MINUTES[Schedule.Unit(schedule.unit)] > LONGEST_MINUTES:
            raise Misconfigured("interval_invalid", "The interval must be at most one year.")
        return
    if not cron.fires_ever(expression(schedule)):
        raise Misconfigured(
            "cron_invalid", f"{schedule} names a day that doesn't exist, so it would never fire.", where="cron"
        )


def words(schedule: Schedule) -> str:
    """When the schedule fires, in words. Raises Misconfigured like `check`."""
    check(schedule)
    if schedule.kind == Schedule.Kind.INTERVAL:
        return f"Every {schedule.every} {schedule.unit}"
    return f"{cron.words(expression(schedule))} ({schedule.timezone})"


@transaction.atomic
def sync(schedule: Schedule) -> None:
    """Writes the periodic task of a saved schedule, but only if it changed: saving restarts an interval.

    Raises:
        Misconfigured: see `check`.
    """
    check(schedule)
    wanted = _wanted(schedule)
    task = PeriodicTask.objects.filter(name=wanted["name"]).first()
    if task is None:
        task = PeriodicTask.objects.create(**wanted)
    elif any(getattr(task, name) != value for name, value in wanted.items()):
        for name, value in wanted.items():
            setattr(task, name, value)
        task.save()
    if schedule.task_id != task.pk:
        schedule.task = task
        Schedule.objects.filter(pk=schedule.pk).update(task=task)


def sync_all(activation: Activation) -> None:
    """Writes the periodic tasks of all schedules of an activation, e.g. after it was paused or resumed."""
    # Queried again: a screen may have prefetched the schedules before it changed them.
    for schedule in Schedule.objects.filter(activation=activation).select_related("activation"):
        sync(schedule)


def start(activation: Activation) -> None:
    """Turns a draft into an activation whose schedules start runs. Does nothing to one that is none."""
    if Activation.objects.filter(pk=activation.pk, is_draft=True).update(is_draft=False):
        activation.is_draft = False
        sync_all(activation)


def remove(schedule: Schedule) -> None:
    """Deletes the periodic task. Call this before the schedule itself is deleted."""
    PeriodicTask.objects.filter(name=_name(schedule)).delete()


def may_start(activation: Activation) -> bool:
    """Whether a schedule may start a run now. What the system paused is checked by the sweep, and resumed then."""
    return not holds.reason(activation)


def claim_firing(schedule: Schedule, now: datetime) -> bool:
    """Whether this firing counts. False if a second beat process, or beat after a crash, repeats an earlier one."""
    if schedule.kind == Schedule.Kind.INTERVAL:
        due = Q(last_fired_at__lte=now - interval(schedule) / 2)
    else:
        due = Q(last_fired_at__lt=now.replace(second=0, microsecond=0))
    unfired = Schedule.objects.filter(Q(last_fired_at__isnull=True) | due, pk=schedule.pk)
    return bool(unfired.update(last_fired_at=now))


def next_runs(schedule: Schedule, now: datetime, count: int = 3) -> list[datetime]:
    """The next `count` firings after `now`."""
    return list(islice(_firings(schedule, now), count))


def _firings(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    if schedule.kind == Schedule.Kind.INTERVAL:
        step = interval(schedule)
        time = _interval_start(schedule, now) + step
        while True:
            if time > now:
                yield time
            time += step
    else:
        yield from cron.firings(expression(schedule), schedule.timezone, now)


def _interval_start(schedule: Schedule, now: datetime) -> datetime:
    """When beat started the current interval: at the task's last run, or when its row last changed."""
    task = schedule.task
    return (task.last_run_at or task.date_changed) if task and task.enabled else now


def _weekly(schedule: Schedule) -> str:
    days = [WEEKDAYS.index(day) for day in schedule.days if day in WEEKDAYS]
    if not days or len(days) != len(schedule.days):
        raise Misconfigured("days_invalid", f"Choose one or more days of the week: {', '.join(WEEKDAYS)}.")
    if schedule.at is None:
        raise Misconfigured("time_missing", "A weekly schedule needs a time of day.")
    return f"{schedule.at.minute} {schedule.at.hour} * * {','.join(map(str, sorted(days)))}"


def _name(schedule: Schedule) -> str:
    return f"schedule:{schedule.pk}"


def _wanted(schedule: Schedule) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "name": _name(schedule),
        "task": TASK,
        "kwargs": json.dumps({"schedule_id": schedule.pk}),
        "enabled": not schedule.activation.paused and not schedule.activation.is_draft,
        "interval": None,
        "crontab": None,
        "expire_seconds": None,
    }
    if schedule.kind == Schedule.Kind.INTERVAL:
        minutes = int(interval(schedule).total_seconds() // 60)
        wanted["interval"], _ = IntervalSchedule.objects.get_or_create(every=minutes, period=IntervalSchedule.MINUTES)
        # A worker that starts again after a while must not find a pile of old firings.
        wanted["expire_seconds"] = minutes * 60
    else:
        wanted["crontab"], _ = CrontabSchedule.objects.get_or_create(
            **cron.plain_fields(expression(schedule)), timezone=schedule.timezone
        )
    return wanted
