"""What a connection's vendor says right now: whose workspace it is, and which fields a destination has."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import Problem
from destinations.contract import Field, Gate, OpenGate, Workspace
from destinations.registry import platforms, services

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from destinations.models import Connection, Destination

FORM_THREADS = 2


@contextmanager
def opened(connection: Connection, gate: Gate | None = None, threads: int = FORM_THREADS) -> Iterator[Any]:
    """A client of the connection's vendor, closed at the end."""
    client = platforms[connection.platform].client(connection.settings, gate or OpenGate(), threads)
    try:
        yield client
    finally:
        client.close()


def check(connection: Connection, now: datetime) -> Workspace:
    """Makes the vendor's check call and keeps its answer on the connection.

    Raises:
        Problem: what the check found; it is kept on the connection too.
    """
    try:
        with opened(connection) as client:
            workspace = platforms[connection.platform].check(client)
    except Problem as problem:
        connection.record_health(now, problem)
        raise
    keep(connection, workspace)
    connection.record_health(now, None, f"Signed in to {workspace.name}.")
    return workspace


def keep(connection: Connection, workspace: Workspace) -> None:
    """Keeps whose workspace the connection opens."""
    now = {"workspace_id": workspace.id, "workspace_name": workspace.name, "workspace_facts": dict(workspace.facts)}
    if any(getattr(connection, name) != value for name, value in now.items()):
        for name, value in now.items():
            setattr(connection, name, value)
        connection.save(update_fields=list(now))


def fields(destination: Destination) -> list[Field]:
    """Every field of the destination as the vendor has it now.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(destination.connection) as client:
        return services[destination.service].fields(client)
