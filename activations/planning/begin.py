"""Plans a run from the start: looks at the source and the vendor, enters a generation, and passes over the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from activations.models import Run
from activations.planning.generations import enter
from activations.planning.layout import layout, prepare_fields, store_first_use
from activations.planning.plan import Planner
from activations.setup import mapping_diff, schedules, spec_from_db
from activations.vendor_session import check_workspace, discover
from destinations import vendor
from segments.sources import drift, watch

if TYPE_CHECKING:
    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from core.errors import Misconfigured


def plan(context: Context, lease: Lease) -> None:
    """Plans a run that was claimed. It leaves the run in `delivering`, or in `planned` if it is a dry run.

    Raises:
        Problem: the source or the vendor can't be used, or the settings contradict each other.
        Cancelled: a person cancelled the run meanwhile.
        Lost: a different worker has claimed the run.
    """
    run = context.run
    if not run.dry_run and not run.only_key:
        schedules.start(context.activation)
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
    planned = layout(context, now)
    adds = {slot.field.name for slot in planned.slots if slot.adds}
    with lease.fenced(
        mapped=mapping_diff.mapped_fields(context.activation.mappings.all(), adds),
        missing=[_as_json(problem) for problem in (*context.missing, *context.changed)],
    ):
        if not run.dry_run:
            context.activation.settle_new_mappings([slot.number for slot in planned.slots], now)
    run.refresh_from_db()
    with watch.watched(context.activation.data_model.source):
        Planner(context, lease, planned, generation, now).run()


def _as_json(problem: Misconfigured) -> dict[str, str]:
    return {"code": problem.code, "attribute": problem.where, "message": problem.message}
