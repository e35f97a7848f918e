"""A schedule: when runs of an activation start automatically."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now
from django_celery_beat.models import PeriodicTask
from timezone_field import TimeZoneField

from activations.models.activation import Activation


class Schedule(models.Model):
    """When runs start automatically.

    A schedule has slots: the moments at which a run is due. Each slot up to `settled_until` has exactly one run, or a
    `SkippedSlot` with the reason. Moving that mark is the claim, so that no slot is settled twice.
    """

    class Kind(models.TextChoices):
        INTERVAL = "interval", "Every …"
        WEEKLY = "weekly", "On selected days"
        CRON = "cron", "Cron"
        AFTER = "after", "After another activation"
        DATA_CHANGED = "data_changed", "When the data changed"

    class Unit(models.TextChoices):
        MINUTES = "minutes", "minutes"
        HOURS = "hours", "hours"
        DAYS = "days", "days"

    class Purpose(models.TextChoices):
        RUN = "run", "Run"
        DRIFT = "drift", "Check for drift"

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="schedules")
    purpose = models.CharField(
        "starts",
        max_length=10,
        choices=Purpose.choices,
        default=Purpose.RUN,
        db_default=Purpose.RUN,
        help_text="A check for drift compares the destination with what was sent, and sends nothing.",
    )
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.INTERVAL)
    every = models.PositiveIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=10, choices=Unit.choices, default=Unit.MINUTES, blank=True)
    cron = models.CharField(
        max_length=100,
        blank=True,
        help_text="Minute, hour, day of the month, month, day of the week. For example: 0 7 * * 1-5",
    )
    days = models.JSONField(default=list, blank=True, help_text='Days of the week, e.g. ["monday", "wednesday"].')
    at = models.TimeField(null=True, blank=True)
    timezone = TimeZoneField(default="UTC")
    after = models.ForeignKey(
        Activation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="followers",
        help_text="A run starts whenever one of this activation completes.",
    )
    watch_column = models.CharField(
        max_length=200,
        blank=True,
        help_text="A column whose largest value grows whenever the data changes, such as updated_at. Without it, the "
        "source's own change counter is read.",
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text="No run is due before.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="No run is due after.")
    anchored_at = models.DateTimeField(default=now, editable=False, help_text="The moment from which intervals count.")
    settled_until = models.DateTimeField(
        default=now, editable=False, help_text="Every slot up to this moment has a run, or a reason."
    )
    signal = models.CharField(max_length=200, blank=True, editable=False, help_text="The data's state, as last seen.")
    signal_at = models.DateTimeField(null=True, editable=False)
    signal_problem = models.TextField(blank=True, editable=False)
    task = models.OneToOneField(PeriodicTask, models.SET_NULL, null=True, editable=False, related_name="+")

    def __str__(self) -> str:
        if self.kind == self.Kind.INTERVAL:
            return f"every {self.every} {self.unit}"
        if self.kind == self.Kind.CRON:
            return f"{self.cron} ({self.timezone})"
        if self.kind == self.Kind.AFTER:
            return f"after {self.after}"
        if self.kind == self.Kind.DATA_CHANGED:
            return f"when the data changed, checked every {self.every} {self.unit}"
        return f"{', '.join(self.days)} at {self.at.strftime('%H:%M') if self.at else '?'} ({self.timezone})"


class SkippedSlot(models.Model):
    """Slots in a row that started no run, for the same reason."""

    class Reason(models.TextChoices):
        RUNNING = "running", "A run was in progress"
        QUEUED = "queued", "A run was in progress; one more starts after it"
        HELD = "held", "A run waits for approval"
        ON_HOLD = "on_hold", "The source changed"
        VENDOR_WAIT = "vendor_wait", "The destination accepts no requests yet"
        MISSED = "missed", "DinMo was not running"
        CAUGHT_UP = "caught_up", "Missed, and caught up by one run"

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="skipped_slots")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    first_due_at = models.DateTimeField()
    last_due_at = models.DateTimeField()
    number = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-last_due_at"]
        constraints = [models.UniqueConstraint(fields=["schedule", "first_due_at"], name="slot_skipped_once")]

    def __str__(self) -> str:
        return f"{self.number} × {self.get_reason_display()}"


class BeatLease(models.Model):
    """The only row names the beat process that is active, and until when. Others wait: see `scheduling.standby`."""

    owner = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)
