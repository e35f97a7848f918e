"""A run: one execution of an activation, with its state, lease and counters."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from activations.models.activation import Activation
from activations.models.baseline import Generation
from activations.models.field_mapping import MappedField
from activations.models.run_indexes import INDEXES


class Runs(models.Manager["Run"]):
    """All runs. Previews of a request are planned like a dry run, but are none."""

    def get_queryset(self) -> models.QuerySet[Run]:
        return super().get_queryset().filter(previewed_by=None)


class Run(models.Model):
    """One execution of an activation, from queued to its end. Owner, epoch and lease identify its worker."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        PLANNING = "planning", "Planning"
        DELIVERING = "delivering", "Delivering"
        HELD = "held", "Waiting for approval"
        PLANNED = "planned", "Planned (dry run)"
        SUCCEEDED = "succeeded", "Succeeded"
        COMPLETED_WITH_WARNINGS = "completed_with_warnings", "Completed with warnings"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "Schedule"
        MANUAL = "manual", "Manual"
        API = "api", "API"
        CLI = "cli", "Command"
        CATCH_UP = "catch_up", "Catch-up"
        TOKEN = "token", "Trigger token"

    class Decision(models.TextChoices):
        NONE = "", "Not decided"
        APPROVED = "approved", "Approved"
        DISCARDED = "discarded", "Discarded"

    class Kind(models.TextChoices):
        FULL = "full", "Full"
        DELTA = "delta", "Delta"
        DRIFT = "drift", "Check for drift"

    LIVE = (State.QUEUED, State.PLANNING, State.DELIVERING)
    OPEN = (*LIVE, State.HELD)
    """Not ended: a worker has it, or a person decides whether it goes on."""
    WHOLE: ClassVar[dict[str, Any]] = {"dry_run": False, "only_key": "", "only_fields__isnull": True}
    """Filters the runs of all records, without dry runs."""
    COUNTS = (
        "rows", "new", "known", "unchanged", "waiting", "left", "returned", "planned", "another", "creates", "updates",
        "accepted", "matched", "kept", "created", "hidden", "made_visible", "still_hidden", "incomplete",
        "rejected", "invalid", "skipped", "unknown", "not_sent",
        "discovery_requests", "lookup_requests", "write_requests", "throttled",
    )  # fmt: skip

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="runs")
    generation = models.ForeignKey(Generation, models.SET_NULL, null=True, related_name="runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=30, choices=State.choices, default=State.QUEUED)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.DELTA)
    reason = models.CharField(max_length=200, blank=True, help_text="Why this is a full run.")
    dry_run = models.BooleanField(default=False)
    live = models.BooleanField(
        default=False, db_default=False, help_text="A dry run that compares with the records at the destination."
    )
    only_fields = models.JSONField(
        null=True, help_text="The only attributes that the run sends; empty if it sends all that are due."
    )
    only_key = models.TextField(
        blank=True, db_default="", help_text="The run sends only the record with this key, as a test."
    )
    previewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="+",
        help_text="Set for a preview of a request, which is not a run: the person who looks at it. "
        "It is deleted as soon as it is shown.",
    )
    cancel_requested = models.BooleanField(default=False)
    missed_firings = models.PositiveIntegerField(
        default=0, help_text="How often a schedule fired while this run was live."
    )

    schedule = models.ForeignKey(
        "activations.Schedule", models.SET_NULL, null=True, editable=False, related_name="runs"
    )
    due_at = models.DateTimeField(null=True, editable=False, help_text="The slot of the schedule that started the run.")
    follow_up = models.BooleanField(
        default=False, db_default=False, help_text="A run was due meanwhile, and starts once this one has ended."
    )
    hold = models.JSONField(default=list, help_text="Why the run was held: kind, message and facts of each guard.")
    decision = models.CharField(
        max_length=10,
        choices=Decision.choices,
        default=Decision.NONE,
        blank=True,
        db_default="",
        help_text="What a person decided about the run while it was held.",
    )
    decided_by = models.CharField(max_length=200, blank=True, db_default="", help_text="Who approved or discarded it.")
    decided_at = models.DateTimeField(null=True)

    owner = models.CharField(max_length=200, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    takeovers = models.PositiveIntegerField(default=0, db_default=0)

    rows = models.PositiveBigIntegerField(default=0, help_text="Rows read from the source.")
    new = models.PositiveBigIntegerField(default=0, help_text="Changes of records that were never accepted before.")
    known = models.PositiveBigIntegerField(default=0, help_text="Changes of records that were accepted before.")
    unchanged = models.PositiveBigIntegerField(default=0)
    waiting = models.PositiveBigIntegerField(
        default=0, help_text="Rejected, invalid or skipped before, and not due for a retry yet."
    )
    left = models.PositiveBigIntegerField(default=0)
    returned = models.PositiveBigIntegerField(
        default=0, help_text="Had left in an earlier run, and are in the data again."
    )
    planned = models.PositiveBigIntegerField(default=0, help_text="Changes to deliver.")
    another = models.PositiveBigIntegerField(
        default=0, help_text="The match value changed, so they now belong to a different record at the destination."
    )
    creates = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Of a live dry run: records that a run would create."
    )
    updates = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Of a live dry run: records that a run would update."
    )
    accepted = models.PositiveBigIntegerField(default=0)
    matched = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="The destination had all values already, so nothing was sent."
    )
    kept = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Records of which a write policy left a value at the destination as it is."
    )
    created = models.PositiveBigIntegerField(
        default=0, help_text="Accepted, and created at the destination in this run."
    )
    incomplete = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        help_text="Have a value that the destination does not take yet, such as a company that is not there.",
    )
    hidden = models.PositiveBigIntegerField(default=0, help_text="Created, but not visible at the destination yet.")
    made_visible = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Hidden, and shown from now on.")
    still_hidden = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Nobody could be attached.")
    rejected = models.PositiveBigIntegerField(default=0)
    retried = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Planned, and rejected before.")
    invalid = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    unknown = models.PositiveBigIntegerField(default=0)
    not_sent = models.PositiveBigIntegerField(default=0)
    discovery_requests = models.PositiveBigIntegerField(default=0)
    lookup_requests = models.PositiveBigIntegerField(default=0)
    write_requests = models.PositiveBigIntegerField(default=0)
    throttled = models.PositiveBigIntegerField(default=0, help_text="Answers by which the vendor enforced its limit.")

    mapped = models.JSONField(default=list, help_text="The field mappings that the run was planned with.")
    missing = models.JSONField(
        default=list, help_text="Mapped attributes that can't be written, or whose type has changed."
    )
    lossy = models.JSONField(
        default=dict,
        help_text="By attribute: how many planned values were converted with loss, and how many there are.",
    )
    found_warnings = models.JSONField(
        default=list, help_text="What this run found to warn about: kind, subject and message of each."
    )
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    problem_code = models.CharField(
        max_length=60, blank=True, db_default="", help_text="Why it was unavailable, if that is the error code."
    )
    culprit = models.CharField(
        max_length=20, blank=True, db_default="", help_text="What made it fail: a value of SystemPause.Cause."
    )
    continue_at = models.DateTimeField(
        null=True, help_text="When the destination accepts requests again, and the activation continues automatically."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    compared_at = models.DateTimeField(
        null=True, help_text="When all rows had been read and compared with the sync history."
    )
    finished_at = models.DateTimeField(null=True)

    objects = Runs()
    with_previews = models.Manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "number"], condition=Q(dry_run=False), name="run_number_once"
            ),
            models.UniqueConstraint(
                fields=["activation"],
                condition=Q(state__in=("queued", "planning", "delivering", "held"), dry_run=False),
                name="one_open_run",
            ),
            models.UniqueConstraint(fields=["schedule", "due_at"], name="one_run_per_slot"),
        ]
        indexes = INDEXES

    def __str__(self) -> str:
        return f"{self.activation} · {self.title.lower()}"

    @property
    def title(self) -> str:
        """What people call it: Run 3, or Dry run. A dry run takes no number, and has that of the run it previews."""
        if self.kind == self.Kind.DRIFT:
            return "Check for drift"
        return "Dry run" if self.dry_run else f"Run {self.number}"

    @property
    def is_partial(self) -> bool:
        """Whether it is about one record, or restores what was edited at the destination."""
        return bool(self.only_key) or self.only_fields is not None

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    def counts(self) -> dict[str, int]:
        """Every counter by name."""
        return {name: getattr(self, name) for name in self.COUNTS}

    @property
    def mapped_fields(self) -> list[MappedField]:
        """The field mappings that the run was planned with."""
        return [MappedField(*row) for row in self.mapped]

    @property
    def policies(self) -> dict[str, str]:
        """The write policy of each attribute when the run was planned."""
        return {field.target: field.policy for field in self.mapped_fields}
