"""Deletes the changes and requests of runs that ended long ago, and activations with all that belongs to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from activations.models import (
    Activation,
    Attachment,
    Change,
    Drift,
    Exchange,
    HeldValues,
    HiddenRecord,
    LeftValue,
    MatchValue,
    Record,
    Run,
)

CHUNK = 5_000


def prune(now: datetime) -> int:
    """Deletes what is left of runs that ended long ago, in small transactions. Returns the number of rows.

    Changes and attachments go after RETENTION_DAYS, requests with their responses after EXCHANGE_DAYS, and what records
    held at the destination after HELD_VALUE_DAYS.
    """
    kept = (
        (Exchange, settings.EXCHANGE_DAYS),
        (HeldValues, settings.HELD_VALUE_DAYS),
        (Attachment, settings.RETENTION_DAYS),
        (Drift, settings.RETENTION_DAYS),
        (Change, settings.RETENTION_DAYS),
    )
    return sum(_delete(model._default_manager.filter(run__in=_ended(now, days))) for model, days in kept)


def delete_dead_previews() -> None:
    """Deletes previews whose process died: nobody renews their lease. No worker continues them."""
    expired = Q(lease_until__lt=Now()) | Q(
        lease_until=None, created_at__lt=Now() - timedelta(seconds=settings.RUN_LEASE_SECONDS)
    )
    Run.with_previews.filter(expired, previewed_by__isnull=False).delete()


def _ended(now: datetime, days: int) -> Any:
    return Run.objects.filter(finished_at__lt=now - timedelta(days=days))


def delete_activation(activation: Activation) -> None:
    """Deletes an activation with its runs and its baseline. Remove its schedules' periodic tasks first."""
    _delete(Exchange.objects.filter(run__activation=activation))
    _delete(HeldValues.objects.filter(run__activation=activation))
    _delete(Drift.objects.filter(run__activation=activation))
    _delete(LeftValue.objects.filter(generation__activation=activation))
    _delete(Change.objects.filter(run__activation=activation))
    _delete(Attachment.objects.filter(run__activation=activation))
    _delete(HiddenRecord.objects.filter(generation__activation=activation))
    _delete(MatchValue.objects.filter(generation__activation=activation))
    _delete(Record.objects.filter(generation__activation=activation))
    activation.delete()


def _delete(rows: Any) -> int:
    deleted = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:CHUNK]):
        deleted += rows.model.objects.filter(pk__in=keys).delete()[0]
    return deleted
