"""What a connection's vendor reports now: the workspace, and the fields of a destination."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Problem, Unavailable
from destinations.contract import Field, Gate, OpenGate, Workspace
from destinations.registry import platforms, services

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from destinations.models import Connection, Destination

FORM_THREADS = 2


@contextmanager
def opened(connection: Connection, gate: Gate | None = None, threads: int = FORM_THREADS) -> Iterator[Any]:
    """A client for the connection's vendor, closed at the end."""
    client = platforms[connection.platform].client(connection.settings, gate or OpenGate(), threads)
    try:
        yield client
    finally:
        client.close()


def check(connection: Connection, now: datetime) -> Workspace:
    """Checks the credential with a request to the vendor and stores the result on the connection.

    Raises:
        Problem: the check failed. The problem is stored on the connection too.
    """
    try:
        workspace = probe(connection)
    except Problem as problem:
        connection.record_health(now, problem)
        raise
    keep_working(connection, workspace, now)
    return workspace


def probe(connection: Connection) -> Workspace:
    """Checks the credential with a request to the vendor. Stores nothing, so the connection need not be saved.

    Raises:
        Misconfigured, Unavailable: see `Platform.check`.
    """
    with opened(connection) as client:
        return platforms[connection.platform].check(client)


def keep_working(connection: Connection, workspace: Workspace, now: datetime) -> None:
    """Stores the workspace on the connection, and that the connection works."""
    keep(connection, workspace)
    connection.record_health(now, None, f"Connected to {workspace.name}.")


@contextmanager
def watched(connection: Connection, now: datetime) -> Iterator[None]:
    """Stores a problem that is raised within on the connection, if it is one of the connection itself."""
    try:
        yield
    except Problem as problem:
        note(connection, problem, now)
        raise


def note(connection: Connection, problem: Problem, now: datetime) -> None:
    """Stores on the connection that it doesn't work, if that is what the problem means."""
    parameters = {parameter.name for parameter in platforms[connection.platform].parameters}
    if concerns_connection(problem, parameters):
        problem.origin = "connection"
        connection.record_health(now, problem)


def concerns_connection(problem: Problem, parameters: Collection[str]) -> bool:
    """PURE. Whether every use of the connection fails like this one, rather than a mapping or a record.

    Args:
        parameters: the names of the platform's settings. A problem of one of them is a problem of the connection.
    """
    if isinstance(problem, Unavailable):
        return not problem.throttled
    return isinstance(problem, Misconfigured) and problem.where in parameters


def keep(connection: Connection, workspace: Workspace) -> None:
    """Stores the workspace on the connection if anything about it changed."""
    details = {"workspace_id": workspace.id, "workspace_name": workspace.name, "workspace_facts": dict(workspace.facts)}
    if any(getattr(connection, name) != value for name, value in details.items()):
        for name, value in details.items():
            setattr(connection, name, value)
        connection.save(update_fields=list(details))


def fields(destination: Destination, now: datetime) -> list[Field]:
    """Every field of the destination, as the vendor reports it now.

    Raises:
        Misconfigured, Unavailable: stored on the connection as well if it doesn't work.
    """
    connection = destination.connection
    with watched(connection, now), opened(connection) as client:
        return services[destination.service].fields(client)
