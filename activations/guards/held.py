"""Holds a planned run, and checks whether its plan still belongs to the settings of its activation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from activations import digests
from activations import warning_kinds as kinds
from activations.alerts import record
from activations.models import HeldPlan, Run
from activations.setup import mapping_diff, spec_from_db
from activations.setup.identity import Identity
from activations.storage import baseline, bundles
from core.errors import Misconfigured
from core.failpoints import reach
from segments.integrity.segments import referenced_segments
from segments.models import Segment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from activations.guards import rules
    from activations.models import Activation
    from activations.runs.lease import Lease


def hold(
    run: Run,
    lease: Lease,
    holds: Sequence[rules.Hold],
    displaced: np.ndarray,
    made_from: Mapping[str, str],
    **counts: int,
) -> None:
    """Ends the planning of a run in `held`. Its first changes are listed one by one, the others stay packed.

    A worker that dies before the commit leaves a run in `planning`, which is planned again.

    Args:
        holds: the guards that hold it.
        displaced: key digests of records that other rows take over. Nothing undoes that, so it waits for the approval.
        made_from: the digests of the settings that the plan was made with.
        counts: the counts of the plan, by column of `Run`.

    Raises:
        Lost: a different worker has claimed the run.
    """
    bundles.list_first(run, lease)
    now, stored = timezone.now(), [hold.stored() for hold in holds]
    with transaction.atomic():
        lease.end(state=Run.State.HELD, compared_at=now, hold=stored, **counts)
        kept = displaced.astype(np.int64).tobytes()
        HeldPlan.objects.create(run=run, displaced=kept, made_from=dict(made_from))
        message = " ".join(hold.message for hold in holds)
        facts = {"run": run.number, "guards": [hold.kind for hold in holds]}
        record.open_warning(run.activation, kinds.HELD, message, facts, now, run=run)
        reach("in_hold")
    reach("held")


def settings_of(activation: Activation) -> dict[str, str]:
    """Digests of what a plan is made from, by the name that people know it by. The identity of records is apart."""
    rows, model = activation.rows, activation.data_model
    segments = _segments(rows) if isinstance(rows, Segment) else []
    mappings = list(activation.mappings.all())
    computed = [[column.name, column.definition] for column in model.computed_fields()]
    parts: dict[str, Any] = {
        "mode": activation.mode,
        "field mappings": sorted(
            [*field, mapping.multi]
            for mapping, field in zip(mappings, mapping_diff.mapped_fields(mappings), strict=True)
        ),
        "segment": [activation.segment_id, *([one.where, one.limit] for one in segments)],
        "model": [model.table, model.sql, computed],
    }
    return {name: str(digests.of_value(part)) for name, part in parts.items()}


def _segments(segment: Segment) -> list[Segment]:
    """The segment, and all that its conditions refer to."""
    found, wanted = {segment.name: segment}, referenced_segments(segment.where)
    while wanted := wanted - found.keys():
        for other in Segment.objects.filter(name__in=wanted):
            found[other.name] = other
        wanted = {name for name in wanted & found.keys() for name in referenced_segments(found[name].where)}
    return [found[name] for name in sorted(found)]


def check(run: Run, held: HeldPlan, workspace: str | None = None) -> None:
    """Raises Outdated if the settings that the plan was made with have changed since.

    Args:
        workspace: the vendor's ID of the workspace that the credentials open; None to take the one last seen.
    """
    activation = run.activation
    now = settings_of(activation)
    changed = [name for name, digest in now.items() if held.made_from.get(name) != digest]
    generation = run.generation
    if generation is None or generation != spec_from_db.current_generation(activation) or activation.start_afresh:
        changed.append("sync history")
    else:
        identity = spec_from_db.spec(activation).identity(workspace)
        changed += [name for name in identity.changes(Identity.parse(generation.identity)) if name not in changed]
    if changed:
        raise outdated(changed)


class Outdated(Misconfigured):
    """The settings that a plan was made with have changed since, so it is never sent."""


def outdated(changed: list[str]) -> Outdated:
    """PURE. The problem of a plan whose settings changed."""
    parts = f"{', '.join(changed[:-1])} and {changed[-1]}" if len(changed) > 1 else changed[0]
    verb = "has" if len(changed) == 1 and not changed[0].endswith("s") else "have"
    return Outdated(
        "plan_outdated",
        f"The {parts} {verb} changed since this run was planned, so its plan can't be sent. The next run is planned "
        "with the present settings.",
    )


def void_displaced(run: Run, lease: Lease, held: HeldPlan) -> None:
    """Makes the plan of an approved run count: voids the records that other rows take over, and deletes what was kept.

    One transaction: a worker that dies before its end leaves the step to the next one.

    Raises:
        Lost: a different worker has claimed the run.
    """
    assert run.generation_id is not None
    with lease.fenced():
        baseline.displace(run.generation_id, np.frombuffer(held.displaced, dtype=np.int64))
        held.delete()
        reach("in_approve")
