"""The rows of django-celery-beat that wake a schedule at its slots. The schedules are the truth, and these follow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from activations.models import Activation, Schedule
from activations.scheduling import cron, definition
from core.audit import recording
from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

TASK = "activations.tasks.fire"
_PREFIX = "schedule:"
_MINUTE_SECONDS = 60


@transaction.atomic
def sync(schedule: Schedule) -> str:
    """Writes the periodic task of a saved schedule, but only if it changed: saving makes beat read all of them again.

    A schedule whose activation was resumed or started counts from now.

    Returns:
        What was done: "created", "updated", "removed" or "".

    Raises:
        Misconfigured: see `definition.check`.
    """
    definition.check(schedule)
    if schedule.kind == Schedule.Kind.AFTER:
        return "removed" if remove(schedule) else ""
    task = PeriodicTask.objects.filter(name=_name(schedule)).first()
    if task and not task.enabled and _is_enabled(schedule):
        restart([schedule], timezone.now())
    wanted = _wanted(schedule)
    done = ""
    if task is None:
        task, done = PeriodicTask.objects.create(**wanted), "created"
    elif any(getattr(task, name) != value for name, value in wanted.items()):
        for name, value in wanted.items():
            setattr(task, name, value)
        task.save()
        done = "updated"
    if schedule.task_id != task.pk:
        schedule.task = task
        Schedule.objects.filter(pk=schedule.pk).update(task=task)
    return done


def sync_all(activation: Activation) -> None:
    """Writes the periodic tasks of all schedules of an activation, e.g. after it was paused or resumed."""
    for schedule in _schedules().filter(activation=activation):
        sync(schedule)


def start(activation: Activation) -> None:
    """Turns a draft into an activation whose schedules start runs. Does nothing to one that is none."""
    if not activation.is_draft:
        return
    with recording(activation):
        started = Activation.objects.filter(pk=activation.pk, is_draft=True).update(is_draft=False)
    activation.is_draft = False
    if started:
        resume(activation, timezone.now())


def resume(activation: Activation, now: datetime) -> None:
    """Lets the schedules of an activation count from now: while it was paused, it had no slots."""
    restart(_schedules().filter(activation=activation), now)
    sync_all(activation)


def restart(schedules: Iterable[Schedule], now: datetime) -> None:
    """Lets schedules count from now. What was due before is forgotten.

    Args:
        schedules: saved schedules.
    """
    for schedule in schedules:
        schedule.anchored_at = schedule.settled_until = now
        Schedule.objects.filter(pk=schedule.pk).update(anchored_at=now, settled_until=now)


def remove(schedule: Schedule) -> int:
    """Deletes the periodic task. Call this before the schedule itself is deleted. Returns how many there were."""
    return PeriodicTask.objects.filter(name=_name(schedule)).delete()[0]


def heal() -> Iterator[str]:
    """Creates, corrects and deletes periodic tasks until they match the schedules. Returns what was done, in words."""
    schedules = {schedule.pk: schedule for schedule in _schedules()}
    for schedule in schedules.values():
        try:
            done = sync(schedule)
        except Misconfigured as problem:
            yield f"Not valid: the schedule {schedule.pk} of {schedule.activation}. {problem.message}"
            continue
        if done:
            yield f"{done.capitalize()}: the periodic task of {schedule.activation}, {definition.words(schedule)}."
    names = {_name(schedule) for schedule in schedules.values()}
    for extra in PeriodicTask.objects.filter(name__startswith=_PREFIX).exclude(name__in=names):
        extra.delete()
        yield f"Removed: the periodic task {extra.name}, which belongs to no schedule."
    for double in PeriodicTask.objects.filter(task=TASK).exclude(name__in=names):
        double.delete()
        yield f"Removed: the periodic task {double.name}, which no schedule asked for."


def _schedules() -> Any:
    # Queried again: a screen may have prefetched the schedules before it changed them.
    return Schedule.objects.select_related("activation", "after").order_by("pk")


def _is_enabled(schedule: Schedule) -> bool:
    return not schedule.activation.paused and not schedule.activation.is_draft


def _name(schedule: Schedule) -> str:
    return f"{_PREFIX}{schedule.pk}"


def _wanted(schedule: Schedule) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "name": _name(schedule),
        "task": TASK,
        "kwargs": json.dumps({"schedule_id": schedule.pk}),
        "enabled": _is_enabled(schedule),
        # Beat reads a schedule only when its task changes, so the task has to change with it.
        "description": f"{definition.words(schedule)}. Counts from {schedule.anchored_at:%Y-%m-%d %H:%M:%S.%f} UTC.",
        "interval": None,
        "crontab": None,
        "expire_seconds": None,
    }
    if schedule.kind in (Schedule.Kind.INTERVAL, Schedule.Kind.DATA_CHANGED):
        seconds = int(definition.interval(schedule).total_seconds())
        wanted["interval"] = _interval(seconds)
        # A worker that starts again after a while must not find a pile of old firings.
        wanted["expire_seconds"] = seconds
    else:
        wanted["crontab"], _ = CrontabSchedule.objects.get_or_create(
            **cron.plain_fields(definition.expression(schedule)), timezone=schedule.timezone
        )
    return wanted


def _interval(seconds: int) -> IntervalSchedule:
    if seconds % _MINUTE_SECONDS:
        return IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)[0]
    minutes = seconds // _MINUTE_SECONDS
    return IntervalSchedule.objects.get_or_create(every=minutes, period=IntervalSchedule.MINUTES)[0]
