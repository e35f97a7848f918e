"""Looks whether a model can still be what it was: its primary key, and the columns that something uses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.errors import Misconfigured, Problem, Unavailable
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.integrity.column_usage import needed_columns, used_columns
from segments.models import WHOLE, Column, DataModel, Segment
from segments.session import opened
from segments.sources import key_check
from segments.sources.discovery import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

log = logging.getLogger(__name__)
MEND = "Undo that there, or press “Read columns again” on the model's page and mend what uses it."


def look(model: DataModel, now: datetime) -> str:
    """Compares the model with its source, and keeps what was found on it.

    Returns:
        What the source changed under columns that are used; "" where nothing is wrong.

    Raises:
        Unavailable: no answer; what was known stays, and where only its key could not be counted, what was known of that.
    """
    try:
        with opened(model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
            _keep(model, _problems(model, reader, used_columns(model)))
    except Misconfigured as refused:
        _keep(model, {WHOLE: refused.message})
    if not model.problems:
        model.key_warning = _key_warning(model)
    model.checked_at = now
    DataModel.objects.filter(pk=model.pk).update(key_warning=model.key_warning, checked_at=now)
    return model.problem


def look_again(model: DataModel) -> str:
    """Looks at the columns alone, while a person waits. The key is left to the daily check and “Check now”.

    Returns:
        As `look`.

    Raises:
        Misconfigured: the table or query can't be read any more; that is kept. Unavailable: no answer; what was known stays.
    """
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        _look_at_columns(model, reader, used_columns(model))
    return model.problem


def look_at_all(now: datetime) -> None:
    """Looks at every model; one whose source does not answer keeps what was known of it."""
    for model in DataModel.objects.select_related("source"):
        try:
            look(model, now)
        except Problem as problem:
            log.warning("The model %s was not checked: %s", model.pk, problem.code)


def look_before(rows: Segment | DataModel, columns: Iterable[str]) -> None:
    """Looks at what is about to be read, in one session that counts nothing, and keeps what was found on the models.

    Args:
        columns: of the model, that will be read beside those in the segment's conditions.

    Raises:
        Misconfigured: `source_changed`, a column is gone or of another type; or what the source says of the table or query.
        Unavailable: no answer; what was known stays.
    """
    wanted = needed_columns(rows, columns)
    source = _model(rows).source
    with opened(source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        for model in DataModel.objects.filter(source=source, name__in=wanted).prefetch_related("columns"):
            _look_at_columns(model, reader, wanted[model.name])
            if said := model.problem_of(wanted[model.name]):
                raise Misconfigured("source_changed", f"{said} {MEND}", where=model.name)


def held(rows: Segment | DataModel, columns: Iterable[str]) -> str:
    """What is known to keep these rows from being read, in words; "" where nothing is. The source is not asked."""
    troubled = list(DataModel.objects.filter(source=_model(rows).source).exclude(problems={}))
    wanted = needed_columns(rows, columns) if troubled else {}
    said = {model.name: model.problem_of(wanted[model.name]) for model in troubled if model.name in wanted}
    return " ".join(f"The model {name!r} needs attention. {words}" for name, words in said.items() if words)


def changed(known: Mapping[str, Column], found: Mapping[str, ColumnInfo], used: Iterable[str]) -> dict[str, str]:
    """PURE. What is wrong with used columns, in words by their names: gone, perhaps under another name, or of another type.

    Args:
        known: the columns of the model by their names in it.
        found: those of the source by their names there.
    """
    listed = {column.source_name for column in known.values()}
    new = [name for name in found if name not in listed]
    said = {}
    for name in sorted(set(used)):
        column = known.get(name)
        own = column.source_name if column else name
        if own not in found:
            alike = [other for other in new if column and found[other].native == column.native]
            perhaps = f" (perhaps it is called {alike[0]!r} now)" if len(alike) == 1 else ""
            said[name] = f"the column {own!r} is gone{perhaps}"
        elif column and found[own].native != column.native and found[own].type != column.type:
            said[name] = f"the column {own!r} was {column.type} and is {found[own].type} now"
    return said


def _model(rows: Segment | DataModel) -> DataModel:
    return rows.model if isinstance(rows, Segment) else rows


def _look_at_columns(model: DataModel, reader: Reader, wanted: set[str]) -> None:
    """Keeps what was found of a model. Its key waits for the daily check."""
    try:
        _keep(model, _problems(model, reader, wanted))
    except Misconfigured as refused:
        _keep(model, {WHOLE: refused.message})
        raise


def _keep(model: DataModel, problems: dict[str, str]) -> None:
    if model.problems != problems:
        model.problems = problems
        DataModel.objects.filter(pk=model.pk).update(problems=problems)


def _problems(model: DataModel, reader: Reader, wanted: set[str]) -> dict[str, str]:
    """What is wrong with all columns that something uses. Where nothing was, and nothing is with these, nobody asks who uses which."""
    stored = model.source_columns()
    known = {column.name: column for column in stored.values()}
    found = _found(model, reader, stored)
    same = all(
        column.source_name in found and found[column.source_name].native == column.native for column in known.values()
    )
    if same and not model.problems and wanted <= known.keys():
        return {}
    return changed(known, found, (used_columns(model) | wanted) - {field.name for field in model.computed_fields()})


def _found(model: DataModel, reader: Reader, known: Mapping[str, Column]) -> dict[str, ColumnInfo]:
    """The columns that the source has now. Their types are asked for only where its own words for them are others, and say something."""
    told = reader.natives(table=model.table, sql=model.sql, expected=known)
    natives = {name: native[:LONGEST_NAME] for name, native in told.items()}
    if reader.guesses or all(native in ("", known[name].native) for name, native in natives.items() if name in known):
        types = {name: ColumnType(column.type) for name, column in known.items()}
        return {name: ColumnInfo(name, types.get(name, ColumnType.TEXT), native) for name, native in natives.items()}
    return {info.name: info for info in reader.columns(table=model.table, sql=model.sql)}


def _key_warning(model: DataModel) -> str:
    verdict: Any
    try:
        verdict = key_check.check_primary_key(model)
    except Unavailable:
        raise
    except Misconfigured as refused:
        return refused.message
    return str(verdict.message) if verdict.level == "warning" else ""
