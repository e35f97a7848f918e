"""A pause by the system: an activation whose runs would all fail, until what it depends on works again."""

from __future__ import annotations

from django.db import models

from activations.models.activation import Activation


class SystemPause(models.Model):
    """Why the system paused an activation. It resumes what it paused, and nothing that a person paused."""

    class Cause(models.TextChoices):
        SOURCE = "source", "Source"
        CONNECTION = "connection", "Connection"
        CONFIGURATION = "configuration", "Configuration"

    activation = models.OneToOneField(Activation, models.CASCADE, related_name="system_pause")
    cause = models.CharField(max_length=20, choices=Cause.choices)
    code = models.CharField(max_length=60)
    message = models.TextField()
    since = models.DateTimeField()
    checks = models.PositiveIntegerField(default=0, help_text="How often its cause was checked since.")
    next_check_at = models.DateTimeField()
    trials = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How often it was resumed since, and a run failed for the same reason."
    )

    class Meta:
        ordering = ["-since"]

    def __str__(self) -> str:
        return f"{self.activation}: {self.message}"
