"""Sample rows of the data that a person maps: one query, kept in memory for the page."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from segments.models import DataModel, Segment
from segments.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = 200
KEPT_SECONDS = 300.0
MOST_KEPT = 20
"""Selections whose rows are kept at the same time, in this process."""

_kept: dict[Any, tuple[float, list[dict[str, Any]]]] = {}
_lock = threading.Lock()


def sample(rows: Segment | DataModel, columns: Sequence[str], check: Callable[[], None]) -> list[dict[str, Any]]:
    """Up to `ROWS` rows with these columns, as natural values. Rows that were read minutes ago are not read again.

    Args:
        check: ends the query by raising, see `read.stream`.

    Raises:
        Misconfigured, Unavailable, Superseded
    """
    name = (_definition(rows), tuple(sorted(columns)))
    now = time.monotonic()
    with _lock:
        read_at, found = _kept.get(name, (0.0, None))
    if found is not None and now - read_at < KEPT_SECONDS:
        return found
    found = read.preview(read.selection(rows), now=timezone.now(), limit=ROWS, columns=columns, check=check)
    with _lock:
        _kept[name] = (now, found)
        for oldest in sorted(_kept, key=lambda each: _kept[each][0])[:-MOST_KEPT]:
            del _kept[oldest]
    return found


def _definition(rows: Segment | DataModel) -> str:
    """What decides which rows they are: a change of it means different rows."""
    model = rows.model if isinstance(rows, Segment) else rows
    conditions = (rows.where, rows.limit) if isinstance(rows, Segment) else ()
    return repr((model.pk, model.source_id, model.source.config, model.table, model.sql, conditions))
