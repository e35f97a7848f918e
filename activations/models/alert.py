"""Where alerts go, and the alerts that are still to be sent."""

from __future__ import annotations

from django.db import models

from activations import warning_kinds
from activations.models.activation import Activation
from activations.models.warning import Warning
from core.health import Health
from core.secrets import EncryptedJSONField
from core.text.names import NameField


class AlertChannel(Health):
    """A way to reach people: email addresses, or a webhook. Its health says whether the last message was accepted."""

    name = NameField(max_length=200, unique=True)
    kind = models.CharField(max_length=40)
    config = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    events = models.JSONField(default=list, blank=True, help_text="The kinds of events that it receives.")
    digest_at = models.TimeField(
        "daily digest at",
        null=True,
        blank=True,
        help_text="Collect messages and send them once a day.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A message about one change of state, to be sent. Without a channel, it goes to the activation's recipients."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Not sent"
        COVERED = "covered", "Part of an earlier message"

    channel = models.ForeignKey(AlertChannel, models.CASCADE, null=True, related_name="alerts")
    activation = models.ForeignKey(Activation, models.CASCADE, null=True, related_name="alerts")
    warning = models.ForeignKey(Warning, models.CASCADE, null=True, related_name="alerts")
    event = models.CharField(max_length=40)
    recovered = models.BooleanField(default=False)
    facts = models.JSONField(default=dict, help_text="What the message says. No values of records, and no secrets.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "due_at"], name="alert_due")]

    @property
    def label(self) -> str:
        """What it is about, in words."""
        return warning_kinds.label(str(self.facts.get("kind", self.event)))

    def __str__(self) -> str:
        return f"{self.event} · {self.get_state_display()}"
