"""Asks a source for columns, whether it stands in the database yet or not."""

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
        Misconfigured, Unavailable
    """
    asked = Source(
        name=source.name,
        engine=source.engine,
        config=dict(source.config),
        timezone=source.timezone,
    )
    asked.secrets = dict(source.secrets)
    found = discovery.discover(asked, table=table, sql=sql)
    return tuple(_column(one) for one in found)


def _column(one: ColumnInfo) -> entities.Column:
    return entities.Column(
        name=one.name, type=str(one.type), native=one.native[: discovery.LONGEST_NAME], nullable=one.nullable
    )
