"""What the page of a run shows of the guards: why it waits, examples of its plan, and who decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.guards.rules import CHANGES, CREATES, FIRST_CREATES
from activations.models import Change, Run
from activations.screens.run.rows import rows

if TYPE_CHECKING:
    from collections.abc import Collection

EXAMPLES = 5
LABELS = {
    "empty": "No rows",
    "size": "Number of rows",
    "creates": "New records",
    "changes": "Changed records",
    "first_creates": "First run",
}


def panel(run: Run, *, may_see_records: bool, sees: bool) -> dict[str, Any]:
    """The context of the template: the guards that hold the run, or would hold one like it, and its examples.

    Args:
        sees: whether the examples are shown with their values.
    """
    holds = [{"label": LABELS.get(hold["kind"], hold["kind"]), "message": hold["message"]} for hold in run.hold]
    waits = run.state == Run.State.HELD
    changes = examples(run, {hold["kind"] for hold in run.hold}) if waits and may_see_records else []
    return {"holds": holds, "waits": waits, "hold_examples": rows(run, changes, sees=sees), "decision": decision(run)}


def examples(run: Run, kinds: Collection[str]) -> list[Change]:
    """A few planned changes: of new records if a guard is about these, and otherwise of known ones if there are any."""
    pending = Change.objects.filter(run=run, state=Change.State.PENDING).order_by("pk")
    of_new = CHANGES not in kinds and bool({CREATES, FIRST_CREATES} & set(kinds))
    return list(pending.filter(is_new=of_new)[:EXAMPLES]) or list(pending[:EXAMPLES])


def decision(run: Run) -> str:
    """Who decided about the run, such as "Approved by ops"; "" if nobody did."""
    return f"{run.get_decision_display()} by {run.decided_by}" if run.decision else ""
