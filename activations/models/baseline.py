"""The baseline: digests of what the destination last accepted, one row per record."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from activations.models.activation import Activation


class Generation(models.Model):
    """What a baseline is about (see `activations.setup.identity`). If any part changes, a new generation begins.

    Number 0 is the empty generation that dry runs are planned against; it never holds a record.
    """

    EMPTY = 0

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField()
    identity = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["activation", "number"], name="generation_once")]

    def __str__(self) -> str:
        return f"{self.activation} · generation {self.number}"


class Record(models.Model):
    """The baseline of one record: digests of what the destination last accepted, never the values.

    `field_digests` holds 8 bytes for each slot, little-endian; all zero means that nothing was accepted there.
    `tried_digest` and `tried_match` are the digests of the row, and of its match value, when it was last rejected,
    skipped or invalid. Such a row waits until `retry_run` or `retry_at`. `left_at` and `returned_at` are the start of
    the run that noticed it.
    """

    class Tried(models.TextChoices):
        NOTHING = "", "Nothing"
        REJECTED = "rejected", "Rejected"
        SKIPPED = "skipped", "Skipped"
        INVALID = "invalid", "Can't be sent"

    generation = models.ForeignKey(Generation, models.CASCADE, related_name="records", db_index=False)
    key = models.TextField()
    key_digest = models.BigIntegerField()
    row_digest = models.BigIntegerField(default=0)
    match_digest = models.BigIntegerField(default=0)
    field_digests = models.BinaryField(default=b"")
    remote_id = models.CharField(max_length=200, blank=True)
    accepted_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    tried = models.CharField(max_length=10, choices=Tried.choices, default=Tried.NOTHING, blank=True)
    tried_digest = models.BigIntegerField(default=0)
    tried_match = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    retry_run = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "key_digest"], name="record_once")]
        indexes = [
            # Partial: of millions of records, few were not accepted when they were tried last.
            models.Index(fields=["generation", "id"], condition=~Q(tried="") & Q(left_at=None), name="record_to_retry"),
            models.Index(fields=["generation", "left_at"], condition=~Q(left_at=None), name="record_left"),
        ]

    def __str__(self) -> str:
        return self.key


class MatchValue(models.Model):
    """The digest of a value that the destination finds a record by.

    Stored only for records that have more match values than the first one of their row.
    """

    generation = models.ForeignKey(Generation, models.CASCADE, related_name="match_values", db_index=False)
    key_digest = models.BigIntegerField()
    match_digest = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["generation", "key_digest"], name="match_value_key"),
            models.Index(fields=["generation", "match_digest"], name="match_value"),
        ]

    def __str__(self) -> str:
        return str(self.match_digest)
