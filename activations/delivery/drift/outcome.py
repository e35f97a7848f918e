"""Concludes a check for drift: opens or closes the warning, and decides whether a run restores values automatically."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count

from activations import warning_kinds as kinds
from activations.alerts import record
from activations.models import Drift, Run, Warning
from activations.runs import restores

if TYPE_CHECKING:
    from datetime import datetime

BY_SCHEDULE = (Run.Trigger.SCHEDULE, Run.Trigger.CATCH_UP)
MOST_NAMED = 3


def conclude(run: Run, now: datetime) -> dict[str, Any]:
    """Opens or closes the warning of the activation.

    Returns:
        How the run ends, by column.
    """
    healing = restores.healing(run)
    fields = list(
        Drift.objects.open().filter(run=run).exclude(pk__in=healing.values("pk")).order_by()
        .values_list("field").annotate(number=Count("pk")).order_by("-number", "field")
    )  # fmt: skip
    found = _warn(run, fields, now)
    ended_well = not (found or run.rejected or run.not_sent)
    state = Run.State.SUCCEEDED if ended_well else Run.State.COMPLETED_WITH_WARNINGS
    return {"state": state, "found_warnings": found, "follow_up": healing.exists()}


def _warn(run: Run, fields: list[tuple[str, int]], now: datetime) -> list[dict[str, str]]:
    activation = run.activation
    limit = kinds.effective(activation.thresholds)["drifted_values"]
    number = sum(count for _, count in fields)
    if not fields:
        for warning in Warning.objects.filter(activation=activation, kind=kinds.DRIFT, closed_at=None):
            record.close(warning, now, run=run)
    if run.trigger not in BY_SCHEDULE or not activation.warnings_enabled or limit is None or number <= int(limit):
        return []
    message = sentence(fields)
    record.open_warning(activation, kinds.DRIFT, message, {"values": number}, now, subject="", run=run)
    return [{"kind": kinds.DRIFT, "subject": "", "message": message}]


def sentence(fields: list[tuple[str, int]]) -> str:
    """PURE. What the destination holds differently, by attribute, the most frequent first."""
    named = [f"“{name}” of {number:,} record{'' if number == 1 else 's'}" for name, number in fields[:MOST_NAMED]]
    more = len(fields) - len(named)
    listed = ", ".join(named) + (f" and {more} more field{'' if more == 1 else 's'}" if more else "")
    return f"The destination holds different values than were sent, although the source did not change: {listed}."
