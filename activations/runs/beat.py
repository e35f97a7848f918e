"""Beat's scheduler: fires the cron schedules of activations at exactly the times that the pages announce.

Celery reads an expression differently: it requires both fields for days to match, and when clocks are set back, its
`*/30` leaves out 90 minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from celery.schedules import BaseSchedule, schedstate
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from activations.setup import cron
from activations.setup.schedules import TASK
from core.errors import Misconfigured

if TYPE_CHECKING:
    from django_celery_beat.models import PeriodicTask


class CronTimes(BaseSchedule):
    """The times of a cron expression in a time zone."""

    def __init__(self, expression: str, zone: tzinfo, app: Any = None) -> None:
        super().__init__(app=app)
        self.expression, self.zone = expression, zone

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether it should have fired since `last_run_at`, and in how many seconds it fires next."""
        now = self.now().astimezone(UTC)
        due = next(cron.firings(self.expression, self.zone, last_run_at), None)
        if due is None:
            return schedstate(False, 24 * 60 * 60)
        if due > now:
            return schedstate(False, (due - now).total_seconds())
        following = next(cron.firings(self.expression, self.zone, now))
        return schedstate(True, (following - now).total_seconds())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CronTimes):
            return NotImplemented
        return (self.expression, str(self.zone)) == (other.expression, str(other.zone))

    def __hash__(self) -> int:
        return hash((self.expression, str(self.zone)))


class Entry(ModelEntry):  # type: ignore[misc, unused-ignore]
    """A periodic task. Those of cron schedules fire at the times of `cron.firings`."""

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        super().__init__(model, app)
        if model.task == TASK and model.crontab:
            expression = " ".join(getattr(model.crontab, name) for name in cron.FIELDS)
            try:
                cron.parse(expression)
            except Misconfigured:
                # Stored by an earlier version, which accepted more: it goes on to fire as it did.
                return
            self.schedule = CronTimes(expression, model.crontab.timezone, app)


class Scheduler(DatabaseScheduler):  # type: ignore[misc, unused-ignore]
    """Reads the periodic tasks from the database."""

    Entry = Entry
