"""How large segments are: counted each day and by each run that reads one, drawn as a line, compared with one another."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import Problem
from segments.models import Segment, SegmentSize
from segments.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT_DAYS = 400
SHOWN_DAYS = 90
WIDTH, HEIGHT = 600, 80
log = logging.getLogger(__name__)


def note(segment: Segment, rows: int, now: datetime) -> None:
    """Keeps the size of a segment for this day; the last one of a day stays."""
    SegmentSize.objects.update_or_create(segment=segment, day=now.date(), defaults={"rows": rows})


def count_all(now: datetime) -> None:
    """Counts every segment; one that can't be counted now is left for tomorrow."""
    SegmentSize.objects.filter(day__lt=now.date() - timedelta(days=KEPT_DAYS)).delete()
    for segment in Segment.objects.select_related("model__source"):
        try:
            note(segment, read.count(read.selection(segment), now=now), now)
        except Problem as problem:
            log.warning("The segment %s was not counted: %s", segment.pk, problem.code)


def shown(segment: Segment, now: datetime) -> list[SegmentSize]:
    """The sizes of the last days, oldest first."""
    return list(segment.sizes.filter(day__gt=now.date() - timedelta(days=SHOWN_DAYS)))


def line(sizes: Sequence[SegmentSize]) -> str:
    """PURE. The points of a line over the days, from 0 to the largest size, as SVG writes them."""
    first, largest = sizes[0].day, max(1, *(size.rows for size in sizes))
    days = max(1, (sizes[-1].day - first).days)
    places = ((WIDTH * (size.day - first).days / days, HEIGHT - HEIGHT * size.rows / largest) for size in sizes)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def overlap(one: Segment, other: Segment, now: datetime) -> tuple[int, int, int]:
    """How many rows are in both segments of a model, only in the one, only in the other.

    Raises:
        Misconfigured, Unavailable
    """
    both, only, rest = (
        {"all": [{"segment": one.name, "is": mine}, {"segment": other.name, "is": theirs}]}
        for mine, theirs in (("member", "member"), ("member", "not_member"), ("not_member", "member"))
    )
    counts = [read.count(read.Selection(one.model, where), now=now) for where in (both, only, rest)]
    return counts[0], counts[1], counts[2]
