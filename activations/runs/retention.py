"""Deletes the changes of runs that ended long ago, and activations with everything that belongs to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from activations.models import Activation, Change, MatchValue, Record, Run

CHUNK = 5_000


def prune(now: datetime) -> int:
    """Deletes changes of runs that ended more than RETENTION_DAYS ago, in small transactions. Returns their number."""
    old = Run.objects.filter(finished_at__lt=now - timedelta(days=settings.RETENTION_DAYS))
    return _delete(Change.objects.filter(run__in=old))


def delete_activation(activation: Activation) -> None:
    """Deletes an activation with its runs and its baseline. Remove its schedules' periodic tasks first."""
    _delete(Change.objects.filter(run__activation=activation))
    _delete(MatchValue.objects.filter(generation__activation=activation))
    _delete(Record.objects.filter(generation__activation=activation))
    activation.delete()


def _delete(rows: Any) -> int:
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        deleted += rows.model.objects.filter(pk__in=keys).delete()[0]
    return deleted
