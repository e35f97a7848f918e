"""Which worker holds a run: claim, renew, fence, release, and the runs that a sweep hands out again.

Only the database's clock counts. Every write of a worker to its run goes through a method of `Lease`, and all but
`count` fail once a different worker has claimed the run.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from activations.models import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

log = logging.getLogger(__name__)

OWNERLESS_SWEEPS = 2
TAKEN_OVER = "is taken over: the lease of its worker expired"


class Cancelled(Exception):
    """A person cancelled the run before anything was decided."""


class Lost(Exception):
    """A different worker holds the run now: stop, and write nothing more."""


@dataclass(frozen=True)
class Lease:
    """A claim on one run. `epoch` counts the claims, so that no two are equal."""

    run_id: int
    owner: str
    epoch: int

    @contextmanager
    def fenced(self, **changes: Any) -> Iterator[None]:
        """A transaction that first renews the lease and updates the run's columns; all of it, or nothing.

        Raises:
            Lost: the run is held by a different worker, or has ended.
        """
        with transaction.atomic():
            if not self._mine().update(lease_until=_end(), **changes):
                raise Lost
            yield

    def update(self, **changes: Any) -> None:
        """Renews the lease and updates the run's columns. Raises Lost as `fenced` does."""
        with self.fenced(**changes):
            pass

    def renew(self) -> None:
        """Raises Lost as `fenced` does."""
        self.update()

    def end(self, **changes: Any) -> None:
        """The one step of a run out of the live states, with the columns that say how it ended.

        Raises:
            Lost: the run is held by a different worker, or has ended already.
        """
        if not self._mine().update(owner="", lease_until=None, **changes):
            raise Lost

    def count(self, requests: Mapping[str, int]) -> None:
        """Adds to the run's counters, even after its end; does nothing if a different worker has claimed it since."""
        if requests:
            claimed = Run.objects.filter(pk=self.run_id, epoch=self.epoch)
            claimed.update(**{name: F(name) + number for name, number in requests.items()})

    def release(self) -> None:
        """Gives a live run back for the next slice. Harmless if the run was lost or has ended."""
        self._mine().update(owner="", lease_until=Now())

    def _mine(self) -> Any:
        return Run.objects.filter(pk=self.run_id, owner=self.owner, epoch=self.epoch, state__in=Run.LIVE)


def claim(run_id: int) -> Lease | None:
    """Claims a live run that nobody holds, or whose lease has expired; None if it can't be claimed."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"
    with transaction.atomic():
        for free, word in ((Q(owner=""), ""), (Q(lease_until__lt=Now()), TAKEN_OVER)):
            taken = Run.objects.filter(free, pk=run_id, state__in=Run.LIVE).update(
                owner=owner, epoch=F("epoch") + 1, lease_until=_end()
            )
            if taken and word:
                log.warning("Run %s %s.", run_id, word)
            if taken:
                return Lease(run_id, owner, Run.objects.values_list("epoch", flat=True).get(pk=run_id))
    return None


def abandoned() -> list[int]:
    """Live runs whose lease has expired, or that nobody has claimed for two sweeps (half a minute)."""
    long_ago = Now() - timedelta(seconds=OWNERLESS_SWEEPS * settings.RUN_SWEEP_SECONDS)
    ownerless = Q(owner="", lease_until__lt=long_ago) | Q(lease_until=None, created_at__lt=long_ago)
    expired = ~Q(owner="") & Q(lease_until__lt=Now())
    return list(Run.objects.filter(ownerless | expired, state__in=Run.LIVE).values_list("pk", flat=True))


class Keeper:
    """Renews a lease from its own thread while a slow source or vendor has not answered."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Keeper:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.stopped.wait(settings.RUN_LEASE_SECONDS / 4):
            try:
                self.lease.renew()
            except Lost:
                return
            except (OperationalError, InterfaceError):
                # The database may be back before the lease expires.
                continue
            finally:
                connection.close()


def _end() -> Any:
    return Now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)
