"""An activation: one segment or model, synchronized to one destination, with its field mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import F, Q

from core.text.names import NameField
from destinations.contract import Mode
from destinations.models import Destination
from segments.models import DataModel, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from destinations.contract import Service

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

    class Overlap(models.TextChoices):
        SKIP = "skip", "Skip it"
        QUEUE = "queue", "Start it once afterwards"

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
    compare_first = models.BooleanField(
        "compare first",
        null=True,
        blank=True,
        help_text="Read each record before it is written for the first time, and send only what differs from it. "
        "Undecided, this is done where the destination returns many records with one request.",
    )
    overlap = models.CharField(
        "if a run is still in progress",
        max_length=10,
        choices=Overlap.choices,
        default=Overlap.SKIP,
        help_text="What happens to a run that is due while one is in progress.",
    )
    catch_up = models.BooleanField(
        "catch up once",
        default=True,
        help_text="If runs were missed because DinMo was not running, one starts as soon as it runs again.",
    )
    hold_empty = models.BooleanField(
        "no rows", default=True, help_text="Hold a run that finds no rows, although the last one found some."
    )
    hold_size_percent = models.PositiveSmallIntegerField(
        "number of rows changes by more than",
        null=True,
        blank=True,
        default=50,
        help_text="In percent of the rows of the last run.",
    )
    hold_creates = models.PositiveIntegerField("new records more than", null=True, blank=True)
    hold_change_percent = models.PositiveSmallIntegerField(
        "changed records more than",
        null=True,
        blank=True,
        default=50,
        validators=PERCENT,
        help_text="In percent of the records that were synchronized before.",
    )
    hold_first_creates = models.BooleanField(
        "new records of the first run",
        default=True,
        help_text="Hold the first run that would create records, unless a person started it.",
    )
    warnings_enabled = models.BooleanField("warnings", default=True)
    thresholds = models.JSONField(
        default=dict, blank=True, help_text="The limits of warnings that differ from their defaults, by key."
    )
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
        permissions = [
            ("run_activation", "Activations: run, cancel, pause and resume"),
            ("approve_run", "Runs: approve and discard"),
        ]
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

    def compares(self, service: Service) -> bool:
        """Whether records are compared with the destination before they are written for the first time."""
        chosen = service.compares_by_default if self.compare_first is None else self.compare_first
        return chosen and service.compares

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
