"""The filters of the list of activations: the questions that people ask about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from activations.models import Activation, Run, Warning

if TYPE_CHECKING:
    from django.http import HttpRequest

SHOWN = {
    "failed": "Last run failed",
    "warnings": "With open warnings",
    "held": "Waiting for approval",
    "running": "Running now",
    "paused": "Paused",
    "paused_by_system": "Paused by the system",
    "drafts": "Drafts",
    "never": "Never run",
}


class ShownFilter(admin.SimpleListFilter):
    title = "show"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(SHOWN.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Activation]) -> QuerySet[Activation]:
        return narrowed(queryset, self.value() or "")


def narrowed(queryset: QuerySet[Activation], shown: str) -> QuerySet[Activation]:
    """The activations that a value of `SHOWN` is about; all if it is a different text."""
    runs = Run.objects.filter(activation=OuterRef("pk"))
    if shown == "failed":
        last = runs.filter(dry_run=False).exclude(state__in=Run.OPEN).order_by("-pk")
        return queryset.annotate(ended=Subquery(last.values("state")[:1])).filter(ended=Run.State.FAILED)
    conditions: dict[str, Any] = {
        "warnings": Exists(Warning.objects.filter(activation=OuterRef("pk"), closed_at=None)),
        "held": Exists(runs.filter(state=Run.State.HELD, dry_run=False)),
        "running": Exists(runs.filter(state__in=Run.LIVE, dry_run=False)),
        "paused": Q(paused=True),
        "paused_by_system": Q(paused=False, system_pause__isnull=False),
        "drafts": Q(is_draft=True),
        "never": ~Exists(runs.filter(dry_run=False)),
    }
    return queryset.filter(conditions[shown]) if shown in conditions else queryset
