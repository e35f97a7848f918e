"""Lets time pass for schedules."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from activations.models import Schedule
from activations.scheduling import definition


def make_due(schedule: Schedule, slots: int = 1) -> datetime:
    """Moves an interval back, so that it has this many slots that are due. The last was a second ago; returns it."""
    last = timezone.now() - timedelta(seconds=1)
    begin = last - slots * definition.interval(schedule)
    Schedule.objects.filter(pk=schedule.pk).update(anchored_at=begin, settled_until=begin)
    return last
