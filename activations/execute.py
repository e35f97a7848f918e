"""Works on a run for one slice of time: claims it, plans or delivers, and ends it where nothing is left to do."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from activations import alerts, announce, finish
from activations.context import Context, check_workspace, discover, generation, layout, open_context, prepare_fields, settle_backfill
from activations.deliver import Delivery
from activations.lease import Cancelled, Keeper, Lease, Lost, claim
from activations.models import Run
from activations.plan import Planner
from core.errors import Problem
from segments import watch

log = logging.getLogger(__name__)


def execute(run_id: int) -> bool:
    """Works on the run until its end or the end of the slice.

    Returns:
        Whether it is live still and this caller gave it back: enqueue it again.
    """
    lease = claim(run_id)
    if lease is None:
        return False
    try:
        with Keeper(lease):
            _work(lease)
        lease.release()
    except Lost:
        log.info("Run %s is held by another worker now.", run_id)
        return False
    except (OperationalError, InterfaceError) as error:
        # Nothing can be written down now. Whoever claims the run next goes on from what was committed.
        log.warning("Run %s goes on when its lease has ended: the database failed (%s).", run_id, type(error).__name__)
        connection.close()
        return False
    return Run.objects.filter(pk=run_id, state__in=Run.LIVE).exists()


def _work(lease: Lease) -> None:
    run = _load(lease.run_id)
    try:
        _advance(run, lease)
    except (Lost, OperationalError, InterfaceError):
        raise
    except Cancelled:
        finish.cancel(_load(run.pk), lease, timezone.now())
    except Problem as problem:
        log.warning("Run %s failed: %s %s", run.pk, problem.code, problem.detail)
        finish.fail(_load(run.pk), lease, problem, timezone.now())
    except Exception:
        # A defect of ours: the run ends with a reason, and the error surfaces.
        finish.break_off(_load(run.pk), lease, timezone.now())
        alerts.notify(_load(run.pk), timezone.now())
        lease.release()
        raise
    alerts.notify(_load(run.pk), timezone.now())


def _advance(run: Run, lease: Lease) -> None:
    if run.cancel_requested:
        finish.cancel(run, lease, timezone.now())
        return
    with open_context(run) as context:
        try:
            if run.state in (Run.State.QUEUED, Run.State.PLANNING):
                _plan(context, lease)
            run.refresh_from_db()
            if run.state == Run.State.DELIVERING:
                _deliver(context, lease)
        finally:
            finish.count(lease, context.counts())


def _plan(context: Context, lease: Lease) -> None:
    run = context.run
    with lease.fenced(state=Run.State.PLANNING, started_at=run.started_at or timezone.now()):
        pass
    watch.look_before(context.activation.rows, context.activation.columns)
    belongs_to, reason = generation(context, check_workspace(context))
    now = timezone.now()
    discover(context, now)
    prepare_fields(context)
    made = layout(context, now)
    changes: dict[str, Any] = {
        "generation": belongs_to,
        "mapped": announce.described(context.activation.mappings.all(), {slot.field.name for slot in made.slots if slot.adds}),
        "missing": [_described(problem) for problem in (*context.missing, *context.changed)],
    }
    if reason:
        changes |= {"kind": Run.Kind.FULL, "reason": reason}
    with lease.fenced(**changes):
        if not run.dry_run:
            settle_backfill(context.activation, made, now)
    run.refresh_from_db()
    Planner(context, lease, made, belongs_to, now).run()


def _deliver(context: Context, lease: Lease) -> None:
    ended = Delivery(context, lease, time.monotonic() + settings.RUN_SLICE_SECONDS).run()
    run = _load(context.run.pk)
    if ended.problem:
        finish.fail(run, lease, ended.problem, timezone.now())
    elif ended.cancelled:
        finish.cancel(run, lease, timezone.now())
    elif ended.finished:
        finish.complete(run, lease, timezone.now())


def _described(problem: Any) -> dict[str, str]:
    return {"code": problem.code, "attribute": problem.where, "message": problem.message}


def _load(run_id: int) -> Run:
    related = ("activation__destination__connection", "activation__segment__model__source", "activation__model__source")
    return Run.objects.select_related(*related).get(pk=run_id)
