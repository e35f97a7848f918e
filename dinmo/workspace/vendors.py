"""Requests the workspace that a connection opens, whether the connection is in the database yet or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Problem
from destinations import vendor
from destinations.models import Connection
from destinations.registry import platforms

if TYPE_CHECKING:
    from dinmo.workspace import entities


def workspace_of(connection: entities.Connection) -> str:
    """The vendor's ID of the connection's workspace: the stored one, or else the vendor's answer; "" if it has none."""
    if connection.workspace:
        return connection.workspace
    row = Connection(name=connection.name, platform=connection.platform, config=dict(connection.config))
    row.secrets = dict(connection.secrets)
    try:
        with vendor.opened(row) as client:
            return platforms[connection.platform].check(client).id
    except Problem:
        return ""
