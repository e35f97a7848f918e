"""The last run of each activation that has ended, and the one that waits for approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import OuterRef, Subquery

from activations.alerts.related import READ_OF_RUN
from activations.models import Activation, Run

if TYPE_CHECKING:
    from collections.abc import Iterable


def latest_run(activation: Activation) -> Run | None:
    """The last run that has ended. Dry runs and tests of one record don't count."""
    return latest_runs([activation]).get(activation.pk)


def latest_runs(activations: Iterable[Activation]) -> dict[int, Run]:
    """The last run of each activation that has ended, by the activation's ID. Dry runs and tests don't count."""
    by_id = {activation.pk: activation for activation in activations}
    whole = Run.objects.filter(**Run.WHOLE)
    ended = whole.exclude(state__in=Run.OPEN)
    # One look into an index for each activation, however many runs it has.
    newest = Subquery(ended.filter(activation=OuterRef("pk")).order_by("-pk").values("pk")[:1])
    last = Activation.objects.filter(pk__in=by_id).order_by().values(last=newest)
    runs = Run.objects.filter(pk__in=last).only(*READ_OF_RUN)
    found = {run.activation_id: run for run in runs}
    for activation_id, run in found.items():
        run.activation = by_id[activation_id]
    return found


def held_runs(activations: Iterable[Activation]) -> dict[int, Run]:
    """The run of each activation that waits for approval, by the activation's ID."""
    by_id = {activation.pk: activation for activation in activations}
    runs = Run.objects.filter(state=Run.State.HELD, dry_run=False).defer("mapped", "missing")
    found = {run.activation_id: run for run in runs if run.activation_id in by_id}
    for activation_id, run in found.items():
        run.activation = by_id[activation_id]
    return found
