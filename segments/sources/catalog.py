"""The table list of a source for the browse page: read once, and cached until somebody refreshes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from segments.models import Catalog, Source
from segments.session import opened

if TYPE_CHECKING:
    from datetime import datetime

    from segments.contract import TableInfo


def get(source: Source, now: datetime, *, store: bool = True) -> Catalog:
    """Returns the cached table list, or reads it from the source if there is none yet.

    Args:
        store: cache what was read.

    Raises:
        Misconfigured, Unavailable: as in `refresh`.
    """
    return Catalog.objects.filter(source=source).first() or refresh(source, now, store=store)


def refresh(source: Source, now: datetime, *, store: bool = True) -> Catalog:
    """Lists the tables of the source and caches the list, unless `store` is false. No rows are read.

    Raises:
        Misconfigured, Unavailable: the cached list is left unchanged.
    """
    with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        tables = reader.catalog()
    listed = {"tables": [_as_json(table) for table in tables], "read_at": now}
    if not store:
        return Catalog(source=source, **listed)
    return Catalog.objects.update_or_create(source=source, defaults=listed)[0]


def forget(source: Source) -> None:
    """Drops the cached list, because the settings of the source changed."""
    Catalog.objects.filter(source=source).delete()


def search(catalog: Catalog, query: str) -> list[dict[str, Any]]:
    """Returns the tables for which each word of the query is part of the table's name or of a column's name.

    An empty query returns all tables.
    """
    words = query.lower().split()
    return [table for table in catalog.tables if all(_matches(table, word) for word in words)]


def _matches(table: dict[str, Any], word: str) -> bool:
    return word in table["name"].lower() or any(word in column["name"].lower() for column in table["columns"])


def _as_json(table: TableInfo) -> dict[str, Any]:
    columns = [
        {"name": info.name, "type": str(info.type), "native": info.native, "nullable": info.nullable}
        for info in table.columns
    ]
    return {"name": table.name, "view": table.is_view, "rows": table.rows, "columns": columns}
