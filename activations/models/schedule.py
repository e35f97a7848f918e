"""A schedule: when runs of an activation start automatically."""

from __future__ import annotations

from django.db import models
from django_celery_beat.models import PeriodicTask
from timezone_field import TimeZoneField

from activations.models.activation import Activation


class Schedule(models.Model):
    """When runs start automatically: at an interval, by a cron expression, or at a time on some days of the week."""

    class Kind(models.TextChoices):
        INTERVAL = "interval", "Every …"
        CRON = "cron", "Cron"
        WEEKLY = "weekly", "On selected days"

    class Unit(models.TextChoices):
        MINUTES = "minutes", "minutes"
        HOURS = "hours", "hours"
        DAYS = "days", "days"

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="schedules")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.INTERVAL)
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
    last_fired_at = models.DateTimeField(null=True, editable=False)
    task = models.OneToOneField(PeriodicTask, models.SET_NULL, null=True, editable=False, related_name="+")

    def __str__(self) -> str:
        if self.kind == self.Kind.INTERVAL:
            return f"every {self.every} {self.unit}"
        if self.kind == self.Kind.CRON:
            return f"{self.cron} ({self.timezone})"
        return f"{', '.join(self.days)} at {self.at:%H:%M} ({self.timezone})"
