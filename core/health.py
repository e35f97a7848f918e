"""How a source or a connection fared at its last check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from datetime import datetime

    from core.errors import Problem


class Health(models.Model):
    """The last answer of the other side, kept on the row that was checked."""

    class State(models.TextChoices):
        UNKNOWN = "unknown", "Not checked yet"
        OK = "ok", "Working"
        FAILED = "failed", "Not working"

    health = models.CharField(max_length=10, choices=State.choices, default=State.UNKNOWN, editable=False)
    health_message = models.TextField(blank=True, editable=False)
    health_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def forget_health(self) -> None:
        """What was found says nothing about other settings; saved with them."""
        self.health, self.health_message, self.health_at = self.State.UNKNOWN, "", None

    def record_health(self, now: datetime, problem: Problem | None, message: str = "") -> None:
        """Stores the outcome of a check made at `now`: a problem, or all well with a message."""
        self.health = self.State.FAILED if problem else self.State.OK
        self.health_message = problem.message if problem else message
        self.health_at = now
        self.save(update_fields=["health", "health_message", "health_at"])
