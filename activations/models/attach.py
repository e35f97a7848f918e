"""Making hidden records visible: the setting, the hidden records of a generation, and what runs did about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from activations.models.activation import Activation
from activations.models.baseline import Generation
from activations.models.run import Run
from segments.models import DataModel

if TYPE_CHECKING:
    from collections.abc import Mapping


class AttachContacts(models.Model):
    """Which people are attached to records that the destination hides, so that it shows them.

    `found_by` is the column of each attribute that finds a person at the destination (see `Service.reveals`).
    """

    activation = models.OneToOneField(Activation, models.CASCADE, related_name="attach_contacts")
    model = models.ForeignKey(DataModel, models.PROTECT, related_name="attached_by")
    company_column = models.CharField(max_length=200)
    found_by = models.JSONField(default=dict)
    at_most = models.PositiveSmallIntegerField(default=1)

    class Meta:
        verbose_name = "activation that attaches its rows"
        verbose_name_plural = "activations that attach its rows"

    def __str__(self) -> str:
        return f"{self.model} attached by {self.activation}"

    @classmethod
    def store(cls, activation: Activation, values: Mapping[str, Any] | None) -> None:
        """Replaces the setting of a saved activation; None removes it."""
        if values is None:
            cls.objects.filter(activation=activation).delete()
        else:
            cls.objects.update_or_create(activation=activation, defaults=dict(values))

    @property
    def owner(self) -> Activation:
        """What it is a part of."""
        return self.activation

    @property
    def columns(self) -> list[str]:
        """The columns of the model that it reads."""
        return [self.company_column, *self.found_by.values()]


class HiddenRecord(models.Model):
    """A record that the destination accepted but does not show yet.

    Stored in the commit that accepts the record, whether or not anything is attached to it later. It is due in run
    `retry_run`, or after `retry_at`, unless run `tried_run` has already tried it. `attached_at` is set once something
    was attached to it: vendors may report it as hidden for a while after that.
    """

    generation = models.ForeignKey(Generation, models.CASCADE, related_name="hidden_records", db_index=False)
    key = models.TextField()
    key_digest = models.BigIntegerField()
    name = models.TextField(blank=True)
    remote_id = models.CharField(max_length=200)
    is_created = models.BooleanField(default=False, help_text="The run that last reported it as hidden created it.")
    reported_run = models.PositiveIntegerField(default=0, help_text="The number of that run.")
    attempts = models.PositiveIntegerField(default=0)
    tried_run = models.PositiveIntegerField(default=0)
    retry_run = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    attached_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "key_digest"], name="hidden_record_once")]
        indexes = [
            models.Index(fields=["generation", "id"], condition=models.Q(attached_at=None), name="hidden_record_open")
        ]

    def __str__(self) -> str:
        return self.name or self.key


class Attachment(models.Model):
    """What a run did about one hidden record."""

    class Outcome(models.TextChoices):
        ATTACHED = "attached", "Attached"
        VISIBLE = "visible", "Visible already"
        UNKNOWN = "unknown", "No known contact"
        REFUSED = "refused", "Refused"

    run = models.ForeignKey(Run, models.CASCADE, related_name="attachments")
    key = models.TextField()
    key_digest = models.BigIntegerField()
    name = models.TextField(blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    candidates = models.PositiveIntegerField(default=0, help_text="People of the record in the source that were tried.")
    attached = models.JSONField(default=list, help_text="The IDs at the destination of what was attached.")
    code = models.CharField(max_length=80, blank=True)
    message = models.TextField(blank=True)
    request_id = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["key_digest"], name="attachment_key")]

    def __str__(self) -> str:
        return self.name or self.key
