"""Works on a run for one slice of time: claims it, plans or delivers, and ends it if nothing is left to do."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from activations import finish
from activations.alerts import outbox
from activations.attaching.attach import Attaching, setting_of
from activations.delivery.deliver import Delivery
from activations.delivery.retry import NEVER_SENT, with_one_wait
from activations.guards.held import Outdated
from activations.models import Run
from activations.planning.begin import plan, take_up
from activations.runs import stopping, vendor_times
from activations.runs.lease import Cancelled, Keeper, Lease, Lost, claim
from activations.runs.stopping import Interrupted
from activations.scheduling import settle
from activations.vendor_session import Context, open_context, reading_only
from core.audit import SYSTEM, acting_as
from core.errors import Problem, Unavailable
from destinations import vendor
from segments.session import reading_here

log = logging.getLogger(__name__)

HANDOVER_SECONDS = 5.0
"""How long a slice delivers after it has planned. Short runs end there, and longer ones leave the process to plans."""


def execute(run_id: int) -> bool:
    """Works on the run until it ends or the slice is over.

    Returns:
        Whether the run is still live and this caller released it, so that it has to be enqueued again.
    """
    with bound_contextvars(run_id=run_id):
        if stopping.is_requested():
            return True
        lease = claim(run_id)
        return lease is not None and _execute(lease)


def _execute(lease: Lease) -> bool:
    run_id = lease.run_id
    try:
        with acting_as(SYSTEM, run=run_id), Keeper(lease):
            _work(lease)
        lease.release()
    except Lost:
        log.info("Run %s has been claimed by a different worker.", run_id)
        return False
    except (OperationalError, InterfaceError) as error:
        # Nothing can be stored. The worker that claims the run next continues from what was committed.
        log.warning("Run %s continues once its lease expires: the database failed (%s).", run_id, type(error).__name__)
        connection.close()
        return False
    state = Run.objects.filter(pk=run_id).values_list("state", flat=True).first()
    if state in Run.LIVE:
        return True
    log.info("Run %s is over: %s.", run_id, state, extra={"state": state})
    settle.run_ended(run_id, timezone.now())
    return False


def _work(lease: Lease) -> None:
    run = _load(lease.run_id)
    with bound_contextvars(activation_id=run.activation_id):
        _work_on(run, lease)


def _work_on(run: Run, lease: Lease) -> None:
    try:
        _advance(run, lease)
    except Interrupted:
        log.info("Run %s is handed over: this worker is about to stop.", run.pk)
    except (Lost, OperationalError, InterfaceError):
        raise
    except Cancelled:
        finish.cancel(_load(run.pk), lease, timezone.now())
    except Outdated as outdated:
        finish.cancel(_load(run.pk), lease, timezone.now(), f"Not sent. {outdated.message}")
    except Problem as problem:
        log.warning("Run %s failed: %s %s", run.pk, problem.code, problem.detail)
        finish.fail(_load(run.pk), lease, problem, timezone.now())
    except Exception:
        # A defect of ours: the run still ends with a reason, and the exception goes on to the log.
        finish.fail_on_defect(_load(run.pk), lease, timezone.now())
        outbox.collect(timezone.now())
        lease.release()
        raise
    outbox.collect(timezone.now())


def _advance(run: Run, lease: Lease) -> None:
    if run.cancel_requested:
        finish.cancel(run, lease, timezone.now())
        return
    with open_context(run) as context, reading_only(context), reading_here():
        try:
            if run.live or not run.dry_run:
                context.pacer.refuse_if_blocked()
            seconds = settings.RUN_SLICE_SECONDS
            if run.state in (Run.State.QUEUED, Run.State.PLANNING):
                plan(context, lease)
                seconds = min(seconds, HANDOVER_SECONDS)
            run.refresh_from_db()
            if run.state == Run.State.DELIVERING:
                take_up(context, lease)
                _deliver(context, lease, seconds)
        except Unavailable as problem:
            _block_if_long(context, problem)
            raise
        finally:
            lease.count(context.counts())
            vendor_times.note(run.pk, context.pacer)


def _block_if_long(context: Context, problem: Unavailable) -> None:
    """Blocks the request budget for all runs if the vendor accepts no more requests for longer than a run can wait."""
    until = with_one_wait(problem, timezone.now()).not_before
    if until and problem.code not in NEVER_SENT:
        context.pacer.block(until)


def _deliver(context: Context, lease: Lease, seconds: float) -> None:
    until = time.monotonic() + seconds
    outcome = Delivery(context, lease, until).run()
    if outcome.finished and (setting := setting_of(context)):
        outcome = Attaching(context, lease, setting, until).run()
    run = _load(context.run.pk)
    if outcome.problem:
        vendor.note(run.activation.destination.connection, outcome.problem, timezone.now())
        finish.fail(run, lease, outcome.problem, timezone.now())
    elif outcome.cancelled:
        finish.cancel(run, lease, timezone.now())
    elif outcome.finished:
        finish.complete(run, lease, timezone.now())


def _load(run_id: int) -> Run:
    related = ("activation__destination__connection", "activation__segment__model__source", "activation__model__source")
    return Run.objects.select_related(*related).get(pk=run_id)
