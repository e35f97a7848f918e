"""The lease of beat: of several processes, one starts scheduled tasks, and the others wait until its lease has ended.

Two that are active for a moment do no harm, because slots are settled once. They would only do daily work twice.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from activations.models import BeatLease

SHORTEST_LEASE_SECONDS = 3.0
ROW = 1


def lease_seconds() -> float:
    """How long a lease lasts, and so how long schedules wait after a kill. Like runs, which wait for the sweep."""
    return float(max(SHORTEST_LEASE_SECONDS, settings.RUN_SWEEP_SECONDS))


def take(owner: str) -> bool:
    """Claims or renews the lease. Returns whether the owner has it now. Only the database's clock counts.

    Args:
        owner: what no other process is called.
    """
    until = Now() + timedelta(seconds=lease_seconds())
    free = Q(owner=owner) | Q(owner="") | Q(lease_until__lt=Now())
    if BeatLease.objects.filter(free, pk=ROW).update(owner=owner, lease_until=until):
        return True
    created = BeatLease.objects.bulk_create([BeatLease(pk=ROW)], ignore_conflicts=True)
    return bool(created and BeatLease.objects.filter(pk=ROW, owner="").update(owner=owner, lease_until=until))


def release(owner: str) -> None:
    """Ends the lease, so that a waiting process takes over immediately. Does nothing if a different process has it."""
    BeatLease.objects.filter(pk=ROW, owner=owner).update(owner="", lease_until=None)
