"""Requests and cancels runs, and continues those that an outage of the vendor or the source cut short."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from activations.models import Activation, Run
from activations.runs import dispatch
from core.http import LONGEST_WAIT_SECONDS

CONTINUE_AFTER = timedelta(minutes=2)
CONTINUE_AT_MOST = timedelta(hours=1)
CONTINUE_WITHIN = timedelta(seconds=LONGEST_WAIT_SECONDS + 60)
"""A moment later than this is none that a vendor could have requested: the clock was set back since."""
BY_HAND = "Requested by a person"
BY_PERSON = (Run.Trigger.MANUAL, Run.Trigger.CLI, Run.Trigger.API)


def request(
    activation: Activation, trigger: str, *, full: bool = False, dry_run: bool = False, enqueue: bool = True
) -> Run:
    """Queues a run, or returns the live one. If a schedule fires while a run is live, the run counts that firing.

    Args:
        trigger: a value of `Run.Trigger`.
        full: send every mapped field of every record again. A live run that is still queued becomes a full one.
        dry_run: plan only. Nothing is sent, and the baseline stays as it is. Dry runs ignore live runs.
        enqueue: hand the run to the workers. If false, the caller executes it.
    """
    live = None if dry_run else live_run(activation)
    if live is None:
        try:
            return _create(activation, trigger, full, dry_run, enqueue)
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
    """Cancels a live run. It ends within seconds, and what was accepted stays accepted."""
    Run.objects.filter(pk=run.pk, state__in=Run.LIVE).update(cancel_requested=True)
    dispatch.enqueue_on_commit(run.pk)


def continue_after_outages(now: datetime) -> list[Run]:
    """Queues a run for each activation whose last run failed because the vendor or the source was unavailable.

    The wait doubles with each such failure in a row, from two minutes to an hour. If the vendor said when it accepts
    requests again, the run starts then.
    """
    started = []
    for activation in Activation.objects.filter(paused=False):
        latest = list(Run.objects.filter(activation=activation, dry_run=False).order_by("-pk")[:6])
        if is_due_to_continue(latest, now):
            started.append(request(activation, Run.Trigger.CATCH_UP))
    return started


def is_due_to_continue(latest: list[Run], now: datetime) -> bool:
    """PURE. Whether the first of these runs, newest first, failed as unavailable, and the wait after it is over."""
    failures = 0
    for run in latest:
        if run.state != Run.State.FAILED or run.error_code != "unavailable":
            break
        failures += 1
    if not failures or latest[0].finished_at is None:
        return False
    if latest[0].continue_at:
        return not must_wait(latest[0], now)
    elapsed = now - latest[0].finished_at
    # A negative time means that the clock was set back.
    return elapsed >= min(CONTINUE_AFTER * 2 ** (failures - 1), CONTINUE_AT_MOST) or elapsed < timedelta(0)


def must_wait(latest: Run | None, now: datetime) -> bool:
    """PURE. Whether no run may start yet, because in the latest one the vendor said when it accepts requests again."""
    if latest is None or latest.state != Run.State.FAILED or latest.continue_at is None:
        return False
    return now < latest.continue_at <= now + CONTINUE_WITHIN


def latest_run(activation: Activation) -> Run | None:
    """The latest run of the activation that is not a dry run."""
    return Run.objects.filter(activation=activation, dry_run=False).order_by("-pk").first()


def _create(activation: Activation, trigger: str, full: bool, dry_run: bool, enqueue: bool) -> Run:
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
