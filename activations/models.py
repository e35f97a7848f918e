"""What is moved: activations with their mappings and schedules, runs with their changes and warnings, and the baseline."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django_celery_beat.models import PeriodicTask
from timezone_field import TimeZoneField

from destinations.models import Destination
from segments import watch
from segments.models import DataModel, Segment

PERCENT = [MaxValueValidator(100)]


class Activation(models.Model):
    """One segment or model, brought to one destination."""

    class Mode(models.TextChoices):
        UPSERT = "upsert", "Upsert: create what is new, update what changed"
        UPDATE = "update", "Update: only records that the destination has"
        INSERT = "insert", "Insert: only records that the destination does not have"

    class Backfill(models.TextChoices):
        ALL = "all", "For all records"
        NEW = "new", "From now on"

    name = models.CharField(max_length=200, unique=True)
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="activations")
    model = models.ForeignKey(DataModel, models.PROTECT, null=True, blank=True, related_name="activations")
    destination = models.ForeignKey(Destination, models.PROTECT, related_name="activations")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.UPSERT)
    match_column = models.CharField(max_length=200, help_text="The column that identifies a record at the destination.")
    match_field = models.CharField(max_length=200, help_text="The attribute at the destination that it is compared with.")
    backfill = models.CharField(
        max_length=10,
        choices=Backfill.choices,
        default=Backfill.ALL,
        help_text="What a mapping that is added later does for records that are already there. The first run that has it settles it.",
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
    def columns(self) -> list[str]:
        """The columns that records are made of."""
        return [self.match_column, *(mapping.column for mapping in self.mappings.all() if mapping.column)]

    @property
    def waits_for(self) -> str:
        """Why no schedule starts a run now; "" where schedules do. What the system holds back goes on once it is mended."""
        if self.paused:
            return "Paused by a person."
        said = watch.held(self.rows, self.columns)
        return f"Held back. {said}" if said else ""

    def slot_of_match(self) -> int:
        """The slot of a match that is a list, taken at first use: a list may grow while what it is compared by stays."""
        if self.match_slot is None:
            self.match_slot = self.take_number("next_slot")
            Activation.objects.filter(pk=self.pk).update(match_slot=self.match_slot)
        return self.match_slot

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
        max_length=80, blank=True, editable=False, help_text="The attribute's type when a person last saw it, or a run met it first."
    )
    backfill = models.CharField(
        max_length=10, choices=Activation.Backfill.choices, blank=True, editable=False,
        help_text="The activation's choice when a run first planned with this mapping; until then it may change.",
    )  # fmt: skip
    planned_at = models.DateTimeField(null=True, editable=False, help_text="When a run first planned with it.")
    slot = models.PositiveIntegerField(editable=False)
    position = models.PositiveIntegerField(default=0)

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
            self.backfill, self.planned_at = "", None
            self.target_type = ""
        super().save(*args, **kwargs)


class Schedule(models.Model):
    """When runs start by themselves: every so often, by a cron line, or on days of the week at a time."""

    class Kind(models.TextChoices):
        INTERVAL = "interval", "Every …"
        CRON = "cron", "Cron"
        WEEKLY = "weekly", "On days of the week"

    class Unit(models.TextChoices):
        MINUTES = "minutes", "minutes"
        HOURS = "hours", "hours"
        DAYS = "days", "days"

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="schedules")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.INTERVAL)
    every = models.PositiveIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=10, choices=Unit.choices, default=Unit.MINUTES, blank=True)
    cron = models.CharField(max_length=100, blank=True, help_text="minute hour day month weekday, e.g. 0 7 * * 1-5")
    days = models.JSONField(default=list, blank=True, help_text='Days of the week, e.g. ["monday", "wednesday"].')
    at = models.TimeField(null=True, blank=True)
    timezone = TimeZoneField(default="UTC")
    last_fired_at = models.DateTimeField(null=True, editable=False)
    task = models.OneToOneField(PeriodicTask, models.SET_NULL, null=True, editable=False, related_name="+")

    def __str__(self) -> str:
        if self.kind == self.Kind.INTERVAL:
            return f"every {self.every} {self.unit}"
        if self.kind == self.Kind.CRON:
            return f"{self.cron} ({self.timezone})"
        return f"{', '.join(self.days)} at {self.at:%H:%M} ({self.timezone})"


class Generation(models.Model):
    """What a baseline is about. Where any of it changes, what was sent before says nothing any more."""

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
    `tried_digest` and `tried_match` are the digests of the row, and of its match value, when it was last refused, skipped or
    found invalid; until `retry_run` or `retry_at` such a row waits. `left_at` and `returned_at` are the start of the run that found it.
    """

    class Tried(models.TextChoices):
        NOTHING = "", "Nothing"
        REJECTED = "rejected", "Rejected"
        SKIPPED = "skipped", "Skipped"
        INVALID = "invalid", "Invalid"

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

    def __str__(self) -> str:
        return self.key


class MatchValue(models.Model):
    """What the destination finds a record by, as a digest; only of records that it finds by more than their row's first match value."""

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


