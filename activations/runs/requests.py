"""Asks for runs, cancels them, and starts again what a vendor's outage cut short."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from activations.models import Activation, Run
from activations.runs import dispatch

GO_ON_AFTER = timedelta(minutes=2)
GO_ON_AT_MOST = timedelta(hours=1)
BY_HAND = "Asked for by a person"
BY_PERSON = (Run.Trigger.MANUAL, Run.Trigger.CLI, Run.Trigger.API)


def request(
    activation: Activation, trigger: str, *, full: bool = False, dry_run: bool = False, enqueue: bool = True
) -> Run:
    """Queues a run, or returns the one that is live; a schedule that meets a live run is counted on it.

    Args:
        trigger: a value of `Run.Trigger`.
        full: send every mapped field of every record again; a live run that has not begun becomes a full one.
        dry_run: plan only; nothing is sent and no baseline moves. It meets no live run, and is none.
        enqueue: tell the workers; without it the caller executes the run.
    """
    live = None if dry_run else live_run(activation)
    if live is None:
        try:
            return _queued(activation, trigger, full, dry_run, enqueue)
        except IntegrityError:
            live = Run.objects.get(activation=activation, state__in=Run.LIVE, dry_run=False)
    if full and Run.objects.filter(pk=live.pk, state=Run.State.QUEUED).update(kind=Run.Kind.FULL, reason=BY_HAND):
        live.kind = Run.Kind.FULL
    if trigger in (Run.Trigger.SCHEDULE, Run.Trigger.CATCH_UP):
        Run.objects.filter(pk=live.pk).update(missed_firings=F("missed_firings") + 1)
    return live


def live_run(activation: Activation) -> Run | None:
    """The run of the activation that is queued, planning or delivering."""
    return Run.objects.filter(activation=activation, state__in=Run.LIVE, dry_run=False).first()


def cancel(run: Run) -> None:
    """Asks a live run to end; what was accepted stays accepted. Takes effect within seconds."""
    Run.objects.filter(pk=run.pk, state__in=Run.LIVE).update(cancel_requested=True)
    dispatch.enqueue_on_commit(run.pk)


def go_on(now: datetime) -> list[Run]:
    """Queues a run for each activation whose last one ended because the vendor or the source was not available.

    The wait doubles with each such end in a row, from two minutes to an hour.
    """
    started = []
    for activation in Activation.objects.filter(paused=False):
        last = list(Run.objects.filter(activation=activation, dry_run=False).order_by("-pk")[:6])
        if is_due_to_go_on(last, now):
            started.append(request(activation, Run.Trigger.CATCH_UP))
    return started


def is_due_to_go_on(last: list[Run], now: datetime) -> bool:
    """PURE. Whether the newest of these runs (newest first) ended unavailable, long enough ago."""
    row = 0
    for run in last:
        if run.state != Run.State.FAILED or run.error_code != "unavailable":
            break
        row += 1
    if not row or last[0].finished_at is None:
        return False
    return now - last[0].finished_at >= min(GO_ON_AFTER * 2 ** (row - 1), GO_ON_AT_MOST)


def _queued(activation: Activation, trigger: str, full: bool, dry_run: bool, enqueue: bool) -> Run:
    with transaction.atomic():
        run = Run.objects.create(
            activation=activation,
            number=activation.take_number("next_run_number"),
            trigger=trigger,
            kind=Run.Kind.FULL if full else Run.Kind.DELTA,
            reason=BY_HAND if full else "",
            dry_run=dry_run,
        )
        if enqueue:
            dispatch.enqueue_on_commit(run.pk)
    return run
