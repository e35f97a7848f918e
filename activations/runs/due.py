"""Queues the run of a slot, unless a run is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError

from activations.models import Activation, Run
from activations.runs import requests

if TYPE_CHECKING:
    from datetime import datetime

    from activations.models import Schedule


def start_due(
    activation: Activation, trigger: str, *, schedule: Schedule | None = None, due_at: datetime | None = None
) -> Run | None:
    """Queues a run that is due; None if one is open, or the slot has a run already.

    Args:
        schedule: the schedule whose slot it is.
        due_at: the slot.
    """
    try:
        return requests.create(activation, trigger, False, False, True, "", schedule=schedule, due_at=due_at)
    except IntegrityError:
        is_open = Run.objects.filter(activation=activation, state__in=Run.OPEN, dry_run=False).exists()
        if is_open or Run.objects.filter(schedule=schedule, due_at=due_at, schedule__isnull=False).exists():
            return None
        raise
