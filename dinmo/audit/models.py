"""The table of the audit log. Triggers prevent changing and deleting its rows: see `append_only`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterator


class AuditEntry(models.Model):
    """One action on one object. It has no foreign keys, so it outlives the object and the actor."""

    at = models.DateTimeField()
    actor_kind = models.CharField("who", max_length=10, help_text="A core.audit.Kind.")
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField("name", max_length=200)
    address = models.CharField(max_length=64, blank=True)
    verb = models.CharField("what", max_length=20, help_text="A core.audit.Verb.")
    object_type = models.CharField(
        "kind of object", max_length=60, blank=True, help_text="The label of its table, such as activations.activation."
    )
    object_id = models.BigIntegerField(null=True)
    object_name = models.CharField("object", max_length=300, blank=True, help_text="Its name at that time.")
    changes = models.JSONField(default=dict, help_text="Field → before and after, in the words of the screens.")
    run = models.BigIntegerField(null=True, help_text="The ID of the run that it is about.")
    request = models.CharField(max_length=64, help_text="The same for everything that one request or command did.")

    class Meta:
        ordering = ["-pk"]
        default_permissions = ("view",)
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_of_object"),
            models.Index(fields=["actor_kind", "actor_id", "id"], name="audit_of_actor"),
            models.Index(fields=["verb", "id"], name="audit_of_verb"),
            models.Index(fields=["run", "id"], name="audit_of_run"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.verb} {self.object_name}".strip()

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """Each changed field with its value before and after."""
        for name, (before, after) in self.changes.items():
            yield name, before, after


class AuditDoor(models.Model):
    """The cutoff for retention: the triggers allow deleting entries older than this. One row, normally null."""

    deletable_before = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Entries before {self.deletable_before} can be deleted" if self.deletable_before else "Closed"
