"""The Celery tasks of the audit log: thin."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from dinmo.audit import retention


@shared_task
def prune_audit_log() -> None:
    """Daily: deletes entries of the audit log that are older than AUDIT_DAYS."""
    retention.prune(timezone.now())
