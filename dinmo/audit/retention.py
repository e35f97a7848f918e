"""Deletes audit log entries after their retention period, using the cutoff that the triggers respect."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from core import audit
from core.audit import Verb
from dinmo.audit.models import AuditDoor, AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

CHUNK = 5_000
LOG = "Audit log"


def prune(now: datetime) -> int:
    """Deletes entries older than AUDIT_DAYS in small transactions, and records it in the log. Returns their number.

    Deletes nothing if AUDIT_DAYS is 0.
    """
    if not settings.AUDIT_DAYS:
        return 0
    limit = now - timedelta(days=settings.AUDIT_DAYS)
    deleted = 0
    while number := _delete_some(limit):
        deleted += number
    if deleted:
        audit.announce(Verb.PRUNED, LOG, {f"Before {limit:%Y-%m-%d %H:%M} UTC": (f"{deleted:,} entries", "")})
    return deleted


@transaction.atomic
def _delete_some(limit: datetime) -> int:
    """Sets the cutoff, deletes a chunk and clears the cutoff in one transaction, so that no other one sees it."""
    old = list(AuditEntry.objects.filter(at__lt=limit).order_by("pk").values_list("pk", flat=True)[:CHUNK])
    if old:
        door, _ = AuditDoor.objects.update_or_create(pk=1, defaults={"deletable_before": limit})
        AuditEntry.objects.filter(pk__in=old).delete()
        AuditDoor.objects.filter(pk=door.pk).update(deletable_before=None)
    return len(old)
