"""Reads a signal of a source's data: a text that differs once the data has changed. It is cheap, and reads no rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy
from django.conf import settings
from sqlalchemy import func

from segments.integrity.column_usage import needed_columns
from segments.models import DataModel, Segment
from segments.session import opened
from segments.sql.query import Selection, ready, refuse_missing
from segments.sql.terms import Exported

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from segments.contract import Reader

LONGEST = 200
"""In characters, of a signal. A longer one is replaced by its digest."""


def read(rows: Segment | DataModel, columns: Iterable[str], watched: str, now: datetime) -> str | None:
    """The signal of the data that these rows depend on; None if the source has none for it.

    Args:
        columns: the columns that are read. Computed fields among them may depend on other tables.
        watched: a column whose largest value is the signal; "" for the source's own counter.

    Raises:
        Misconfigured: for example, the column is gone. Unavailable: no answer.
    """
    model = rows.model if isinstance(rows, Segment) else rows
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        if watched:
            return _short(f"max {_largest(model, watched, reader, now)}")
        needed = DataModel.objects.filter(source=model.source_id, name__in=needed_columns(rows, columns))
        signals = [reader.change_signal(table=each.table, sql=each.sql) for each in needed.order_by("pk")]
    known = [signal for signal in signals if signal is not None]
    return _short(" ".join(known)) if len(known) == len(signals) else None


def _largest(model: DataModel, column: str, reader: Reader, now: datetime) -> object:
    query = ready(Selection(model, {}), reader, now)
    refuse_missing(Selection(model, {}), [column], query.types)
    table = query.table([column])
    source, info = table.column(column)
    largest = Exported(func.max(source), info).label("value")
    return reader.rows(sqlalchemy.select(largest).select_from(table.source), 1)[0]["value"]


def _short(signal: str) -> str:
    return signal if len(signal) <= LONGEST else hashlib.sha256(signal.encode()).hexdigest()
