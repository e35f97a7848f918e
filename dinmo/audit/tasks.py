"""The Celery tasks of the audit log."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from dinmo.audit import retention


@shared_task
def prune_audit_log() -> None:
    """Deletes audit log entries older than AUDIT_DAYS. Runs daily."""
    retention.prune(timezone.now())
