"""Schedules as periodic tasks of django-celery-beat, and the times at which they fire next."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from celery.schedules import ParseException, crontab
from django.db import transaction
from django.db.models import Q
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from activations.models import Activation, Schedule
from activations.setup import holds
from core.errors import Misconfigured, Problem
from segments.sources import drift

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)
TASK = "activations.tasks.fire"
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
LOOK_AHEAD_DAYS = 5 * 366
_MINUTES = {Schedule.Unit.MINUTES: 1, Schedule.Unit.HOURS: 60, Schedule.Unit.DAYS: 1440}
_CRON_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def interval(schedule: Schedule) -> timedelta:
    """The time between two firings of a schedule of kind interval."""
    return timedelta(minutes=(schedule.every or 0) * _MINUTES[Schedule.Unit(schedule.unit)])


def cron_fields(schedule: Schedule) -> dict[str, str]:
    """The five fields of a cron or weekly schedule, as CrontabSchedule names them.

    Raises:
        Misconfigured: the cron expression doesn't have five fields, or the day or the time is missing.
    """
    if schedule.kind == Schedule.Kind.CRON:
        parts = schedule.cron.split()
        if len(parts) != len(_CRON_FIELDS):
            raise Misconfigured(
                "cron_invalid",
                f"{schedule.cron!r} is not a valid cron expression. It needs five fields, such as 0 7 * * 1-5.",
            )
        return dict(zip(_CRON_FIELDS, parts, strict=True))
    return _weekly_fields(schedule)


def check(schedule: Schedule) -> None:
    """Raises Misconfigured if the schedule is not valid or could never fire."""
    if schedule.kind == Schedule.Kind.INTERVAL:
        if not schedule.every:
            raise Misconfigured("interval_invalid", "The interval must be at least one minute.")
        return
    fields = cron_fields(schedule)
    try:
        never = (
            next(_cron_firings(crontab(**fields), schedule.timezone, datetime(2024, 1, 1, tzinfo=UTC)), None) is None
        )
    except (ValueError, KeyError, ParseException) as error:
        raise Misconfigured("cron_invalid", f"{schedule} is not a valid schedule: {error}") from None
    if never:
        raise Misconfigured("cron_invalid", f"{schedule} names a day that doesn't exist, so it would never fire.")


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


def remove(schedule: Schedule) -> None:
    """Deletes the periodic task. Call this before the schedule itself is deleted."""
    PeriodicTask.objects.filter(name=_name(schedule)).delete()


def may_start(activation: Activation) -> bool:
    """Whether a schedule may start a run now. If a changed source puts it on hold, the source is checked again."""
    if activation.paused:
        return False
    if not holds.reason(activation):
        return True
    try:
        drift.look_before(activation.rows, activation.columns)
    except Problem as problem:
        log.info("The activation %s is on hold: %s", activation.pk, problem.code)
        return False
    return True


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
        yield from _cron_firings(crontab(**cron_fields(schedule)), schedule.timezone, now)


def _interval_start(schedule: Schedule, now: datetime) -> datetime:
    """When beat started the current interval: at the task's last run, or when its row last changed."""
    task = schedule.task
    return (task.last_run_at or task.date_changed) if task and task.enabled else now


def _cron_firings(times: crontab, zone: tzinfo, now: datetime) -> Iterator[datetime]:
    """The minutes after `now` that match a cron expression in its time zone."""
    today = now.astimezone(zone).date()
    for day in (today + timedelta(days=number) for number in range(LOOK_AHEAD_DAYS)):
        matches = (
            day.month in times.month_of_year,
            day.day in times.day_of_month,
            day.isoweekday() % 7 in times.day_of_week,
        )
        if all(matches):
            for hour, minute in product(sorted(times.hour), sorted(times.minute)):
                time = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                if time > now:
                    yield time


def _weekly_fields(schedule: Schedule) -> dict[str, str]:
    days = [WEEKDAYS.index(day) for day in schedule.days if day in WEEKDAYS]
    if not days or len(days) != len(schedule.days):
        raise Misconfigured("days_invalid", f"Choose one or more days of the week: {', '.join(WEEKDAYS)}.")
    if schedule.at is None:
        raise Misconfigured("time_missing", "A weekly schedule needs a time of day.")
    return {
        "minute": str(schedule.at.minute),
        "hour": str(schedule.at.hour),
        "day_of_month": "*",
        "month_of_year": "*",
        "day_of_week": ",".join(map(str, sorted(days))),
    }


def _name(schedule: Schedule) -> str:
    return f"schedule:{schedule.pk}"


def _wanted(schedule: Schedule) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "name": _name(schedule),
        "task": TASK,
        "kwargs": json.dumps({"schedule_id": schedule.pk}),
        "enabled": not schedule.activation.paused,
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
            **cron_fields(schedule), timezone=schedule.timezone
        )
    return wanted
