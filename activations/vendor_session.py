"""The vendor's side of a run: the client with its rate limiter, the destination's fields, and the workspace."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from activations.setup.rules import unusable_match
from core.errors import Problem
from core.network import observers
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
    """What planning and delivery share. The fields are requested at most once, and only if they are needed.

    Args:
        missing: the mapped attributes that are left out, with the reason.
        changed: those whose type is no longer what it was when they were mapped.
        differences, discovered_at: how the fields differ from the previous discovery, and when they were requested.
    """

    run: Run
    activation: Activation
    service: Service
    client: Any
    pacer: Pacer
    missing: list[Misconfigured] = field(default_factory=list)
    changed: list[Misconfigured] = field(default_factory=list)
    differences: list[discovery.Difference] = field(default_factory=list)
    discovered_at: datetime | None = None

    @cached_property
    def fields(self) -> list[Field]:
        """The destination's fields as the vendor reports them now."""
        return self.service.fields(self.client)

    @cached_property
    def fields_by_name(self) -> dict[str, Field]:
        """The destination's fields by name, once they no longer change: in delivery."""
        return {field.name: field for field in self.fields}

    @cached_property
    def match_field(self) -> Field:
        """The field that records are matched by. Raises Misconfigured if it is gone or can't identify records."""
        name = self.activation.match_field
        for candidate in self.fields:
            if candidate.name == name and candidate.matchable:
                return candidate
        raise unusable_match(self.service, name, self.fields)

    def counts(self) -> dict[str, int]:
        """The numbers of requests sent since the last call, by the names of the run's counters."""
        return {f"{purpose}_requests": number for purpose, number in self.pacer.take_counts().items()}


class WriteStopped(BaseException):
    """A request that writes was about to leave. No code between here and the vendor may handle this."""

    def __init__(self, request: observers.Sending) -> None:
        super().__init__()
        self.request = request


class StopWrites(observers.Observer):
    """Stops the first request of a thread that writes records."""

    def __init__(self, context: Context) -> None:
        self.is_write = context.pacer.is_writing

    def sending(self, request: observers.Sending) -> None:
        if self.is_write():
            raise WriteStopped(request)


@contextmanager
def reading_only(context: Context) -> Iterator[None]:
    """Lets no request of this thread leave that writes records, if the run is a dry one.

    Raises:
        RuntimeError: one was about to leave, which is a defect of ours.
    """
    if not context.run.dry_run:
        yield
        return
    try:
        with observers.observed(StopWrites(context)):
            yield
    except WriteStopped:
        raise RuntimeError("A dry run was about to write to the destination.") from None


@contextmanager
def open_context(run: Run) -> Iterator[Context]:
    """The vendor's side of a run. Its client is closed at the end."""
    activation = run.activation
    destination = activation.destination
    service = services[destination.service]
    connection = destination.connection
    pacer = Pacer(_budget(connection), service.limits)
    with ExitStack() as session:
        with vendor.watched(connection, timezone.now()):
            client = session.enter_context(vendor.opened(connection, pacer, THREADS))
        yield Context(run, activation, service, client, pacer)


def check_workspace(context: Context, now: datetime) -> Workspace:
    """Requests the workspace that the credentials open, and stores the answer on the connection: it works, or why not.

    Raises:
        Misconfigured, Unavailable: see `Platform.check`.
    """
    connection = context.activation.destination.connection
    try:
        workspace = platforms[connection.platform].check(context.client)
    except Problem as problem:
        problem.origin = "connection"
        connection.record_health(now, problem)
        raise
    vendor.keep_working(connection, workspace, now)
    context.pacer.move(_budget(connection))
    return workspace


def _budget(connection: Connection) -> str:
    """The name of the request budget: one for each workspace, whichever connection the requests use."""
    return f"{connection.platform}:{connection.workspace_id or connection.pk}"


def discover(context: Context, now: datetime) -> None:
    """Requests the destination's fields, and stores them for the screens."""
    context.discovered_at = now
    context.differences = discovery.keep(context.activation.destination, context.fields, now)
