"""An activation: one segment or model, synchronized to one destination, with its field mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import F, Q

from activations import text_template
from core.text.names import NameField
from destinations.contract import Mode
from destinations.models import Destination
from segments.models import DataModel, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

MODES = [
    (Mode.UPSERT.value, "Upsert: create new records and update existing ones"),
    (Mode.UPDATE.value, "Update: only records that exist at the destination"),
    (Mode.INSERT.value, "Insert: only records that don't exist at the destination yet"),
]
PERCENT = [MaxValueValidator(100)]


class Activation(models.Model):
    """One segment or model, synchronized to one destination."""

    class Backfill(models.TextChoices):
        ALL = "all", "For all records"
        NEW = "new", "From now on"

    name = NameField(max_length=200, unique=True)
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="activations")
    model = models.ForeignKey(DataModel, models.PROTECT, null=True, blank=True, related_name="activations")
    destination = models.ForeignKey(Destination, models.PROTECT, related_name="activations")
    mode = models.CharField(max_length=10, choices=MODES, default=Mode.UPSERT)
    match_column = models.CharField(max_length=200, help_text="The column that records are matched by.")
    match_field = models.CharField(
        max_length=200, help_text="The attribute that the match column is compared with at the destination."
    )
    backfill = models.CharField(
        max_length=10,
        choices=Backfill.choices,
        default=Backfill.ALL,
        help_text="Whether a field that is mapped later is also sent for records that were synchronized before. The "
        "first run with the field settles it.",
    )
    paused = models.BooleanField(default=False)
    is_draft = models.BooleanField(
        default=False, editable=False, help_text="It was never started: its schedules start no runs."
    )
    warnings_enabled = models.BooleanField("warnings", default=True)
    rejected_percent = models.PositiveSmallIntegerField(default=5, validators=PERCENT)
    invalid_percent = models.PositiveSmallIntegerField(default=5, validators=PERCENT)
    size_change_percent = models.PositiveSmallIntegerField(default=30)
    recipients = models.JSONField(default=list, blank=True, help_text="Email addresses that receive alerts.")
    start_afresh = models.BooleanField(
        default=False,
        editable=False,
        help_text="A person agreed that the next run resets the sync history.",
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
        """The model that rows come from, directly or through a segment."""
        return self.rows.model if isinstance(self.rows, Segment) else self.rows

    @property
    def sends_new_fields_from_now_on(self) -> bool:
        """Whether a field that is mapped later is sent for synchronized records only once its value changes."""
        return self.backfill == self.Backfill.NEW

    @property
    def columns(self) -> list[str]:
        """The columns that runs read: that of the match, and those that are mapped."""
        return [self.match_column, *(name for mapping in self.mappings.all() for name in mapping.columns)]

    def settle_new_mappings(self, slots: Iterable[int], now: datetime) -> None:
        """Stores whether mappings that a run plans with for the first time apply from now on, and since when.

        The activation may say something else by the time a record is due that this run does not reach: one that is
        rejected, invalid or gone, or that comes after the run was cut short.
        """
        first = self.mappings.filter(backfill="", slot__in=list(slots))
        first.update(backfill=self.backfill, planned_at=now)

    def reserve_match_slot(self) -> None:
        """Reserves a slot for a match that is a list, when it is first used.

        A list may grow while the value that it is compared by stays the same, so its digest is compared as well.
        """
        if self.match_slot is None:
            self.match_slot = self.take_number("next_slot")
            Activation.objects.filter(pk=self.pk).update(match_slot=self.match_slot)

    def number_of_next_run(self) -> int:
        """The number that the next run gets, as the database has it."""
        return int(Activation.objects.values_list("next_run_number", flat=True).get(pk=self.pk))

    def take_number(self, counter: str) -> int:
        """Takes the next value of `next_slot` or `next_run_number`. No value is given out twice."""
        with transaction.atomic():
            Activation.objects.filter(pk=self.pk).update(**{counter: F(counter) + 1})
            return int(Activation.objects.values_list(counter, flat=True).get(pk=self.pk)) - 1


class FieldMapping(models.Model):
    """The source of one attribute's value: a column, a template of columns, or one fixed value for all records.

    `slot` is the place of the attribute among the digests of a record. It belongs to this attribute forever: if the
    target changes, the mapping gets a new slot, so that the new attribute is sent for all records.
    """

    class WhenEmpty(models.TextChoices):
        KEEP = "keep", "Keep the existing value"
        CLEAR = "clear", "Clear it"

    class Multi(models.TextChoices):
        REPLACE = "replace", "Replace the list"
        ADD = "add", "Add to the list"

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="mappings")
    column = models.CharField(max_length=200, blank=True)
    value = models.JSONField("fixed value", null=True, blank=True)
    template = models.TextField(
        blank=True, help_text="Text with columns in braces, such as {first_name} {last_name}, instead of one column."
    )
    round_to_whole = models.BooleanField(
        default=False, help_text="Round numbers to whole ones, for attributes that take no decimals."
    )
    target = models.CharField(max_length=200, verbose_name="attribute")
    when_empty = models.CharField(max_length=10, choices=WhenEmpty.choices, default=WhenEmpty.KEEP)
    multi = models.CharField("lists", max_length=10, choices=Multi.choices, default=Multi.REPLACE)
    country = models.CharField(
        max_length=2,
        blank=True,
        help_text="The country of phone numbers without a country code. Without it, they must start with + or 00.",
    )
    custom_attribute = models.BooleanField(
        default=False,
        help_text="Sent as an attribute with the column's name, which is created at the destination if it is missing.",
    )
    target_type = models.CharField(
        max_length=80,
        blank=True,
        editable=False,
        help_text="The attribute's type when a person last confirmed it, or when a run first used it.",
    )
    slot = models.PositiveIntegerField(editable=False)
    position = models.PositiveIntegerField(default=0)
    backfill = models.CharField(
        max_length=10,
        choices=Activation.Backfill.choices,
        blank=True,
        editable=False,
        help_text="The activation's choice when a run first planned with this mapping. Until then, it can change.",
    )
    planned_at = models.DateTimeField(null=True, editable=False, help_text="When a run first planned with it.")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["activation", "target"], name="attribute_mapped_once"),
            models.UniqueConstraint(fields=["activation", "slot"], name="slot_used_once"),
        ]

    def __str__(self) -> str:
        return f"{self.column or self.template or self.value!r} → {self.target}"

    @property
    def columns(self) -> list[str]:
        """The columns that its value comes from; none for a fixed value."""
        return text_template.columns(self.template) if self.template else [self.column] if self.column else []

    def since(self, now: datetime) -> datetime | None:
        """The time before which accepted records are taken to hold its value already; None if it is sent for all."""
        from_now_on = (self.backfill or self.activation.backfill) == Activation.Backfill.NEW
        return (self.planned_at or now) if from_now_on else None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the mapping. A new one, or one whose target has changed, gets a new slot."""
        saved_target = (
            FieldMapping.objects.filter(pk=self.pk).values_list("target", flat=True).first() if self.pk else None
        )
        if saved_target != self.target:
            self.slot = self.activation.take_number("next_slot")
            self.backfill, self.planned_at = "", None
            self.target_type = ""
        super().save(*args, **kwargs)
