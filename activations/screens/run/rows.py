"""The rows of a run's list of records: the name first, then what happened, and the fields before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from activations.models import Change
from activations.screens.hidden_values import mask_all, mask_earlier, mask_held
from activations.screens.run import fields
from activations.storage import held_values
from core.web.screens import pill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.utils.safestring import SafeString

    from activations.models import Run
    from activations.screens.run.fields import FieldChange

TONES = {
    "accepted": "good", "matched": "good", "rejected": "bad", "invalid": "warn", "skipped": "calm", "unknown": "warn",
    "not_sent": "calm", "creates": "good", "updates": "busy",
}  # fmt: skip
NO_OUTCOME = {"left": "Left", "returned": "Returned"}


@dataclass(frozen=True)
class Row:
    """A change as one row of the list.

    Args:
        title: the name of the record, or its key if it has none.
        key: beneath the name; "" if the title is the key.
        page: the address of the record's page; "" if there is none.
    """

    change: Change
    title: str
    key: str
    pill: SafeString
    fields: list[FieldChange]
    page: str
    timeline: str


def rows(run: Run, changes: Sequence[Change], *, sees: bool) -> list[Row]:
    """Changes as rows, with a few queries for all of them.

    Args:
        sees: whether the values are shown.
    """
    names, before = fields.labels(run.activation), fields.earlier(run.activation, changes)
    model_id, policies = run.activation.data_model.pk, run.policies
    held = held_values.of([change.pk for change in changes]) if run.live else {}
    if not sees:
        changes, before, held = mask_all(changes), mask_earlier(before), mask_held(held)
    return [
        Row(
            change,
            title(change),
            change.key if change.name else "",
            outcome_pill(change, is_plan=run.dry_run or run.state == run.State.HELD),
            fields.of(change, before, names, policies, held.get(change.pk)),
            reverse("admin:activations_change_change", args=[change.pk]) if change.pk else "",
            timeline(model_id, change.key),
        )
        for change in changes
    ]


def title(change: Change) -> str:
    """What to call a record: its name, or else its key."""
    return change.name or change.key or "Row without a key"


def outcome_pill(change: Change, *, is_plan: bool = False) -> SafeString:
    """The outcome of a change as a colored pill."""
    if change.outcome == Change.Outcome.ACCEPTED:
        return pill("Created" if change.created else "Updated", "good")
    if change.outcome:
        return pill(change.get_outcome_display(), TONES.get(change.outcome, "calm"))
    if change.code in NO_OUTCOME:
        return pill(NO_OUTCOME[change.code], "calm")
    if is_plan:
        return pill("New", "good") if change.is_new else pill("Changed", "busy")
    return pill("Planned", "calm")


def timeline(model_id: int, key: str) -> str:
    """The address of the record's timeline; "" if it has no key."""
    try:
        return f"{reverse('admin:record_timeline', args=[model_id])}?{urlencode({'key': key})}" if key else ""
    except NoReverseMatch:
        return ""
