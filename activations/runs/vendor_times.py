"""Stores how long the requests of a run took, once for each slice of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from activations.models import Run, VendorTimes
from destinations.answer_times import added

if TYPE_CHECKING:
    from destinations.pacing import Pacer


def note(run_id: int, pacer: Pacer) -> None:
    """Adds what the gate of a run has measured since the last call. Does nothing if no request was sent."""
    waited, answers = pacer.take_waited_seconds(), pacer.answer_times.take()
    if not answers or not Run.with_previews.filter(pk=run_id).exists():
        return
    with transaction.atomic():
        VendorTimes.objects.get_or_create(run_id=run_id)
        times = VendorTimes.objects.select_for_update().get(run_id=run_id)
        times.waited_seconds += waited
        times.answers = added(times.answers, answers)
        times.save()
