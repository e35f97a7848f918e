"""Asks a vendor which workspace a connection opens, whether the connection is in the database yet or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Problem
from destinations import vendor
from destinations.models import Connection
from destinations.registry import platforms

if TYPE_CHECKING:
    from dinmo.workspace import entities


def workspace_of(connection: entities.Connection) -> str:
    """The vendor's id of the connection's workspace: the known one, or the vendor's answer; "" if it can't be found out."""
    if connection.workspace:
        return connection.workspace
    asked = Connection(name=connection.name, platform=connection.platform, config=dict(connection.config))
    asked.secrets = dict(connection.secrets)
    try:
        with vendor.opened(asked) as client:
            return platforms[connection.platform].check(client).id
    except Problem:
        return ""
