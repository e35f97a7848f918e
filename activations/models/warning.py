"""A warning: something about an activation that a person should look at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from activations.models.activation import Activation
from activations.models.run import Run


class Warning(models.Model):
    """Something about an activation that a person should look at. A run opens it, and a later one closes it."""

    class Kind(models.TextChoices):
        REJECTED_SHARE = "rejected_share", "Many records rejected"
        INVALID_SHARE = "invalid_share", "Many records failed validation"
        EMPTY_SEGMENT = "empty_segment", "No rows"
        SIZE_CHANGE = "size_change", "Large change in size"
        MISSING_ATTRIBUTE = "missing_attribute", "Attribute can't be written"
        CHANGED_ATTRIBUTE = "changed_attribute", "Attribute type changed"
        RUN_FAILED = "run_failed", "Run failed"
        PAUSED = "paused", "Paused by the system"

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="warnings")
    run = models.ForeignKey(Run, models.CASCADE, related_name="warnings")
    last_run = models.ForeignKey(Run, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40, choices=Kind.choices)
    subject = models.CharField(max_length=200, blank=True, help_text="What the warning is about, such as an attribute.")
    message = models.TextField()
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True, db_default="")
    closed_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True)
    recovery_notified_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "kind", "subject"], condition=Q(closed_at__isnull=True), name="warning_open_once"
            )
        ]

    def __str__(self) -> str:
        return self.message
