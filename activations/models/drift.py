"""What a check for drift found: values that the destination holds differently although the source did not change."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from activations.models.baseline import Generation
from activations.models.change import Change
from activations.models.run import Run

UNDONE = (Run.State.FAILED, Run.State.CANCELLED)


class Drifts(models.Manager["Drift"]):
    """All drift, and the part that waits for a decision."""

    def open(self) -> models.QuerySet[Drift]:
        """What nobody has left as it is, and no run restores."""
        undecided = Q(restored_by=None) | Q(restored_by__state__in=UNDONE)
        return self.get_queryset().filter(undecided, is_left=False)


class Drift(models.Model):
    """One attribute of one record that the destination holds differently. The values are in `HeldValues`, if at all."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="drifts", db_index=False, db_constraint=False)
    change = models.ForeignKey(Change, models.DO_NOTHING, related_name="drifts", db_index=False, db_constraint=False)
    key_digest = models.BigIntegerField()
    field = models.CharField(max_length=200)
    held_digest = models.BigIntegerField(help_text="The digest of what the destination holds.")
    writer = models.CharField(max_length=20, blank=True, help_text="Who set it: a `Writer` of the contract.")
    writer_id = models.CharField(max_length=200, blank=True)
    written_at = models.DateTimeField(null=True)
    is_left = models.BooleanField(default=False, help_text="A person decided to leave it as it is.")
    restored_by = models.ForeignKey(
        Run,
        models.SET_NULL,
        null=True,
        related_name="restores",
        db_constraint=False,
        help_text="The run that sends it.",
    )

    objects = Drifts()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["run", "field", "id"], name="drift_of_run"),
            models.Index(fields=["run", "key_digest"], name="drift_of_record"),
        ]

    def __str__(self) -> str:
        return f"{self.field} of change {self.change_id}"


class LeftValue(models.Model):
    """A value of the destination that a person left as it is. It is not reported again until it changes again."""

    generation = models.ForeignKey(Generation, models.CASCADE, related_name="left_values", db_index=False)
    key_digest = models.BigIntegerField()
    field = models.CharField(max_length=200)
    held_digest = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "key_digest", "field"], name="left_value_once")]

    def __str__(self) -> str:
        return f"{self.field} of {self.key_digest}"
