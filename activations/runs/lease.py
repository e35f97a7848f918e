"""The lease of a run: claim, renew, fence and release it, and list the runs that the sweep has to hand out again.

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
TAKEN_OVER = "was taken over: the lease of its worker had expired"


class Cancelled(Exception):
    """A person cancelled the run while it was being planned."""


class Lost(Exception):
    """A different worker has claimed the run. Stop, and write nothing more."""


@dataclass(frozen=True)
class Lease:
    """A claim on one run. `epoch` counts the claims, so that no two are equal."""

    run_id: int
    owner: str
    epoch: int

    @contextmanager
    def fenced(self, **changes: Any) -> Iterator[None]:
        """A transaction that begins by renewing the lease and updating the run's columns.

        Raises:
            Lost: a different worker has claimed the run, or it has ended.
        """
        with transaction.atomic():
            if not self._mine().update(lease_until=_end(), **changes):
                raise Lost
            yield

    def update(self, **changes: Any) -> None:
        """Renews the lease and updates the run's columns. Raises Lost like `fenced`."""
        with self.fenced(**changes):
            pass

    def renew(self) -> None:
        """Renews the lease. Raises Lost like `fenced`."""
        self.update()

    def is_cancelled(self) -> bool:
        """Renews the lease, and returns whether a person has cancelled the run. Raises Lost like `fenced`."""
        self.renew()
        return Run.with_previews.filter(pk=self.run_id, cancel_requested=True).exists()

    def end(self, **changes: Any) -> None:
        """Ends the run, or holds it: the only step out of the live states. `changes` are its state and reason.

        Raises:
            Lost: a different worker has claimed the run, or it has already ended.
        """
        if not self._mine().update(owner="", lease_until=None, **changes):
            raise Lost

    def count(self, requests: Mapping[str, int]) -> None:
        """Adds to the run's counters, even after its end. Does nothing if a different worker has claimed it since."""
        if requests:
            claimed = Run.with_previews.filter(pk=self.run_id, epoch=self.epoch)
            claimed.update(**{name: F(name) + number for name, number in requests.items()})

    def release(self) -> None:
        """Releases a live run, so that any worker can take the next slice. Harmless if it was lost or has ended."""
        self._mine().update(owner="", lease_until=Now())

    def _mine(self) -> Any:
        return Run.with_previews.filter(pk=self.run_id, owner=self.owner, epoch=self.epoch, state__in=Run.LIVE)


def claim(run_id: int) -> Lease | None:
    """Claims a live run that no worker holds, or whose lease has expired. None if it can't be claimed."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"
    with transaction.atomic():
        for free, warning in ((Q(owner=""), ""), (Q(lease_until__lt=Now()), TAKEN_OVER)):
            counted = {"takeovers": F("takeovers") + 1} if warning else {}
            claimed = Run.with_previews.filter(free, pk=run_id, state__in=Run.LIVE).update(
                owner=owner, epoch=F("epoch") + 1, lease_until=_end(), **counted
            )
            if claimed and warning:
                log.warning("Run %s %s.", run_id, warning)
            if claimed:
                return Lease(run_id, owner, Run.with_previews.values_list("epoch", flat=True).get(pk=run_id))
    return None


def abandoned() -> list[int]:
    """Live runs whose lease has expired, or that no worker has claimed for `OWNERLESS_SWEEPS` sweeps."""
    long_ago = Now() - timedelta(seconds=OWNERLESS_SWEEPS * settings.RUN_SWEEP_SECONDS)
    ownerless = Q(owner="", lease_until__lt=long_ago) | Q(lease_until=None, created_at__lt=long_ago)
    expired = ~Q(owner="") & Q(lease_until__lt=Now())
    found = Run.objects.filter(ownerless | expired, state__in=Run.LIVE)
    return list(found.values_list("pk", flat=True))


class Keeper:
    """Renews a lease from a thread of its own, while the worker waits for a slow source or vendor."""

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
                # The database may come back before the lease expires.
                continue
            finally:
                connection.close()


def _end() -> Any:
    return Now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)
