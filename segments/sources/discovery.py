"""Reads tables, columns and health from a source."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from core.audit import recording
from core.errors import Misconfigured, Problem
from segments.conditions import computed_fields
from segments.conditions.scope_from_db import model_scope
from segments.models import Column, ComputedField, DataModel, Source
from segments.session import engine, opened, zone
from segments.sources import display
from segments.sql import statements
from segments.values import natural

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from segments.contract import ColumnInfo, Reader

LONGEST_NAME = 200
SAMPLE_ROWS = 10
NOT_REACHED = ("source_unreachable", "source_file_missing", "source_file_outside", "source_file_name", "driver_missing")


@dataclass(frozen=True)
class Probe:
    """The result of a connection test.

    Args:
        done: descriptions of the stages that succeeded.
        failed: the stage that failed, if any; `problem` is the reason.
    """

    done: Sequence[str]
    failed: str = ""
    problem: Problem | None = None

    @property
    def message(self) -> str:
        text = ", ".join(self.done)
        return f"{text[:1].upper()}{text[1:]}." if text else ""


class _Stopwatch:
    """Collects the stages that succeeded, and measures how long each one took."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.started = time.perf_counter()
        self.stage = "Sign in"
        """What is being tried now."""

    def add(self, stage: str) -> None:
        self.stages.append(stage)

    def lap(self) -> str:
        now = time.perf_counter()
        seconds, self.started = now - self.started, now
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} seconds"


def tables(source: Source) -> list[str]:
    """Lists the tables and views that can be read.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        return reader.tables()


def discover(source: Source, *, table: str = "", sql: str = "", seconds: float = 0) -> list[ColumnInfo]:
    """Returns the columns of a table or query, in the order of the source.

    Args:
        seconds: the time limit if a person is waiting; 0 for the time limit of a run.

    Raises:
        Misconfigured: the source refused the query, or its column names are ambiguous or unusable.
        Unavailable: the source did not respond.
    """
    with opened(source, seconds or settings.SOURCE_TIMEOUT_SECONDS) as reader:
        columns = reader.columns(table=table, sql=sql)
    _refuse_unusable(columns)
    return columns


def refresh_columns(model: DataModel, seconds: float = 0) -> list[ColumnInfo]:
    """Reads the columns of a model from its source and stores them. Columns that the source no longer has are deleted.

    Args:
        seconds: as in `discover`.

    Raises:
        Misconfigured, Unavailable: as in `discover`. Nothing is stored.
    """
    return store_columns(model, discover(model.source, table=model.table, sql=model.sql, seconds=seconds))


def store_columns(model: DataModel, discovered: list[ColumnInfo]) -> list[ColumnInfo]:
    """Stores the columns of a saved model as `discover` returned them."""
    with transaction.atomic(), recording(model):
        known = model.source_columns()
        gone = [column.pk for name, column in known.items() if name not in {info.name for info in discovered}]
        model.columns.filter(pk__in=gone).delete()
        names = set(model.columns.values_list("name", flat=True))
        Column.objects.bulk_create(
            [new_column(model, info, place, names) for place, info in enumerate(discovered) if info.name not in known]
        )
        for place, info in enumerate(discovered):
            if info.name in known:
                values = {
                    "type": info.type,
                    "native": info.native[:LONGEST_NAME],
                    "nullable": info.nullable,
                    "position": place,
                }
                Column.objects.filter(pk=known[info.name].pk).update(**values)
        if not model.display_column:
            model.display_column = display.guess(model.source_types(), model.primary_key)
            DataModel.objects.filter(pk=model.pk).update(display_column=model.display_column)
        retype(model.source)
    return discovered


def retype(source: Source) -> None:
    """Updates the types of the source's computed fields to follow from the stored columns.

    A field can use the fields above it, so each one is evaluated after those have their new types. Fields with an
    invalid definition keep their type.
    """
    for model in DataModel.objects.filter(
        source=source, columns__in=ComputedField.objects.exclude(definition={})
    ).distinct():
        for column in model.computed_fields():
            scope = model_scope(model)
            with suppress(Misconfigured):
                column_type = computed_fields.type_of(computed_fields.formula_of(scope, column.name), scope)
                Column.objects.filter(pk=column.pk).exclude(type=column_type).update(type=column_type)


def check(source: Source, now: datetime) -> str:
    """Tests the source and stores the result on it.

    Returns:
        The successful stages, in a sentence.

    Raises:
        Problem: why the test failed. It is stored on the source too.
    """
    result = probe(source)
    source.record_health(now, result.problem, result.message)
    if result.problem:
        raise result.problem
    return result.message


def probe(source: Source) -> Probe:
    """Connects to the source, signs in, lists its tables and reads a few rows. Stores nothing."""
    watch = _Stopwatch()
    try:
        zone(source)
        for stage in engine(source).reach(source.settings):
            watch.add(stage)
        with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
            signs_in = any(parameter.secret for parameter in engine(source).parameters)
            watch.add(f"{'connected and signed in' if signs_in else 'opened the file'} ({watch.lap()})")
            watch.stage = "List the tables"
            names = reader.tables()
            watch.stage = "Read rows"
            watch.add(f"found {len(names):,} readable {'table' if len(names) == 1 else 'tables'} ({watch.lap()})")
            if names:
                rows = _first_rows(source, reader, names[0])
                noun = "row" if len(rows) == 1 else "rows"
                watch.add(f"read the first {len(rows)} {noun} of {names[0]} ({watch.lap()})")
    except Problem as problem:
        failed = "Connect to the source" if problem.code in NOT_REACHED else watch.stage
        return Probe(watch.stages, failed, problem)
    return Probe(watch.stages)


def sample(source: Source, table: str) -> tuple[list[ColumnInfo], list[dict[str, Any]]]:
    """Returns the columns of a table and its first rows, for display.

    Raises:
        Misconfigured, Unavailable
    """
    timezone = zone(source)
    with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        infos = reader.columns(table=table)
        rows = _first_rows(source, reader, table, infos)
    types = {info.name: info.type for info in infos}
    return infos, [{name: natural(value, types[name], timezone) for name, value in row.items()} for row in rows]


def _first_rows(source: Source, reader: Reader, table: str, infos: Sequence[ColumnInfo] = ()) -> list[dict[str, Any]]:
    columns = {info.name: info for info in infos or reader.columns(table=table)}
    query = statements.select(
        statements.relation(list(columns.values()), engine(source).dialect, table=table), columns, list(columns)
    )
    return reader.rows(query, SAMPLE_ROWS)


def new_column(model: DataModel, info: ColumnInfo, position: int, taken: Collection[str]) -> Column:
    """Returns a column that is new to the model, named as in the source unless that name is taken."""
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
    for name, count in Counter(info.name for info in columns).items():
        if count > 1:
            message = (
                f"{count} columns are named “{name}”. Give each one a unique name, for example with AS in the query."
            )
            raise Misconfigured("column_twice", message, where=name)
        if not name or len(name) > LONGEST_NAME:
            message = (
                f"A column has no name, or a name longer than {LONGEST_NAME} characters. "
                "Give it a different name, for example with AS in the query."
            )
            raise Misconfigured("column_name", message, where=name[:LONGEST_NAME])
