"""What the settings of a file source make of its file, before they are saved; and models that adopt new settings."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.audit import recording
from core.errors import Problem
from segments.models import Column, Source
from segments.session import engine, opened, zone
from segments.sources import discovery
from segments.sources.misfits import Misfit, misfits
from segments.sql import statements
from segments.values import natural

if TYPE_CHECKING:
    from segments.contract import ColumnInfo, Skipped

EXAMINED_ROWS = 1_000
SHOWN_ROWS = 10


@dataclass(frozen=True)
class FilePreview:
    """The columns of a file, its first rows, and what does not fit.

    Args:
        rows: natural values.
        misfits: those of the first `EXAMINED_ROWS` rows.
        skipped: the lines that were left out.
    """

    infos: list[ColumnInfo]
    rows: list[dict[str, Any]]
    misfits: list[Misfit]
    skipped: Skipped


def preview(source: Source) -> FilePreview:
    """Reads the file of a source, saved or not.

    Raises:
        Misconfigured, Unavailable
    """
    timezone = zone(source)
    with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        table = reader.tables()[0]
        infos = reader.columns(table=table)
        columns = {info.name: info for info in infos}
        relation = statements.relation(infos, engine(source).dialect, table=table)
        rows = reader.rows(statements.select(relation, columns, list(columns)), EXAMINED_ROWS)
        skipped = reader.skipped
    types = {info.name: info.type for info in infos}
    shown = [{name: natural(value, types[name], timezone) for name, value in row.items()} for row in rows[:SHOWN_ROWS]]
    return FilePreview(infos, shown, misfits(rows, types, timezone), skipped)


def adopt_types(source: Source) -> None:
    """Updates the types of the columns of the source's models to those that its new settings declare.

    Columns are neither added nor removed: a wrong setting must not delete what mappings use. A model that can't be
    read stays as it is.
    """
    for model in source.models.all():
        with suppress(Problem):
            infos = discovery.discover(
                source, table=model.table, sql=model.sql, seconds=settings.SOURCE_PREVIEW_SECONDS
            )
            known = model.source_columns()
            with recording(model):
                for info in infos:
                    if info.name in known:
                        native = info.native[: discovery.LONGEST_NAME]
                        Column.objects.filter(pk=known[info.name].pk).update(type=info.type, native=native)
    discovery.retype(source)
