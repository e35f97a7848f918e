"""The Celery tasks: thin, IDs only."""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from core.errors import Problem
from segments.models import Source
from segments.reading import sizes
from segments.sources import discovery, drift


@shared_task
def check_sources() -> None:
    """Checks all sources, each in a task of its own, so that a slow source does not delay the others."""
    for pk in Source.objects.values_list("pk", flat=True):
        check_source.delay(pk)


@shared_task
def check_source(pk: int) -> None:
    """Checks one source and stores the outcome on it. A failure pauses nothing."""
    source = Source.objects.filter(pk=pk).first()
    if source:
        with suppress(Problem):
            discovery.check(source, timezone.now())


@shared_task
def look_at_models() -> None:
    """Each day: primary keys, and whether sources changed under what is used."""
    drift.check_all_models(timezone.now())


@shared_task
def count_segments() -> None:
    """Daily: counts the rows of every segment."""
    sizes.count_all(timezone.now())
