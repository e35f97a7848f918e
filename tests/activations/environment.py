"""What all sequences of the state machine share: a source, a vendor in memory, and a way to kill the worker."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from activations import finish
from activations.models import Run
from activations.runs.lease import Lease
from destinations.models import Connection, Destination
from destinations.registry import platforms, services
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.activations.vendor import Killed, Memory, Movable, Vendor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from tests.activations.model_data import Row

TRIES = 3
BREAKER = 4
SMALL_LIMITS = {
    "delivery.places.FIRST_PLACES": 1,
    "delivery.places.MOST_PLACES": 1,
    "delivery.deliver.CHUNK": 3,
    "delivery.deliver.CHUNK_REQUESTS": 1,
    "delivery.deliver.CANCEL_SECONDS": 0.0,
    "delivery.deliver.IDLE_SECONDS": 0.001,
    "delivery.retry.ATTEMPTS": TRIES,
    "delivery.retry.BACKOFF_SECONDS": 0.0,
    "delivery.retry.BREAKER_FAILURES": BREAKER,
}
"""One request at a time, in a reproducible order; chunks so small that a few rows need several; no waiting."""


class Kill:
    """Kills the worker at the n-th step of a run that writes to the database, before or after its commit."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.before = False
        self.cancel: tuple[int, int] | None = None
        self.steps = 0

    def arm(self, at: int | None, before: bool) -> None:
        self.at, self.before, self.steps = at, before, 0

    def count(self) -> bool:
        """Counts a step, and returns whether the worker dies at it."""
        self.steps += 1
        if self.cancel and self.steps == self.cancel[0]:
            Run.objects.filter(pk=self.cancel[1]).update(cancel_requested=True)
        return self.steps == self.at

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        fenced, end = Lease.fenced, finish._end

        @contextmanager
        def fenced_or_killed(lease: Lease, **changes: Any) -> Iterator[None]:
            is_step = self.count()
            with fenced(lease, **changes):
                yield
                if is_step and self.before:
                    raise Killed
            if is_step:
                raise Killed

        def end_or_killed(*args: Any, **changes: Any) -> None:
            is_step = self.count()
            if is_step and self.before:
                raise Killed
            end(*args, **changes)
            if is_step:
                raise Killed

        patch.setattr(Lease, "fenced", fenced_or_killed)
        patch.setattr(finish, "_end", end_or_killed)


class Environment:
    """What all sequences of one test share: the file of the source, the vendor's account, and the kill switch."""

    def __init__(self, path: Path, service: type[Movable], patch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.platform = Memory(Vendor())
        self.service = service(self.platform)
        self.kill = Kill()
        self.kill.patch(patch)
        patch.setitem(platforms.all, "memory", self.platform)
        patch.setitem(services.all, self.service.slug, self.service)
        self.fill_source([])
        source = Source.objects.create(name="Rows", engine="sqlite", config={"path": path.name})
        self.model = DataModel.objects.create(name="Rows", source=source, table="things", primary_key="id")
        refresh_columns(self.model)
        connection = Connection.objects.create(name="Memory", platform="memory")
        self.destination = Destination.objects.create(name="Things", connection=connection, service=self.service.slug)

    def fill_source(self, rows: list[Row]) -> None:
        """Replaces the rows of the source by these, in this order."""
        with sqlite3.connect(self.path) as file:
            file.execute('create table if not exists things (id text, "match" text, x text, y text, z integer)')
            file.execute("delete from things")
            file.executemany("insert into things values (:id, :match, :x, :y, :z)", rows)
        file.close()
