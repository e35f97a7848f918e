"""Beat's scheduler: wakes the schedules of activations at exactly their slots, as the pages announce them.

Celery would read a cron expression differently, and count intervals from whenever it started.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from celery.schedules import BaseSchedule, schedstate
from django.db import DatabaseError, InterfaceError, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from activations.models import Schedule
from activations.scheduling import definition, slots, standby
from activations.scheduling.periodic_tasks import TASK
from core.errors import Misconfigured

if TYPE_CHECKING:
    from django_celery_beat.models import PeriodicTask

log = logging.getLogger(__name__)

IDLE_SECONDS = 24 * 60 * 60
STANDBY_SECONDS = 1.0


class SlotTimes(BaseSchedule):
    """The slots of a schedule."""

    def __init__(self, timing: slots.Timing, app: Any = None) -> None:
        super().__init__(app=app)
        self.timing = timing

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether there was a slot since `last_run_at`, and in how many seconds the next one comes."""
        now = self.now().astimezone(UTC)
        # A clock that was set back would otherwise keep beat waiting until it has caught up.
        was_due = slots.due(self.timing, min(last_run_at, now), now) is not None
        following = next(slots.upcoming(self.timing, now), None)
        return schedstate(was_due, (following - now).total_seconds() if following else IDLE_SECONDS)

    def __eq__(self, other: object) -> bool:
        return self.timing == other.timing if isinstance(other, SlotTimes) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.timing)


class Entry(ModelEntry):  # type: ignore[misc, unused-ignore]
    """A periodic task. Those of schedules fire at their slots."""

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        super().__init__(model, app)
        schedule = Schedule.objects.filter(pk=self.kwargs.get("schedule_id")).first() if model.task == TASK else None
        if schedule is None or schedule.kind == Schedule.Kind.AFTER:
            return
        try:
            definition.check(schedule)
        except Misconfigured:
            # Stored by an earlier version, which accepted more: it goes on to fire as it did.
            return
        self.schedule = SlotTimes(definition.timing(schedule), app)


class Scheduler(DatabaseScheduler):  # type: ignore[misc, unused-ignore]
    """Reads the periodic tasks from the database. Of several processes, only one is active."""

    Entry = Entry

    def __init__(self, *args: Any, **options: Any) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"
        self.is_active: bool | None = None
        self.renew_at = 0.0
        super().__init__(*args, **options)

    def tick(self, *args: Any, **options: Any) -> float:
        """Starts a task that is due, if this process is active. Returns the seconds until the next call."""
        if time.monotonic() >= self.renew_at:
            self._renew()
        if not self.is_active:
            return STANDBY_SECONDS
        return min(float(super().tick(*args, **options)), standby.lease_seconds() / 3)

    def close(self) -> None:
        """Saves what was started, and lets a process on stand-by take over."""
        super().close()
        standby.release(self.owner)

    def _renew(self) -> None:
        try:
            close_old_connections()
            active = standby.take(self.owner)
        except (DatabaseError, InterfaceError) as error:
            log.warning("Beat waits for the database (%s).", type(error).__name__)
            active = False
        if active and not self.is_active:
            # What the other process started is in the database.
            self._heap, self._initial_read = None, True
        if active != self.is_active:
            log.info("Beat is active." if active else "Beat is on stand-by: a different process is active.")
        self.is_active = active
        self.renew_at = time.monotonic() + (standby.lease_seconds() / 3 if active else 0)
