"""A warning: something about an activation that a person should look at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from activations import warning_kinds
from activations.models.activation import Activation
from activations.models.run import Run


class Warning(models.Model):
    """Something about an activation that a person should look at. A run opens it, and a later one closes it."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="warnings")
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="warnings")
    last_run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=40, help_text="A slug of activations.warning_kinds.")
    subject = models.CharField(max_length=200, blank=True, help_text="What the warning is about, such as an attribute.")
    message = models.TextField()
    facts = models.JSONField(default=dict)
    cause = models.CharField(
        max_length=60,
        blank=True,
        db_default="",
        help_text="What several activations have in common, such as a source that can't be reached.",
    )
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

    @property
    def label(self) -> str:
        """The kind in words."""
        return warning_kinds.label(self.kind)
