"""Reads columns from a source, whether it is in the database yet or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dinmo.workspace import entities
from segments.models import Source
from segments.sources import discovery

if TYPE_CHECKING:
    from segments.contract import ColumnInfo


def columns(source: entities.Source, table: str, sql: str) -> tuple[entities.Column, ...]:
    """The columns of a table or a query, as the source has them now.

    Raises:
        Misconfigured, Unavailable: see `segments.sources.discovery.discover`.
    """
    row = Source(
        name=source.name,
        engine=source.engine,
        config=dict(source.config),
        timezone=source.timezone,
    )
    row.secrets = dict(source.secrets)
    return tuple(_column(info) for info in discovery.discover(row, table=table, sql=sql))


def _column(info: ColumnInfo) -> entities.Column:
    return entities.Column(
        name=info.name, type=str(info.type), native=info.native[: discovery.LONGEST_NAME], nullable=info.nullable
    )
