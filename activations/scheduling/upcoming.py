"""The next runs of many activations, with one query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Schedule
from activations.scheduling import definition
from core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

_READ = (
    "activation", "purpose", "kind", "every", "unit", "cron", "days", "at", "timezone", "starts_at", "ends_at",
    "anchored_at",
)  # fmt: skip


def next_runs(activations: Collection[int], now: datetime) -> dict[int, datetime]:
    """When schedules start the next run of each activation, if nothing holds it back. Those without one are left out.

    Args:
        activations: their IDs.
    """
    found: dict[int, datetime] = {}
    schedules = Schedule.objects.filter(activation__in=activations, purpose=Schedule.Purpose.RUN)
    for schedule in schedules.only(*_READ):
        if time := _next(schedule, now):
            found[schedule.activation_id] = min(time, found.get(schedule.activation_id, time))
    return found


def _next(schedule: Schedule, now: datetime) -> datetime | None:
    try:
        return next(iter(definition.next_runs(schedule, now, 1)), None)
    except Problem:
        return None
