"""Detects schema drift: whether a model's primary key and the columns in use still match the source."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.errors import Misconfigured, Problem
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.integrity.column_usage import needed_columns, used_columns
from segments.models import WHOLE, Column, DataModel, Segment
from segments.session import opened
from segments.sources import key_check
from segments.sources.discovery import LONGEST_NAME
from segments.sql.query import other_spelling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

log = logging.getLogger(__name__)
REMEDY = (
    "Undo the change in the source, or press “Read columns again” on the model's page "
    "and update whatever uses the column."
)


def check_model(model: DataModel, now: datetime) -> str:
    """Compares a model with its source, and stores the result on the model.

    Returns:
        What changed about columns that are in use; "" if nothing did.

    Raises:
        Unavailable: the source did not respond. Stored results stay as they are. If only the key count timed out, the
            column problems are updated and the stored key warning stays.
    """
    try:
        with opened(model.source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
            _store(model, _column_problems(model, reader, used_columns(model)))
    except Misconfigured as problem:
        _store(model, {WHOLE: problem.message})
    if not model.problems:
        model.key_warning = _key_warning(model)
    model.checked_at = now
    DataModel.objects.filter(pk=model.pk).update(
        key_warning=model.key_warning, row_count=model.row_count, checked_at=now
    )
    return model.problem


def check_columns(model: DataModel) -> str:
    """Checks only the columns, within the short time limit of a page. “Check now” and the daily check cover the key.

    Returns:
        As `check_model`.

    Raises:
        Misconfigured: the table or query can no longer be read. This is stored on the model.
        Unavailable: the source did not respond. Stored results stay as they are.
    """
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        _check_columns(model, reader, used_columns(model))
    return model.problem


def check_all_models(now: datetime) -> None:
    """Checks every model. Models whose source does not respond keep their stored results."""
    for model in DataModel.objects.select_related("source"):
        try:
            check_model(model, now)
        except Problem as problem:
            log.warning("The model %s was not checked: %s", model.pk, problem.code)


def look_before(rows: Segment | DataModel, columns: Iterable[str]) -> None:
    """Checks the columns that a run is about to read, in one session, and stores the results on the models.

    Primary keys are left to the daily check: counting them would delay every run.

    Args:
        columns: columns of the model that are read in addition to those in the segment's conditions.

    Raises:
        Misconfigured: `source_changed` if a column is gone or has a different type; otherwise the source's own error
            about the table or query.
        Unavailable: the source did not respond. Stored results stay as they are.
    """
    wanted = needed_columns(rows, columns)
    source = _model(rows).source
    with opened(source, settings.SOURCE_TIMEOUT_SECONDS) as reader:
        for model in DataModel.objects.filter(source=source, name__in=wanted).prefetch_related("columns"):
            _check_columns(model, reader, wanted[model.name])
            if problem := model.problem_of(wanted[model.name]):
                raise Misconfigured("source_changed", f"{problem} {REMEDY}", where=model.name)


def held(rows: Segment | DataModel, columns: Iterable[str]) -> str:
    """Returns the stored problems that block reading these rows; "" if there are none. Does not query the source."""
    affected = list(DataModel.objects.filter(source=_model(rows).source).exclude(problems={}))
    wanted = needed_columns(rows, columns) if affected else {}
    problems = {model.name: model.problem_of(wanted[model.name]) for model in affected if model.name in wanted}
    return " ".join(f"The model “{name}” needs attention. {problem}" for name, problem in problems.items() if problem)


def differences(known: Mapping[str, Column], current: Mapping[str, ColumnInfo], used: Iterable[str]) -> dict[str, str]:
    """PURE. Describes, by column name, what changed about used columns: gone, possibly renamed, or a different type.

    A rename can only be guessed. For example, if `mrr` (numeric) is gone and `revenue` is the only new numeric column,
    `revenue` is suggested; with two new numeric columns, neither is.

    Args:
        known: the stored columns, by their names in the model.
        current: the columns that the source has now, by their names in the source.
    """
    listed = {column.source_name for column in known.values()}
    new = [name for name in current if name not in listed]
    messages = {}
    for name in sorted(set(used)):
        column = known.get(name)
        own = column.source_name if column else name
        if own not in current:
            candidates = [other for other in new if column and current[other].native == column.native]
            renamed = other_spelling(own, current) or (candidates[0] if len(candidates) == 1 else "")
            hint = f" (possibly renamed to “{renamed}”)" if renamed else ""
            messages[name] = f"the column “{own}” is gone{hint}"
        elif column and current[own].native != column.native and current[own].type != column.type:
            messages[name] = f"the type of the column “{own}” changed from {column.type} to {current[own].type}"
    return messages


def _model(rows: Segment | DataModel) -> DataModel:
    return rows.model if isinstance(rows, Segment) else rows


def _check_columns(model: DataModel, reader: Reader, wanted: set[str]) -> None:
    """Stores what changed about the columns of a model. The key is left to the daily check."""
    try:
        _store(model, _column_problems(model, reader, wanted))
    except Misconfigured as problem:
        _store(model, {WHOLE: problem.message})
        raise


def _store(model: DataModel, problems: dict[str, str]) -> None:
    if model.problems != problems:
        model.problems = problems
        DataModel.objects.filter(pk=model.pk).update(problems=problems)


def _column_problems(model: DataModel, reader: Reader, wanted: set[str]) -> dict[str, str]:
    """Describes what changed about all columns in use.

    Finding out which columns are in use takes several queries. They are skipped in the usual case: no stored problem,
    nothing changed in the source, and the wanted columns are all known.
    """
    stored = model.source_columns()
    known = {column.name: column for column in stored.values()}
    current = _current_columns(model, reader, stored)
    unchanged = all(
        column.source_name in current and current[column.source_name].native == column.native
        for column in known.values()
    )
    if unchanged and not model.problems and wanted <= known.keys():
        return {}
    return differences(
        known, current, (used_columns(model) | wanted) - {field.name for field in model.computed_fields()}
    )


def _current_columns(model: DataModel, reader: Reader, known: Mapping[str, Column]) -> dict[str, ColumnInfo]:
    """Returns the columns that the source has now.

    Native type names are cheap to read; full column discovery is not. So discovery runs only if a native type differs
    from the stored one and is not empty. Engines that guess types from values (CSV, for example) skip it as well: one
    odd value in a file would look like a changed column.
    """
    reported = reader.natives(table=model.table, sql=model.sql, expected=known)
    natives = {name: native[:LONGEST_NAME] for name, native in reported.items()}
    if reader.guesses or all(native in ("", known[name].native) for name, native in natives.items() if name in known):
        types = {name: ColumnType(column.type) for name, column in known.items()}
        return {name: ColumnInfo(name, types.get(name, ColumnType.TEXT), native) for name, native in natives.items()}
    return {info.name: info for info in reader.columns(table=model.table, sql=model.sql)}


def _key_warning(model: DataModel) -> str:
    try:
        verdict: Any = key_check.check_primary_key(model)
    except Misconfigured as problem:
        return problem.message
    return str(verdict.message) if verdict.level == "warning" else ""
