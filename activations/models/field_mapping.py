"""A field mapping: what fills one attribute of an activation's records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import models

from activations import text_template
from activations.models.activation import Activation

if TYPE_CHECKING:
    from datetime import datetime


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
        DETACH = "detach", "Link to this one only, and detach all others"

    class Policy(models.TextChoices):
        ALWAYS = "always", "Always"
        IF_EMPTY = "if_empty", "Only if empty at the destination"
        ON_CREATE = "on_create", "Only when the record is created"
        RESTORE = "restore", "Always, and restore when edited elsewhere"

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
    policy = models.CharField(
        "write", max_length=10, choices=Policy.choices, default=Policy.ALWAYS, db_default=Policy.ALWAYS
    )
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
        return f"“{self.column or self.template or self.value}” → {self.target}"

    @property
    def columns(self) -> list[str]:
        """The columns that its value comes from; none for a fixed value."""
        return text_template.columns(self.template) if self.template else [self.column] if self.column else []

    def since(self, now: datetime) -> datetime | None:
        """The time before which accepted records are taken to hold its value already; None if it is sent for all."""
        from_now_on = (self.backfill or self.activation.backfill) == Activation.Backfill.NEW
        return (self.planned_at or now) if from_now_on else None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the mapping. A new one, or one whose target has changed, gets a new slot.

        So does one whose policy held values back that it now allows, so that they are sent.
        """
        saved = FieldMapping.objects.filter(pk=self.pk).values_list("target", "policy").first() if self.pk else None
        same_target = saved is not None and saved[0] == self.target
        if not same_target:
            self.target_type = ""
        if saved is None or not same_target or self.is_stricter(saved[1], self.policy):
            self.slot = self.activation.take_number("next_slot")
            self.backfill, self.planned_at = "", None
            if given := kwargs.get("update_fields"):
                kwargs["update_fields"] = {*given, "slot", "backfill", "planned_at"}
        super().save(*args, **kwargs)

    @classmethod
    def is_stricter(cls, policy: str, other: str) -> bool:
        """PURE. Whether a policy holds values back that the other one lets through."""
        order = [cls.Policy.ON_CREATE, cls.Policy.IF_EMPTY]
        rank = {kind.value: place for place, kind in enumerate(order)}
        return rank.get(policy, len(order)) < rank.get(other, len(order))


class MappedField(NamedTuple):
    """A field mapping as it was when the run was planned.

    Args:
        slot: its place in the field digests of a record.
        adds: its values are added to a list at the destination instead of replacing the list.
        country: the country of national phone numbers.
        template: text with columns in braces, instead of one column.
        rounds: numbers are rounded to whole ones.
        policy: a `FieldMapping.Policy`.
    """

    slot: int
    target: str
    column: str
    value: Any
    when_empty: str
    adds: bool = False
    country: str = ""
    template: str = ""
    rounds: bool = False
    policy: str = "always"
