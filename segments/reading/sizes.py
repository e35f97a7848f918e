"""The sizes of segments and models, counted daily and by each run, and how much two segments overlap."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import Problem
from segments.models import DataModel, Segment, SegmentSize
from segments.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT_DAYS = 400
SHOWN_DAYS = 90
WIDTH, HEIGHT = 600, 80
log = logging.getLogger(__name__)


def store(counted: Segment | DataModel, rows: int, now: datetime) -> None:
    """Stores the size of a segment for this day, replacing an earlier one of the same day, or the size of a model."""
    if isinstance(counted, DataModel):
        DataModel.objects.filter(pk=counted.pk).update(row_count=rows)
    else:
        SegmentSize.objects.update_or_create(segment=counted, day=now.date(), defaults={"rows": rows})


def count_all(now: datetime) -> None:
    """Counts every segment. One that can't be counted now is counted again tomorrow."""
    SegmentSize.objects.filter(day__lt=now.date() - timedelta(days=KEPT_DAYS)).delete()
    for segment in Segment.objects.select_related("model__source"):
        try:
            store(segment, read.count(read.selection(segment), now=now), now)
        except Problem as problem:
            log.warning("The segment %s was not counted: %s", segment.pk, problem.code)


def recent(segment: Segment, now: datetime) -> list[SegmentSize]:
    """The sizes of the last `SHOWN_DAYS` days, oldest first."""
    return list(segment.sizes.filter(day__gt=now.date() - timedelta(days=SHOWN_DAYS)))


def svg_points(sizes: Sequence[SegmentSize]) -> str:
    """PURE. The points of an SVG polyline of the sizes by day, scaled from 0 to the largest one."""
    first, largest = sizes[0].day, max(1, *(size.rows for size in sizes))
    days = max(1, (sizes[-1].day - first).days)
    points = ((WIDTH * (size.day - first).days / days, HEIGHT - HEIGHT * size.rows / largest) for size in sizes)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def overlap(first: Segment, second: Segment, now: datetime) -> tuple[int, int, int]:
    """How many rows are in both segments of a model, only in the first, and only in the second.

    Raises:
        Misconfigured, Unavailable
    """
    conditions = (
        {"all": [{"segment": first.name, "is": in_first}, {"segment": second.name, "is": in_second}]}
        for in_first, in_second in (("member", "member"), ("member", "not_member"), ("not_member", "member"))
    )
    both, first_only, second_only = (read.count(read.Selection(first.model, where), now=now) for where in conditions)
    return both, first_only, second_only
