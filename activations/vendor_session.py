"""Opens the vendor's side of a run: its client with the rate limiter, its fields, and whose workspace it is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from activations.setup.rules import unusable_match
from destinations import discovery, vendor
from destinations.pacing import Pacer
from destinations.registry import platforms, services

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from activations.models import Activation, Run
    from core.errors import Misconfigured
    from destinations.contract import Field, Service, Workspace
    from destinations.models import Connection

THREADS = 128


@dataclass
class Context:
    """What planning and delivering share. Discovery is asked at most once, and only where it is needed.

    Args:
        missing: the mapped attributes that are left out, with why.
        changed: those whose type is another one than it was when they were mapped.
        found, found_at: what differed from the discovery before, and when.
    """

    run: Run
    activation: Activation
    service: Service
    client: Any
    pacer: Pacer
    missing: list[Misconfigured] = field(default_factory=list)
    changed: list[Misconfigured] = field(default_factory=list)
    found: list[discovery.Difference] = field(default_factory=list)
    found_at: datetime | None = None

    @cached_property
    def fields(self) -> list[Field]:
        """The destination's fields as the vendor has them now."""
        return self.service.fields(self.client)

    @cached_property
    def match_field(self) -> Field:
        """Raises Misconfigured where the match field is gone."""
        name = self.activation.match_field
        for found in self.fields:
            if found.name == name and found.matchable:
                return found
        raise unusable_match(self.service, name, self.fields)

    def counts(self) -> dict[str, int]:
        """The requests sent since the last call, by the run's column names."""
        return {f"{purpose}_requests": number for purpose, number in self.pacer.take_counts().items()}


@contextmanager
def open_context(run: Run) -> Iterator[Context]:
    """The vendor's side of a run, closed at the end."""
    activation = run.activation
    destination = activation.destination
    service = services[destination.service]
    connection = destination.connection
    pacer = Pacer(_budget(connection), service.limits)
    with vendor.opened(connection, pacer, THREADS) as client:
        yield Context(run, activation, service, client, pacer)


def check_workspace(context: Context) -> Workspace:
    """Asks the vendor whose workspace it is, and keeps the answer on the connection.

    Raises:
        Misconfigured, Unavailable: see `Platform.check`.
    """
    connection = context.activation.destination.connection
    workspace = platforms[connection.platform].check(context.client)
    vendor.keep(connection, workspace)
    context.pacer.move(_budget(connection))
    return workspace


def _budget(connection: Connection) -> str:
    """What the requests of a workspace are counted under, whichever connection they leave by."""
    return f"{connection.platform}:{connection.workspace_id or connection.pk}"


def discover(context: Context, now: datetime) -> None:
    """Asks the vendor for its fields, and renews what is kept of them for the pages."""
    context.found_at = now
    context.found = discovery.keep(context.activation.destination, context.fields, now)
