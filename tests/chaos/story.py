"""Rounds of changes and runs, while processes are killed at random moments and at named points."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError, connection

from activations.models import Activation, Run
from activations.runs import requests
from core.failpoints import TAKEN
from tests.chaos.processes import BEAT, BROKER, DATABASE, WORKERS, Installation

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.chaos.source import Shop
    from tests.chaos.weather import Weather

POINTS = ("in_plan", "plan_committed", "before_send", "before_commit", "after_commit", "in_finish")
TARGETS = (*POINTS, *POINTS[1:5], *WORKERS, *WORKERS, BEAT, BROKER, BROKER)
EXTRA = (DATABASE, DATABASE, DATABASE)
WORKER = "worker"
HOLDERS = (WORKER, DATABASE)
"""Those whose death leaves requests without a record."""
TICK_SECONDS = 0.05
LOOK_SECONDS = 0.25
ROUND_SECONDS = 1.0
CALM_SECONDS = 0.6
"""The mean time between two kills."""
POINT_SECONDS = 6.0
STORMS = 0.25
"""How often a vendor is down just when another worker takes over: then the run ends with writes in doubt."""
END_SECONDS = 150.0


@dataclass(frozen=True)
class Kill:
    """Who was killed, where and when, and which activations had a live run then."""

    at: float
    target: str
    point: str
    live: frozenset[str]


@dataclass
class Story:
    """One chaos run over one database. Call `kill`, then `settle` twice."""

    installation: Installation
    shop: Shop
    weathers: dict[str, Weather]
    chance: random.Random
    order: Path
    say: Callable[[str], None]
    kills: list[Kill] = field(default_factory=list)
    live: frozenset[str] = frozenset()
    rounds: int = 0
    waiting: str = ""
    next_at: float = 0.0
    looked_at: float = 0.0
    asked_at: float = 0.0

    def kill(self, wanted: int, seconds: float) -> None:
        """Kills until `wanted` is reached or the time is over."""
        deadline = time.monotonic() + seconds
        targets = self._targets(wanted)
        for weather in self.weathers.values():
            weather.rough = True
        while len(self.kills) < wanted and time.monotonic() < deadline:
            self.installation.keep()
            self._round()
            if self.waiting:
                self._await_point(targets)
            elif time.monotonic() >= self.next_at and self.live:
                self._strike(targets.pop())
            time.sleep(TICK_SECONDS)
        self.order.unlink(missing_ok=True)
        for weather in self.weathers.values():
            weather.rough = False

    def settle(self) -> list[Run]:
        """Lets all runs end, mends the source, and runs every activation once more."""
        self._await_end()
        self.shop.mend()
        asked: list[int] = []
        while not asked:
            self.installation.keep()
            with database():
                asked = [
                    requests.request(activation, Run.Trigger.SCHEDULE).pk
                    for activation in Activation.objects.order_by("pk")
                ]
        self._await_end()
        return list(Run.objects.filter(pk__in=asked).select_related("activation"))

    def _targets(self, wanted: int) -> list[str]:
        every = TARGETS + (EXTRA if self.installation.cluster else ())
        targets: list[str] = []
        while len(targets) < wanted:
            targets += self.chance.sample(every, len(every))
        return targets

    def _round(self) -> None:
        """Looks which runs are live; where an activation has none, the source changes and it runs again."""
        if time.monotonic() < self.looked_at + LOOK_SECONDS:
            return
        self.looked_at = time.monotonic()
        with database():
            self.live = live()
            idle = list(Activation.objects.exclude(name__in=self.live).order_by("pk"))
            if idle and time.monotonic() > self.asked_at + ROUND_SECONDS:
                self.asked_at = time.monotonic()
                self.rounds += 1
                if self.rounds > 1:
                    self.shop.change()
                for activation in idle:
                    requests.request(activation, Run.Trigger.SCHEDULE)

    def _strike(self, target: str) -> None:
        if target in POINTS:
            self.waiting, self.next_at = target, time.monotonic() + POINT_SECONDS
            draft = self.order.with_suffix(".draft")
            draft.write_text(target)
            draft.rename(self.order)
            return
        self._note(time.time(), WORKER if target in WORKERS else target, "")
        self.installation.kill(target)

    def _await_point(self, targets: list[str]) -> None:
        """Notes that somebody died at the point; in every other case the rest of that worker dies as well."""
        taken = Path(f"{self.order}{TAKEN}")
        late = time.monotonic() > self.next_at
        group = taken.read_text() if taken.exists() else ""
        if group.isdecimal() or (group and late):
            self._note(taken.stat().st_mtime, WORKER, self.waiting)
            taken.unlink()
            if group.isdecimal() and self.chance.random() < 0.5:
                self.installation.kill_group(int(group))
            self.waiting = ""
        elif late and not group:
            self.order.unlink(missing_ok=True)
            if not taken.exists():
                targets.insert(0, self.waiting)
                self.waiting = ""

    def _note(self, at: float, target: str, point: str) -> None:
        self.kills.append(Kill(at, target, point, self.live))
        if target in HOLDERS and self.chance.random() < STORMS:
            self.chance.choice(list(self.weathers.values())).storm()
        self.next_at = time.monotonic() + min(4 * CALM_SECONDS, self.chance.expovariate(1 / CALM_SECONDS))
        if len(self.kills) % 20 == 0:
            writes = sum(len(weather.writes) for weather in self.weathers.values())
            self.say(f"  {len(self.kills)} kills, the source changed {self.rounds - 1} times, {writes} writes")

    def _await_end(self) -> None:
        deadline = time.monotonic() + END_SECONDS
        ended = False
        while not ended and time.monotonic() < deadline:
            self.installation.keep()
            with database():
                ended = not live()
            time.sleep(LOOK_SECONDS)


@contextmanager
def database() -> Iterator[None]:
    """The database may be dead just now: then what is inside is left undone."""
    try:
        yield
    except (OperationalError, InterfaceError):
        connection.close()


def live() -> frozenset[str]:
    """The names of the activations that have a live run."""
    return frozenset(Run.objects.filter(state__in=Run.LIVE).values_list("activation__name", flat=True))


def environment(inherited: dict[str, str], order: Path) -> dict[str, str]:
    """What the workers see besides: short leases, sweeps and slices, and where orders to die are given."""
    short = {"RUN_LEASE_SECONDS": "3", "RUN_SWEEP_SECONDS": "1", "RUN_SLICE_SECONDS": "6", "LOG_LEVEL": "WARNING"}
    return {**inherited, **short, "CHAOS_AT": str(order), "PYTHONUNBUFFERED": "1", "PATH": os.environ.get("PATH", "")}
