"""What a source holds, asked of the source: tables, columns and its health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from core.errors import Misconfigured, Problem
from segments.contract import ColumnInfo
from segments.models import Column, DataModel, Source
from segments.sources import opened, zone

LONGEST_NAME = 200


def tables(source: Source) -> list[str]:
    """The tables and views that can be read.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return reader.tables()


def discover(source: Source, *, table: str = "", sql: str = "", seconds: float = 0) -> list[ColumnInfo]:
    """The columns of a table or of a query, in the source's order. `seconds`: how long a person waits; 0 as long as a run.

    Raises:
        Misconfigured: refused by the source, or columns that can't be told apart. Unavailable: no answer.
    """
    with opened(source, seconds or settings.SOURCE_TIMEOUT_SECONDS) as reader:
        found = reader.columns(table=table, sql=sql)
    _refuse_unusable(found)
    return found


def refresh_columns(model: DataModel) -> list[ColumnInfo]:
    """Asks the source for the model's columns and stores them in their order; what vanished there is removed here.

    Raises:
        Misconfigured, Unavailable: as `discover`; nothing is stored then.
    """
    return store_columns(model, discover(model.source, table=model.table, sql=model.sql))


def store_columns(model: DataModel, found: list[ColumnInfo]) -> list[ColumnInfo]:
    """Keeps what `discover` found of a saved model."""
    with transaction.atomic():
        known = {column.source_name: column for column in model.columns.all()}
        model.columns.exclude(pk__in=[known[info.name].pk for info in found if info.name in known]).delete()
        names = {known[info.name].name for info in found if info.name in known}
        Column.objects.bulk_create([new_column(model, info, place, names) for place, info in enumerate(found) if info.name not in known])
        for place, info in enumerate(found):
            if info.name in known:
                values = {"type": info.type, "native": info.native[:LONGEST_NAME], "nullable": info.nullable, "position": place}
                Column.objects.filter(pk=known[info.name].pk).update(**values)
    return found


def check(source: Source, now: datetime) -> str:
    """Opens the source, lists its tables, and keeps the outcome on it.

    Returns:
        What was found, in a sentence.

    Raises:
        Problem: what the check found; it is kept on the source too.
    """
    try:
        zone(source)
        count = len(tables(source))
    except Problem as problem:
        source.record_health(now, problem)
        raise
    message = f"Reached, signed in, {count} {'table' if count == 1 else 'tables'} can be read."
    source.record_health(now, None, message)
    return message


def new_column(model: DataModel, info: ColumnInfo, position: int, taken: Collection[str]) -> Column:
    """A column that the model did not know, under the source's name unless another column was given that."""
    clash = info.name in taken
    name = f"{info.name} (source)" if clash else info.name
    native = info.native[:LONGEST_NAME]
    return Column(
        model=model,
        name=name[:LONGEST_NAME],
        origin=info.name if clash else "",
        type=info.type,
        native=native,
        nullable=info.nullable,
        position=position,
    )


def _refuse_unusable(columns: Sequence[ColumnInfo]) -> None:
    for name, times in Counter(info.name for info in columns).items():
        if times > 1:
            message = f"{times} columns are called {name!r}. Give each its own name, with 'as' in a query."
            raise Misconfigured("column_twice", message, where=name)
        if not name or len(name) > LONGEST_NAME:
            message = f"A column has no name, or one of more than {LONGEST_NAME} characters. Give it another with 'as' in a query."
            raise Misconfigured("column_name", message, where=name[:LONGEST_NAME])
