"""Who holds a run: claim, renew, fence, release, and what a sweep has to hand out again.

Only the database's clock counts. Every write of a run goes through `Lease.fenced`, which refuses once another worker
has claimed the run.
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
    from collections.abc import Iterator
    from types import TracebackType

log = logging.getLogger(__name__)

OWNERLESS_SWEEPS = 2
TAKEN_OVER = "is taken over: the lease of who held it had ended"


class Cancelled(Exception):
    """A person asked for the end while nothing had been decided yet."""


class Lost(Exception):
    """Another worker holds the run now: stop, and write nothing more."""


@dataclass(frozen=True)
class Lease:
    """A claim on one run. `epoch` counts the claims, so that no two are the same."""

    run_id: int
    owner: str
    epoch: int

    @contextmanager
    def fenced(self, **changes: Any) -> Iterator[None]:
        """A transaction that first renews the lease and updates the run's columns; all of it, or nothing.

        Raises:
            Lost: the run is held by another worker, or has ended.
        """
        with transaction.atomic():
            if not self._mine().update(lease_until=_end(), **changes):
                raise Lost
            yield

    def renew(self) -> None:
        """Raises Lost as `fenced` does."""
        with self.fenced():
            pass

    def release(self) -> None:
        """Gives a live run back for the next slice. Harmless where it was lost or has ended."""
        self._mine().update(owner="", lease_until=Now())

    def _mine(self) -> Any:
        return Run.objects.filter(pk=self.run_id, owner=self.owner, epoch=self.epoch, state__in=Run.LIVE)


def claim(run_id: int) -> Lease | None:
    """Takes a live run that nobody holds, or whose holder's lease has ended; None where there is nothing to take."""
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
    """Live runs whose lease has ended, or that nobody has taken for two sweeps (half a minute)."""
    long_ago = Now() - timedelta(seconds=OWNERLESS_SWEEPS * settings.RUN_SWEEP_SECONDS)
    ownerless = Q(owner="", lease_until__lt=long_ago) | Q(lease_until=None, created_at__lt=long_ago)
    expired = ~Q(owner="") & Q(lease_until__lt=Now())
    return list(Run.objects.filter(ownerless | expired, state__in=Run.LIVE).values_list("pk", flat=True))


class Keeper:
    """Renews a lease from a thread of its own while a slow source or vendor has not answered."""

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
                # The database may be back before the lease ends.
                continue
            finally:
                connection.close()


def _end() -> Any:
    return Now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)
