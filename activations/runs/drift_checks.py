"""Requests checks for drift, and finds the latest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import Activation, Run
from activations.runs import requests
from core.errors import Misconfigured
from destinations.registry import services

if TYPE_CHECKING:
    from django.db.models import QuerySet

ENDED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)


def check(activation: Activation, trigger: str, *, enqueue: bool = True, **slot: Any) -> Run:
    """Queues a check for drift, or returns the one that is live.

    Args:
        trigger: a value of `Run.Trigger`.
        enqueue: hand the run to the workers. If false, the caller executes it.
        slot: columns of the slot of a schedule.

    Raises:
        Misconfigured: the destination does not return what its records hold.
    """
    service = services[activation.destination.service]
    if not service.compares:
        raise Misconfigured(
            "drift_not_comparable",
            f"{service.platform.label} does not return what its records hold in a form that can be compared, so drift "
            "can't be found.",
        )
    live = checks(activation).filter(state__in=Run.LIVE).first()
    columns = {"kind": Run.Kind.DRIFT, "live": True, **slot}
    return live or requests.create(activation, trigger, False, True, enqueue, "", **columns)


def checks(activation: Activation) -> QuerySet[Run]:
    """All checks for drift of an activation, the latest first."""
    return Run.objects.filter(activation=activation, kind=Run.Kind.DRIFT)


def latest(activation: Activation) -> Run | None:
    """The latest check that completed."""
    return checks(activation).filter(state__in=ENDED).first()
