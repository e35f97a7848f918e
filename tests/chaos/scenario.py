"""Rounds of source changes and runs, while processes are killed at random times and at named failpoints."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError, connection

from activations.models import Activation, Run
from activations.runs import requests
from core.failpoints import TAKEN
from tests.chaos.processes import BEAT, BROKER, DATABASE, WORKERS, Installation

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping

    from tests.chaos.faults import FaultyVendor
    from tests.chaos.source import Shop

POINTS = ("in_plan", "plan_committed", "before_send", "before_commit", "after_commit", "in_finish")
TARGETS = (*POINTS, *POINTS[1:5], *WORKERS, *WORKERS, BEAT, BROKER, BROKER)
DATABASE_TARGETS = (DATABASE, DATABASE, DATABASE)
WORKER = "worker"
SENDERS = (WORKER, DATABASE)
"""Targets whose death leaves requests without a recorded outcome."""
TICK_SECONDS = 0.05
POLL_SECONDS = 0.25
ROUND_SECONDS = 1.0
MEAN_PAUSE_SECONDS = 0.6
"""The mean time between two kills."""
FAILPOINT_SECONDS = 6.0
OUTAGE_PROBABILITY = 0.25
"""The share of kills after which a vendor is down while another worker takes over, so that writes stay in doubt."""
SETTLE_SECONDS = 150.0


@dataclass(frozen=True)
class Kill:
    """What was killed, at which failpoint and when, and which activations had a live run at that time."""

    at: float
    target: str
    point: str
    live: frozenset[str]


@dataclass
class Scenario:
    """One scenario on one database. Call `kill`, then `settle` twice.

    Args:
        seeds: what the vendors held before the first run of the fields with a write policy.
    """

    installation: Installation
    shop: Shop
    vendors: dict[str, FaultyVendor]
    rng: random.Random
    failpoint_file: Path
    show: Callable[[str], None]
    seeds: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    live: frozenset[str] = frozenset()
    rounds: int = 0
    armed_point: str = ""
    next_at: float = 0.0
    polled_at: float = 0.0
    requested_at: float = 0.0

    def kill(self, wanted: int, seconds: float) -> None:
        """Kills until `wanted` kills are done or the time limit is reached."""
        deadline = time.monotonic() + seconds
        targets = self._targets(wanted)
        for vendor in self.vendors.values():
            vendor.faults_enabled = True
        while len(self.kills) < wanted and time.monotonic() < deadline:
            self.installation.keep_running()
            self._start_runs()
            if self.armed_point:
                self._check_failpoint(targets)
            elif time.monotonic() >= self.next_at and self.live:
                self._kill_next(targets.pop())
            time.sleep(TICK_SECONDS)
        self.failpoint_file.unlink(missing_ok=True)
        for vendor in self.vendors.values():
            vendor.faults_enabled = False

    def settle(self) -> list[Run]:
        """Waits for all runs to end, repairs the source, and runs every activation once more."""
        self._await_end()
        self.shop.repair()
        requested: list[int] = []
        while not requested:
            self.installation.keep_running()
            with database():
                requested = [
                    requests.request(activation, Run.Trigger.SCHEDULE).pk
                    for activation in Activation.objects.order_by("pk")
                ]
        self._await_end()
        return list(Run.objects.filter(pk__in=requested).select_related("activation"))

    def _targets(self, wanted: int) -> list[str]:
        pool = TARGETS + (DATABASE_TARGETS if self.installation.cluster else ())
        targets: list[str] = []
        while len(targets) < wanted:
            targets += self.rng.sample(pool, len(pool))
        return targets

    def _start_runs(self) -> None:
        """Updates the live activations. If any is idle, the source changes and the idle ones run again."""
        if time.monotonic() < self.polled_at + POLL_SECONDS:
            return
        self.polled_at = time.monotonic()
        with database():
            self.live = live()
            idle = list(Activation.objects.exclude(name__in=self.live).order_by("pk"))
            if idle and time.monotonic() > self.requested_at + ROUND_SECONDS:
                self.requested_at = time.monotonic()
                self.rounds += 1
                if self.rounds > 1:
                    self.shop.change()
                for activation in idle:
                    requests.request(activation, Run.Trigger.SCHEDULE)

    def _kill_next(self, target: str) -> None:
        if target in POINTS:
            self.armed_point, self.next_at = target, time.monotonic() + FAILPOINT_SECONDS
            draft = self.failpoint_file.with_suffix(".draft")
            draft.write_text(target)
            draft.rename(self.failpoint_file)
            return
        self._record(time.time(), WORKER if target in WORKERS else target, "")
        self.installation.kill(target)

    def _check_failpoint(self, targets: list[str]) -> None:
        """Records a process that died at the failpoint. Half of the time, the rest of its worker is killed as well.

        Before it dies, the process renames the failpoint file and writes its process group to it. A renamed file
        without a valid group therefore means that the process has not died yet; after a while it counts as dead anyway.
        A file that no process takes is withdrawn, and its target goes back to the start of the list.
        """
        taken = Path(f"{self.failpoint_file}{TAKEN}")
        late = time.monotonic() > self.next_at
        group = taken.read_text() if taken.exists() else ""
        if group.isdecimal() or (group and late):
            self._record(taken.stat().st_mtime, WORKER, self.armed_point)
            taken.unlink()
            if group.isdecimal() and self.rng.random() < 0.5:
                self.installation.kill_group(int(group))
            self.armed_point = ""
        elif late and not group:
            self.failpoint_file.unlink(missing_ok=True)
            if not taken.exists():
                targets.insert(0, self.armed_point)
                self.armed_point = ""

    def _record(self, at: float, target: str, point: str) -> None:
        self.kills.append(Kill(at, target, point, self.live))
        if target in SENDERS and self.rng.random() < OUTAGE_PROBABILITY:
            self.rng.choice(list(self.vendors.values())).start_outage()
        self.next_at = time.monotonic() + min(4 * MEAN_PAUSE_SECONDS, self.rng.expovariate(1 / MEAN_PAUSE_SECONDS))
        if len(self.kills) % 20 == 0:
            writes = sum(len(vendor.writes) for vendor in self.vendors.values())
            self.show(f"  {len(self.kills)} kills, the source changed {self.rounds - 1} times, {writes} writes")

    def _await_end(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        ended = False
        while not ended and time.monotonic() < deadline:
            self.installation.keep_running()
            with database():
                ended = not live()
            time.sleep(POLL_SECONDS)


@contextmanager
def database() -> Iterator[None]:
    """Ignores the error if the database is down, and leaves the block unfinished."""
    try:
        yield
    except (OperationalError, InterfaceError):
        connection.close()


def live() -> frozenset[str]:
    """The names of the activations that have a live run."""
    return frozenset(Run.objects.filter(state__in=Run.LIVE).values_list("activation__name", flat=True))


def environment(inherited: dict[str, str], failpoint_file: Path) -> dict[str, str]:
    """The environment of the workers: short leases, sweeps and slices, and the path of the failpoint file."""
    short = {"RUN_LEASE_SECONDS": "3", "RUN_SWEEP_SECONDS": "1", "RUN_SLICE_SECONDS": "6", "LOG_LEVEL": "WARNING"}
    return {
        **inherited,
        **short,
        "CHAOS_AT": str(failpoint_file),
        "PYTHONUNBUFFERED": "1",
        "PATH": os.environ.get("PATH", ""),
    }
