"""The tables of a source for browsing: asked once, kept until somebody asks again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from segments.models import Catalog, Source
from segments.session import opened

if TYPE_CHECKING:
    from datetime import datetime

    from segments.contract import TableInfo


def known(source: Source, now: datetime) -> Catalog:
    """The tables as they were last listed; listed now where they never were.

    Raises:
        Misconfigured, Unavailable: as `refresh`.
    """
    return Catalog.objects.filter(source=source).first() or refresh(source, now)


def refresh(source: Source, now: datetime) -> Catalog:
    """Lists the tables now. No row of one is read.

    Raises:
        Misconfigured, Unavailable: what was known stays.
    """
    with opened(source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        found = reader.catalog()
    return Catalog.objects.update_or_create(
        source=source, defaults={"tables": [_plain(table) for table in found], "read_at": now}
    )[0]


def forget(source: Source) -> None:
    """For a source with other settings."""
    Catalog.objects.filter(source=source).delete()


def matching(catalog: Catalog, words: str) -> list[dict[str, Any]]:
    """The tables that have all of these words in their name or in that of a column; all tables where there is no word."""
    wanted = words.lower().split()
    return [table for table in catalog.tables if all(_has(table, word) for word in wanted)]


def _has(table: dict[str, Any], word: str) -> bool:
    return word in table["name"].lower() or any(word in column["name"].lower() for column in table["columns"])


def _plain(table: TableInfo) -> dict[str, Any]:
    columns = [
        {"name": info.name, "type": str(info.type), "native": info.native, "nullable": info.nullable}
        for info in table.columns
    ]
    return {"name": table.name, "view": table.is_view, "rows": table.rows, "columns": columns}
