"""Keeps the stored state of a source in step with what runs find."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from django.utils import timezone

from core.errors import Problem
from segments.sources import discovery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segments.models import Source


@contextmanager
def watched(source: Source) -> Iterator[None]:
    """Stores that the source works if it can be read within. If not, tests the source and stores the result.

    The test tells a source that can't be reached from a table or a query that can't be read.
    """
    try:
        yield
    except Problem as problem:
        problem.origin = "source"
        if problem.code != "source_changed":
            with suppress(Problem):
                discovery.check(source, timezone.now())
        raise
    message = source.health_message if source.health == source.State.OK else "A run read it."
    source.record_health(timezone.now(), None, message)
