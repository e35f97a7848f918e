"""The result of the last check of a source or a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from datetime import datetime

    from core.errors import Problem


class Health(models.Model):
    """Abstract model with the result of the last check."""

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
        """Resets the result after settings changed. The caller saves the row."""
        self.health, self.health_message, self.health_at = self.State.UNKNOWN, "", None

    def health_facts(self) -> dict[str, Any]:
        """The result as JSON for the API."""
        return {
            "state": self.health,
            "label": str(self.State(self.health).label),
            "message": self.health_message,
            "checked_at": self.health_at,
        }

    def record_health(self, now: datetime, problem: Problem | None, message: str = "") -> None:
        """Saves the result of a check at `now`: a problem, or success with an optional message."""
        self.health = self.State.FAILED if problem else self.State.OK
        self.health_message = problem.message if problem else message
        self.health_at = now
        self.save(update_fields=["health", "health_message", "health_at"])
