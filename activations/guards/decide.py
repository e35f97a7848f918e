"""Approves or discards a held run. One update decides, so that only the first of two decisions counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from activations import warning_kinds as kinds
from activations.alerts import record
from activations.guards import held
from activations.models import HeldPlan, Run
from activations.runs import dispatch
from core.audit import Verb, announce
from core.errors import Misconfigured

EXPIRED = "DinMo"
"""Who discards a plan that nobody decided about."""


def approve(run: Run, by: str, *, enqueue: bool = True) -> None:
    """Sends exactly the plan of a held run, whatever the source holds now.

    Args:
        by: the name of the person who approves.
        enqueue: hand the run to the workers. If false, the caller executes it.

    Raises:
        Misconfigured: the run is not held, or the settings that its plan was made with have changed.
    """
    plan = HeldPlan.objects.filter(run=run).first()
    if plan is None:
        raise _not_held(run)
    try:
        held.check(run, plan)
    except held.Outdated as problem:
        raise Misconfigured(problem.code, f"{problem.message} Discard this plan.") from None
    _decide(run, Run.Decision.APPROVED, by, enqueue)


def discard(run: Run, by: str, *, enqueue: bool = True) -> None:
    """Discards the plan of a held run: nothing of it is sent. A worker ends the run within seconds.

    Args:
        by: the name of the person who discards it.
        enqueue: hand the run to the workers. If false, the caller executes it.

    Raises:
        Misconfigured: the run is not held.
    """
    _decide(run, Run.Decision.DISCARDED, by, enqueue, cancel_requested=True)


def discard_expired(now: datetime) -> int:
    """Discards the plans that nobody has decided about for RETENTION_DAYS: they hold values of records."""
    old = Run.objects.filter(
        state=Run.State.HELD, compared_at__lt=now - timedelta(days=settings.RETENTION_DAYS), dry_run=False
    )
    runs = list(old)
    for run in runs:
        discard(run, EXPIRED)
    return len(runs)


def _decide(run: Run, decision: Run.Decision, by: str, enqueue: bool, **changes: Any) -> None:
    """The run becomes live again without an owner, so that a worker claims it, or the sweep finds it."""
    now = timezone.now()
    with transaction.atomic():
        waiting = Run.objects.filter(pk=run.pk, state=Run.State.HELD)
        decided = {"decision": decision, "decided_by": by[:200], "decided_at": now}
        if not waiting.update(state=Run.State.DELIVERING, **decided, **changes):
            raise _not_held(run)
        then = "Its plan is being sent." if decision == Run.Decision.APPROVED else "Nothing was sent."
        resolution = f"{decision.label} by {by}. {then}"
        record.close_warnings(run.activation, [kinds.HELD], now, run=run, resolution=resolution)
        verb = Verb.APPROVED if decision == Run.Decision.APPROVED else Verb.DISCARDED
        announce(verb, run, {"Run": ("", f"{run.number}")}, run=run.pk)
        if enqueue:
            dispatch.enqueue_on_commit(run.pk)


def _not_held(run: Run) -> Misconfigured:
    return Misconfigured("run_not_held", f"{run.title} does not wait for approval. Open it to see its present state.")