class Run(models.Model):
    """One execution of an activation, from queued to its end. Who holds it is said by owner, epoch and lease."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        PLANNING = "planning", "Planning"
        DELIVERING = "delivering", "Delivering"
        PLANNED = "planned", "Planned (dry run)"
        SUCCEEDED = "succeeded", "Succeeded"
        COMPLETED_WITH_WARNINGS = "completed_with_warnings", "Completed with warnings"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "Schedule"
        MANUAL = "manual", "By hand"
        API = "api", "API"
        CLI = "cli", "Command"
        CATCH_UP = "catch_up", "Catch-up"

    class Kind(models.TextChoices):
        FULL = "full", "Full"
        DELTA = "delta", "Delta"

    LIVE = (State.QUEUED, State.PLANNING, State.DELIVERING)
    COUNTS = (
        "rows", "new", "known", "unchanged", "waiting", "left", "returned", "planned",
        "another", "accepted", "created", "hidden", "rejected", "invalid", "skipped", "unknown", "not_sent",
        "discovery_requests", "lookup_requests", "write_requests", "throttled",
    )  # fmt: skip

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="runs")
    generation = models.ForeignKey(Generation, models.SET_NULL, null=True, related_name="runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=30, choices=State.choices, default=State.QUEUED)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.DELTA)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it is a full run.")
    dry_run = models.BooleanField(default=False)
    cancel_requested = models.BooleanField(default=False)
    missed_firings = models.PositiveIntegerField(default=0, help_text="Schedules that fired while it was live.")

    owner = models.CharField(max_length=200, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    rows = models.PositiveBigIntegerField(default=0, help_text="Rows read from the source.")
    new = models.PositiveBigIntegerField(default=0, help_text="Changes of records that are new to us.")
    known = models.PositiveBigIntegerField(default=0, help_text="Changes of records that we have sent before.")
    unchanged = models.PositiveBigIntegerField(default=0)
    waiting = models.PositiveBigIntegerField(default=0, help_text="Refused or skipped before, not due again yet.")
    left = models.PositiveBigIntegerField(default=0)
    returned = models.PositiveBigIntegerField(default=0, help_text="Had left in an earlier run, and are back.")
    planned = models.PositiveBigIntegerField(default=0, help_text="Changes to deliver.")
    another = models.PositiveBigIntegerField(default=0, help_text="Another record at the destination now: the match value changed.")
    accepted = models.PositiveBigIntegerField(default=0)
    created = models.PositiveBigIntegerField(default=0, help_text="Accepted, and made by the destination in this run.")
    hidden = models.PositiveBigIntegerField(default=0, help_text="Created, but not shown by the destination yet.")
    rejected = models.PositiveBigIntegerField(default=0)
    invalid = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    unknown = models.PositiveBigIntegerField(default=0)
    not_sent = models.PositiveBigIntegerField(default=0)
    discovery_requests = models.PositiveBigIntegerField(default=0)
    lookup_requests = models.PositiveBigIntegerField(default=0)
    write_requests = models.PositiveBigIntegerField(default=0)
    throttled = models.PositiveBigIntegerField(default=0, help_text="Answers that asked to slow down.")

    mapped = models.JSONField(default=list, help_text="The field mappings that it was planned with.")
    missing = models.JSONField(default=list, help_text="Mapped attributes that can't be written, or whose type is another one now.")
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["activation", "number"], name="run_number_once"),
            models.UniqueConstraint(
                fields=["activation"], condition=Q(state__in=("queued", "planning", "delivering"), dry_run=False), name="one_live_run"
            ),
        ]
        indexes = [models.Index(fields=["state"], name="run_state")]

    def __str__(self) -> str:
        return f"{self.activation} · run {self.number}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    def counts(self) -> dict[str, int]:
        """Every counter by name."""
        return {name: getattr(self, name) for name in self.COUNTS}


class Change(models.Model):
    """What a run decided about one record, and what became of it. Changed values only live here, until retention ends."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        SENDING = "sending", "Sending"
        SETTLED = "settled", "Settled"

    class Outcome(models.TextChoices):
        NONE = "", "Not settled"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        INVALID = "invalid", "Invalid"
        SKIPPED = "skipped", "Skipped"
        UNKNOWN = "unknown", "Unknown"
        NOT_SENT = "not_sent", "Not sent"

    # Millions are written at once: no check of each row, and no index that only a page of the screens would use.
    run = models.ForeignKey(Run, models.CASCADE, related_name="changes", db_index=False, db_constraint=False)
    epoch = models.PositiveIntegerField()
    key = models.TextField()
    key_digest = models.BigIntegerField()
    is_new = models.BooleanField(help_text="New to us: never accepted before.")
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
    created = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["run", "state", "id"], name="change_to_do"),
            models.Index(fields=["key_digest"], name="change_key"),
        ]

    def __str__(self) -> str:
        return self.key


class Bundle(models.Model):
    """Changes of a run that nobody has begun to deliver, packed; `new` and `known` say how many, `another` how many of these moved."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="bundles")
    epoch = models.PositiveIntegerField()
    new = models.PositiveIntegerField()
    known = models.PositiveIntegerField()
    another = models.PositiveIntegerField()
    keys = models.BinaryField()
    """The key digests, so that a change is found without unpacking all of them."""
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.new + self.known} changes of {self.run}"


class Warning(models.Model):
    """Something about an activation that a person should look at: opened by a run, closed by one where it is gone."""

    class Kind(models.TextChoices):
        REJECTED_SHARE = "rejected_share", "Many records rejected"
        INVALID_SHARE = "invalid_share", "Many records invalid"
        EMPTY_SEGMENT = "empty_segment", "Nothing to send"
        SIZE_CHANGE = "size_change", "Size changed a lot"
        MISSING_ATTRIBUTE = "missing_attribute", "Attribute missing"
        CHANGED_ATTRIBUTE = "changed_attribute", "Attribute changed"

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="warnings")
    run = models.ForeignKey(Run, models.CASCADE, related_name="warnings")
    last_run = models.ForeignKey(Run, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40, choices=Kind.choices)
    subject = models.CharField(max_length=200, blank=True, help_text="What it is about, e.g. an attribute.")
    message = models.TextField()
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(fields=["activation", "kind", "subject"], condition=Q(closed_at__isnull=True), name="warning_open_once")
        ]

    def __str__(self) -> str:
        return self.message
