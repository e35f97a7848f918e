"""Plans a run: looks at the source and the vendor, enters a generation, passes over the rows, and asks the guards."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.utils import timezone

from activations.guards import counts as guards
from activations.guards import held
from activations.models import HeldPlan, Run
from activations.planning.generations import enter
from activations.planning.layout import layout, prepare_fields, store_first_use
from activations.planning.plan import Planner
from activations.planning.unchanged.planner import ScopedPlanner
from activations.planning.unchanged.scope import scope_of
from activations.scheduling import periodic_tasks
from activations.setup import mapping_diff, spec_from_db
from activations.storage import bundles
from activations.vendor_session import check_workspace, discover
from core.failpoints import reach
from destinations import vendor
from segments.sources import drift, watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from core.errors import Misconfigured


def plan(context: Context, lease: Lease) -> None:
    """Plans a run that was claimed.

    It leaves the run in `delivering`; in `held` if a guard holds it; or in `planned` if it is a dry run that does not
    compare with the destination.

    Raises:
        Problem: the source or the vendor can't be used, or the settings contradict each other.
        Cancelled: a person cancelled the run meanwhile.
        Lost: a different worker has claimed the run.
    """
    run = context.run
    if not run.dry_run and not run.only_key:
        periodic_tasks.start(context.activation)
    lease.update(state=Run.State.PLANNING, started_at=run.started_at or timezone.now())
    with watch.watched(context.activation.data_model.source):
        drift.look_before(context.activation.rows, context.activation.columns)
    workspace = check_workspace(context, timezone.now())
    generation = enter(run, lease, spec_from_db.spec(context.activation).identity(workspace.id), workspace.name)
    now = timezone.now()
    with vendor.watched(context.activation.destination.connection, now):
        discover(context, now)
        prepare_fields(context)
    store_first_use(context, lease)
    made_from = held.settings_of(context.activation)
    planned = layout(context, now)
    adds = {slot.field.name for slot in planned.slots if slot.adds}
    with lease.fenced(
        mapped=mapping_diff.mapped_fields(context.activation.mappings.all(), adds),
        missing=[_as_json(problem) for problem in (*context.missing, *context.changed)],
    ):
        if not run.dry_run and run.only_fields is None:
            context.activation.settle_new_mappings([slot.number for slot in planned.slots], now)
    run.refresh_from_db()
    with watch.watched(context.activation.data_model.source):
        within = scope_of(run)
        new = partial(ScopedPlanner, within) if within else Planner
        planner = new(context, lease, planned, generation, now)
        counts = planner.run()
    conclude(planner, counts, made_from)


def conclude(planner: Planner, counts: Mapping[str, int], made_from: Mapping[str, str]) -> None:
    """Decides about a plan: it goes into delivery, a guard holds it, or it is only shown.

    Args:
        counts: the counts of the plan, by column of `Run`.
        made_from: the settings that it was made with, see `held.settings_of`.

    Raises:
        Lost: a different worker has claimed the run.
    """
    run, lease = planner.context.run, planner.lease
    found = {"lossy": planner.losses.stored(), "retried": planner.retried}
    now = timezone.now()
    holds = guards.holds(run, counts, planner.scan.baseline.synchronized(), again=planner.again)
    if run.live and (counts["planned"] or run.kind == Run.Kind.DRIFT):
        shown = [hold.stored() for hold in holds]
        lease.update(state=Run.State.DELIVERING, compared_at=now, hold=shown, **found, **counts)
    elif run.dry_run:
        bundles.list_rest(run, lease)
        shown = [hold.stored() for hold in holds]
        lease.update(state=Run.State.PLANNED, compared_at=now, finished_at=now, hold=shown, **found, **counts)
    elif holds:
        lease.update(**found)
        held.hold(run, lease, holds, planner.writer.displaced, made_from, **counts)
    else:
        with lease.fenced(state=Run.State.DELIVERING, compared_at=now, **found, **counts):
            planner.writer.void_displaced()
    reach("plan_committed")


def take_up(context: Context, lease: Lease) -> None:
    """Makes the plan of an approved run count, before its first request. Does nothing to a plan that was not held.

    Raises:
        Problem: the vendor can't be used, or the settings that the plan was made with have changed.
        Lost: a different worker has claimed the run.
    """
    plan = HeldPlan.objects.filter(run=context.run).first()
    if plan is None:
        return
    workspace = check_workspace(context, timezone.now())
    held.check(context.run, plan, workspace.id)
    held.void_displaced(context.run, lease, plan)


def _as_json(problem: Misconfigured) -> dict[str, str]:
    return {"code": problem.code, "attribute": problem.where, "message": problem.message}
