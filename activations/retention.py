"""Forgets the changes of runs that ended long ago; the runs and their counts stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from activations.models import Change, Run

CHUNK = 5_000


def prune(now: datetime) -> int:
    """Deletes changes of runs that ended more than RETENTION_DAYS ago, in small transactions; returns how many."""
    old = Run.objects.filter(finished_at__lt=now - timedelta(days=settings.RETENTION_DAYS))
    deleted = 0
    while keys := list(Change.objects.filter(run__in=old).values_list("pk", flat=True)[:CHUNK]):
        deleted += Change.objects.filter(pk__in=keys).delete()[0]
    return deleted
