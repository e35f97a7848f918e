"""Doors for Celery."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from segments import sizes, watch


@shared_task
def look_at_models() -> None:
    """Each day: primary keys, and whether sources changed under what is used."""
    watch.look_at_all(timezone.now())


@shared_task
def count_segments() -> None:
    """Each day: how large every segment is."""
    sizes.count_all(timezone.now())
