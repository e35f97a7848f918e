"""Tokens with which programs start runs of one activation, and what they requested."""

from __future__ import annotations

from django.db import models

from activations.models.activation import Activation
from activations.models.run import Run


class TriggerToken(models.Model):
    """A token with which a program starts runs of one activation. Only its digest is stored."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="trigger_tokens")
    name = models.CharField(max_length=200, help_text="Which program uses it, such as dbt.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="Its first characters, to recognize it.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class TriggerRequest(models.Model):
    """A request with an idempotency key, and the run that it got. The same key always gets the same run."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["activation", "key"], name="requested_once_per_key")]

    def __str__(self) -> str:
        return f"{self.activation} · {self.key}"
