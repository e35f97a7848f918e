"""What a source holds, asked of the source: tables, columns and its health."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from core.errors import Misconfigured, Problem
from segments.conditions import computed_fields
from segments.conditions.scope_from_db import model_scope
from segments.models import Column, ComputedField, DataModel, Source
from segments.session import engine, opened, zone
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
    """How far a test of a source came.

    Args:
        done: the stages that went well, in words.
        failed: the stage that did not, if any, and `problem` why.
    """

    done: Sequence[str]
    failed: str = ""
    problem: Problem | None = None

    @property
    def message(self) -> str:
        return f"{', '.join(self.done)}." if self.done else ""

    @staticmethod
    def place(done: Sequence[str], problem: Problem) -> str:
        """The stage at which a problem came up."""
        if not done:
            return "Reach the source" if problem.code in NOT_REACHED else "Sign in"
        return "List the tables" if len(done) == 1 else "Read rows"


class _Watch:
    """Stages as they are done, and the time that each took."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.since = time.perf_counter()

    def stage(self, words: str) -> None:
        self.stages.append(words)

    def lap(self) -> str:
        now = time.perf_counter()
        took, self.since = now - self.since, now
        return f"{took * 1000:.0f} ms" if took < 1 else f"{took:.1f} seconds"


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


def refresh_columns(model: DataModel, seconds: float = 0) -> list[ColumnInfo]:
    """Asks the source for the model's columns and stores them in order; what vanished there is removed here. `seconds`: as `discover`.

    Raises:
        Misconfigured, Unavailable: as `discover`; nothing is stored then.
    """
    return store_columns(model, discover(model.source, table=model.table, sql=model.sql, seconds=seconds))


def store_columns(model: DataModel, found: list[ColumnInfo]) -> list[ColumnInfo]:
    """Keeps what `discover` found of a saved model."""
    with transaction.atomic():
        known = model.source_columns()
        gone = [column.pk for name, column in known.items() if name not in {info.name for info in found}]
        model.columns.filter(pk__in=gone).delete()
        names = set(model.columns.values_list("name", flat=True))
        Column.objects.bulk_create(
            [new_column(model, info, place, names) for place, info in enumerate(found) if info.name not in known]
        )
        for place, info in enumerate(found):
            if info.name in known:
                values = {
                    "type": info.type,
                    "native": info.native[:LONGEST_NAME],
                    "nullable": info.nullable,
                    "position": place,
                }
                Column.objects.filter(pk=known[info.name].pk).update(**values)
        retype(model.source)
    return found


def retype(source: Source) -> None:
    """Gives the computed fields of a source the types that follow from the columns as they are stored now; broken ones keep theirs."""
    for model in DataModel.objects.filter(
        source=source, columns__in=ComputedField.objects.exclude(definition={})
    ).distinct():
        for column in model.computed_fields():
            about = model_scope(model)
            with suppress(Misconfigured):
                column_type = computed_fields.type_of(computed_fields.formula_of(about, column.name), about)
                Column.objects.filter(pk=column.pk).exclude(type=column_type).update(type=column_type)


def check(source: Source, now: datetime) -> str:
    """Probes the source, and keeps the outcome on it.

    Returns:
        What was found, in a sentence.

    Raises:
        Problem: what the probe found; it is kept on the source too.
    """
    found = probe(source)
    source.record_health(now, found.problem, found.message)
    if found.problem:
        raise found.problem
    return found.message


def probe(source: Source) -> Probe:
    """Reaches the source, signs in, lists its tables and reads a few rows; stores nothing."""
    watch = _Watch()
    try:
        zone(source)
        with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
            watch.stage(f"Reached and signed in within {watch.lap()}")
            names = reader.tables()
            watch.stage(
                f"{len(names):,} {'table' if len(names) == 1 else 'tables'} can be read, listed within {watch.lap()}"
            )
            if names:
                rows = _first_rows(source, reader, names[0])
                watch.stage(
                    f"the first {len(rows)} {'row' if len(rows) == 1 else 'rows'} of {names[0]} came within {watch.lap()}"
                )
    except Problem as problem:
        return Probe(watch.stages, Probe.place(watch.stages, problem), problem)
    return Probe(watch.stages)


def sample(source: Source, table: str) -> tuple[list[ColumnInfo], list[dict[str, Any]]]:
    """The columns of a table and its first rows, for a person to look at.

    Raises:
        Misconfigured, Unavailable
    """
    home = zone(source)
    with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        infos = reader.columns(table=table)
        rows = _first_rows(source, reader, table, infos)
    types = {info.name: info.type for info in infos}
    return infos, [{name: natural(value, types[name], home) for name, value in row.items()} for row in rows]


def _first_rows(source: Source, reader: Reader, table: str, infos: Sequence[ColumnInfo] = ()) -> list[dict[str, Any]]:
    columns = {info.name: info for info in infos or reader.columns(table=table)}
    query = statements.select(
        statements.relation(list(columns.values()), engine(source).dialect, table=table), columns, list(columns)
    )
    return reader.rows(query, SAMPLE_ROWS)


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
