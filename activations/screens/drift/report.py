"""What a check for drift found, for pages, commands and the API: numbers by attribute, and examples."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from activations.models import Change, Drift
from activations.models.drift import UNDONE
from activations.screens.hidden_values import mask_all, mask_held
from activations.storage import held_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from activations.models import Run

EXAMPLES = 10
"""Of each attribute."""
GONE_EXAMPLES = 10


@dataclass(frozen=True)
class Example:
    """One value that the destination holds differently.

    Args:
        sent, held: our value, and theirs. `is_kept` says whether theirs is still stored.
        writer: who set it: a `Writer` of the contract.
    """

    drift: Drift
    change: Change
    sent: Any
    held: Any
    is_kept: bool

    @property
    def writer(self) -> str:
        return self.drift.writer

    @property
    def written_at(self) -> datetime | None:
        return self.drift.written_at


@dataclass(frozen=True)
class FieldDrift:
    """What was found in one attribute.

    Args:
        policy: its write policy when the check was made.
        open: how many values wait for a decision.
        left: how many were left as they are, now or earlier.
        restoring: how many a run restores, or has restored.
    """

    name: str
    policy: str
    open: int
    left: int
    restoring: int
    examples: Sequence[Example] = ()


def of(check: Run, examples: int = EXAMPLES, *, sees: bool = True) -> list[FieldDrift]:
    """What a check found, by attribute, the one with most open values first.

    Args:
        examples: of each attribute.
        sees: whether they have their values.
    """
    policies = {field.target: field.policy for field in check.mapped_fields}
    taken = Q(restored_by__isnull=False) & ~Q(restored_by__state__in=UNDONE)
    counted = (
        Drift.objects.filter(run=check)
        .order_by()
        .values("field")
        .annotate(
            left=Count("pk", filter=Q(is_left=True)),
            restoring=Count("pk", filter=taken & Q(is_left=False)),
            number=Count("pk"),
        )
    )
    found = [
        FieldDrift(
            row["field"],
            policies.get(row["field"], "always"),
            row["number"] - row["left"] - row["restoring"],
            row["left"],
            row["restoring"],
            _examples(check, row["field"], examples, sees),
        )
        for row in counted
    ]
    return sorted(found, key=lambda field: (-field.open, field.name))


def gone(check: Run, *, sees: bool) -> list[Change]:
    """The first records that the destination no longer has."""
    found = Change.objects.filter(run=check, outcome=Change.Outcome.SKIPPED).order_by("pk")[:GONE_EXAMPLES]
    return list(found) if sees else mask_all(found)


def runs(check: Run) -> list[Run]:
    """The runs that restore what a check found, the latest first."""
    ids = Drift.objects.filter(run=check, restored_by__isnull=False).order_by().values("restored_by").distinct()
    return list(type(check).objects.filter(pk__in=ids))


def as_json(check: Run, *, sees: bool = True) -> dict[str, Any]:
    """The same for programs. Without `sees`, the examples have no values."""
    return {
        "run": check.pk,
        "state": check.state,
        "finished_at": check.finished_at.isoformat() if check.finished_at else None,
        "compared": check.planned,
        "same": check.matched,
        "records": check.updates,
        "gone": check.skipped,
        "requests": check.lookup_requests,
        "fields": [
            {
                "field": field.name,
                "policy": field.policy,
                "open": field.open,
                "left": field.left,
                "restoring": field.restoring,
                "examples": [_example_json(example, sees) for example in field.examples],
            }
            for field in of(check, sees=sees)
        ],
    }


def _example_json(example: Example, sees: bool) -> dict[str, Any]:
    return {
        "key": example.change.key,
        **({"sent": example.sent, "held": example.held} if sees else {}),
        "writer": example.writer,
        "writer_id": example.drift.writer_id,
        "written_at": example.written_at.isoformat() if example.written_at else None,
        "web_url": example.change.web_url,
    }


def _examples(check: Run, field: str, number: int, sees: bool) -> list[Example]:
    """The first open values of an attribute."""
    drifts = list(Drift.objects.open().filter(run=check, field=field).order_by("pk")[:number])
    ids = [drift.change_id for drift in drifts]
    changes: Mapping[int, Change] = Change.objects.in_bulk(ids)
    held = defaultdict(dict, held_values.of(ids) if sees else mask_held(held_values.of(ids)))
    if not sees:
        mask_all(changes.values())
    return [
        Example(
            drift,
            changes[drift.change_id],
            changes[drift.change_id].values.get(field),
            held[drift.change_id].get(field, {}).get("held"),
            "held" in held[drift.change_id].get(field, {}),
        )
        for drift in drifts
        if drift.change_id in changes
    ]
