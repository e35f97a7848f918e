"""The changes of a run: what it decided about each record, and the outcome."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from activations.models.run import Run
from core.secrets import EncryptedJSONField


class Listed(models.Manager["Change"]):
    """The changes that people see: those of runs, without those of previews, which last for seconds."""

    def get_queryset(self) -> models.QuerySet[Change]:
        return super().get_queryset().filter(run__previewed_by=None)


class Change(models.Model):
    """What a run decided about one record, and the outcome. Sent values are stored only here, until retention ends."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        SENDING = "sending", "Sending"
        SETTLED = "settled", "Settled"

    class Outcome(models.TextChoices):
        NONE = "", "Not settled"
        ACCEPTED = "accepted", "Accepted"
        MATCHED = "matched", "Already up to date"
        REJECTED = "rejected", "Rejected"
        INVALID = "invalid", "Can't be sent"
        SKIPPED = "skipped", "Skipped"
        UNKNOWN = "unknown", "Unknown"
        NOT_SENT = "not_sent", "Not sent"
        CREATES = "creates", "Would be created"
        UPDATES = "updates", "Would be updated"

    HELD = (Outcome.ACCEPTED, Outcome.MATCHED)
    """The destination holds the values, because it accepted them or had them already."""
    FORESEEN = (Outcome.CREATES, Outcome.UPDATES)
    """Only in a live dry run: a run would send it."""
    TRIED = (Outcome.REJECTED, Outcome.SKIPPED)
    """The destination got or was asked about the record, and does not hold the values."""

    # Millions of rows are written in bulk: no check of each row. The indexes that find a record by the beginning of a
    # text are in migration 0018. They are written in delivery, at the pace of the destination.
    run = models.ForeignKey(Run, models.CASCADE, related_name="changes", db_index=False, db_constraint=False)
    epoch = models.PositiveIntegerField()
    key = models.TextField()
    key_digest = models.BigIntegerField()
    name = models.TextField(blank=True, db_default="", help_text="The value of the model's display column.")
    plain_name = models.TextField(
        # Null and not empty, so that the index leaves it out.
        null=True,
        help_text="The beginning of the name without accents, in lowercase. Null if the name is ASCII.",
    )
    is_new = models.BooleanField(help_text="No earlier change of this record was ever accepted.")
    remote_id = models.CharField(max_length=200, blank=True)
    match_identity = models.TextField(blank=True)
    match_value = models.JSONField(null=True)
    values = models.JSONField(default=dict)
    changed = models.JSONField(default=list)
    row_digest = models.BigIntegerField(default=0)
    match_digest = models.BigIntegerField(default=0)
    field_digests = models.BinaryField(default=b"")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.NONE, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=80, blank=True)
    message = models.TextField(blank=True)
    field = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=200, blank=True)
    sent = models.JSONField(default=list)
    kept = models.JSONField(null=True, help_text="The attributes that a write policy left as they are; null if none.")
    created = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)
    lookup_first = models.BooleanField(
        db_default=False, help_text="Its match value may lead to the record of a different row."
    )
    web_url = models.CharField(max_length=500, blank=True, db_default="", help_text="The record at the destination.")
    exchange_id = models.UUIDField(null=True, help_text="The last request that was sent for it, and the response.")

    objects = models.Manager()
    listed = Listed()

    class Meta:
        ordering = ["pk"]
        verbose_name = "record"
        indexes = [
            models.Index(fields=["run", "state", "id"], name="change_to_do"),
            models.Index(fields=["key_digest"], name="change_key"),
            models.Index(
                fields=["run", "outcome", "id"],
                condition=Q(outcome__in=("rejected", "invalid", "skipped", "unknown", "not_sent")),
                name="change_not_accepted",
            ),
            # Partial: most installations have no write policies, and most records nothing that is kept.
            models.Index(fields=["run", "id"], condition=Q(kept__isnull=False), name="change_kept"),
            models.Index(
                fields=["plain_name"],
                opclasses=["text_pattern_ops"],
                condition=Q(plain_name__isnull=False),
                name="change_plain_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.key


class Exchange(models.Model):
    """A request to the destination and its response, without secrets. Changes of one batch share it."""

    id = models.UUIDField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="exchanges", db_constraint=False)
    method = models.CharField(max_length=10)
    url = models.TextField()
    request = models.TextField(blank=True, help_text="The body that was sent, cut off at a limit.")
    status = models.PositiveSmallIntegerField(null=True, help_text="The HTTP status; empty if no response came.")
    response = models.TextField(blank=True, help_text="The body of the response, cut off at a limit.")
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class HeldValues(models.Model):
    """What a record held at the destination when a live dry run compared it, encrypted. One row for each change.

    `fields` has an entry for each attribute that a run would send: `held` is its value as people read it, left out if
    the service doesn't show it, and `same` is set if it equals what would be sent.
    """

    change = models.OneToOneField(
        Change, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="held_values"
    )
    run = models.ForeignKey(Run, models.CASCADE, related_name="held_values", db_constraint=False)
    fields = EncryptedJSONField()

    def __str__(self) -> str:
        return f"Held values of change {self.change_id}"


class Bundle(models.Model):
    """Changes of a run that are packed until their delivery begins.

    `new` and `known` are their numbers; `another` is how many of them now belong to a different record.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="bundles")
    epoch = models.PositiveIntegerField()
    new = models.PositiveIntegerField()
    known = models.PositiveIntegerField()
    another = models.PositiveIntegerField()
    keys = models.BinaryField()
    """The digests of the keys, so that one change can be found without unpacking the rest."""
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.new + self.known} changes of {self.run}"


class HeldPlan(models.Model):
    """What the plan of a held run needs besides its changes, until it is delivered or discarded.

    `displaced` are the key digests of records that other rows take over, 8 bytes each. `made_from` are digests of the
    settings that the plan was made with, by name.
    """

    run = models.OneToOneField(Run, models.CASCADE, related_name="held_plan")
    displaced = models.BinaryField(default=b"")
    made_from = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Plan of {self.run}"


class VendorTimes(models.Model):
    """What the workers of a run measured. Deleted together with it."""

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="vendor_times")
    waited_seconds = models.FloatField(
        default=0, help_text="How long all requests together waited for the rate limit of the vendor."
    )
    answers = models.JSONField(
        default=dict, help_text="By status class: requests in each bucket, and the sum of their seconds."
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Times of run {self.run_id}"
