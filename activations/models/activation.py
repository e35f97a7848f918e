"""An activation: one segment or model, synchronized to one destination, with its field mappings."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from destinations.contract import Mode
from destinations.models import Destination
from segments.models import DataModel, Segment

MODES = [
    (Mode.UPSERT.value, "Upsert: create what is new, update what changed"),
    (Mode.UPDATE.value, "Update: only records that the destination has"),
    (Mode.INSERT.value, "Insert: only records that the destination does not have"),
]
PERCENT = [MaxValueValidator(100)]


class Activation(models.Model):
    """One segment or model, brought to one destination."""

    class Backfill(models.TextChoices):
        ALL = "all", "For all records"
        NEW = "new", "From now on"

    name = models.CharField(max_length=200, unique=True)
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="activations")
    model = models.ForeignKey(DataModel, models.PROTECT, null=True, blank=True, related_name="activations")
    destination = models.ForeignKey(Destination, models.PROTECT, related_name="activations")
    mode = models.CharField(max_length=10, choices=MODES, default=Mode.UPSERT)
    match_column = models.CharField(max_length=200, help_text="The column that identifies a record at the destination.")
    match_field = models.CharField(
        max_length=200, help_text="The attribute at the destination that it is compared with."
    )
    backfill = models.CharField(
        max_length=10,
        choices=Backfill.choices,
        default=Backfill.ALL,
        help_text="What a mapping that is added later does for records that are already there.",
    )
    paused = models.BooleanField(default=False)
    warnings_enabled = models.BooleanField("warnings", default=True)
    rejected_percent = models.PositiveSmallIntegerField(default=5, validators=PERCENT)
    invalid_percent = models.PositiveSmallIntegerField(default=5, validators=PERCENT)
    size_change_percent = models.PositiveSmallIntegerField(default=30)
    recipients = models.JSONField(default=list, blank=True, help_text="Mail addresses that hear of warnings.")
    start_afresh = models.BooleanField(
        default=False,
        editable=False,
        help_text="A person agreed that the next run forgets what was sent before, because what identifies records changed.",
    )
    next_slot = models.PositiveIntegerField(default=0, editable=False)
    match_slot = models.PositiveIntegerField(null=True, editable=False)
    next_run_number = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(segment__isnull=True, model__isnull=False) | Q(segment__isnull=False, model__isnull=True),
                name="activation_has_segment_or_model",
                violation_error_message="Choose a segment or a model, not both.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rows(self) -> Segment | DataModel:
        """Where rows come from: all of a model, or those of a segment."""
        rows = self.segment or self.model
        assert rows is not None
        return rows

    @property
    def data_model(self) -> DataModel:
        """The model that rows come from, by way of a segment or not."""
        return self.rows.model if isinstance(self.rows, Segment) else self.rows

    @property
    def sends_new_fields_from_now_on(self) -> bool:
        """Whether a mapping that is added later leaves records alone until their value changes."""
        return self.backfill == self.Backfill.NEW

    @property
    def columns(self) -> list[str]:
        """The columns that records are made of."""
        return [self.match_column, *(mapping.column for mapping in self.mappings.all() if mapping.column)]

    def reserve_match_slot(self) -> None:
        """Gives a match that is a list a slot at first use: the list may grow while the value to compare stays the same."""
        if self.match_slot is None:
            self.match_slot = self.take_number("next_slot")
            Activation.objects.filter(pk=self.pk).update(match_slot=self.match_slot)

    def take_number(self, counter: str) -> int:
        """The next value of `next_slot` or `next_run_number`, never given twice."""
        with transaction.atomic():
            Activation.objects.filter(pk=self.pk).update(**{counter: F(counter) + 1})
            return int(Activation.objects.values_list(counter, flat=True).get(pk=self.pk)) - 1


class FieldMapping(models.Model):
    """Where one attribute at the destination gets its value: a column, or the same value for all.

    `slot` numbers the place of the attribute in a record's digests. It belongs to this attribute for ever: another target
    gets another slot, so that it is sent for all records.
    """

    class WhenEmpty(models.TextChoices):
        KEEP = "keep", "Keep what is there"
        CLEAR = "clear", "Clear it"

    class Multi(models.TextChoices):
        REPLACE = "replace", "Replace the list"
        ADD = "add", "Add to the list"

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="mappings")
    column = models.CharField(max_length=200, blank=True)
    value = models.JSONField("fixed value", null=True, blank=True)
    target = models.CharField(max_length=200, verbose_name="attribute")
    when_empty = models.CharField(max_length=10, choices=WhenEmpty.choices, default=WhenEmpty.KEEP)
    multi = models.CharField("lists", max_length=10, choices=Multi.choices, default=Multi.REPLACE)
    custom_attribute = models.BooleanField(
        default=False, help_text="Exported under the column's own name; created at the destination where it is missing."
    )
    target_type = models.CharField(
        max_length=80,
        blank=True,
        editable=False,
        help_text="The attribute's type when a person last saw it, or a run met it first.",
    )
    slot = models.PositiveIntegerField(editable=False)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["activation", "target"], name="attribute_mapped_once"),
            models.UniqueConstraint(fields=["activation", "slot"], name="slot_used_once"),
        ]

    def __str__(self) -> str:
        return f"{self.column or self.value!r} → {self.target}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves; a new mapping, or one with another target, gets a slot of its own."""
        from_db = FieldMapping.objects.filter(pk=self.pk).values_list("target", flat=True).first() if self.pk else None
        if from_db != self.target:
            self.slot = self.activation.take_number("next_slot")
            self.created_at = Now()
            self.target_type = ""
        super().save(*args, **kwargs)
