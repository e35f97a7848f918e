"""Runs the proof of schedules on one database: sets up, kills, waits until all is settled, and checks."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from activations.models import Run, Schedule, SkippedSlot
from dinmo.local import programs
from dinmo.local.machine import exclusive_runtime
from tests.chaos import postgres
from tests.chaos.processes import BEAT, WORKERS, Installation
from tests.chaos.run import serving
from tests.chaos.scenario import database, environment
from tests.chaos.schedules import plan, proof
from tests.chaos.schedules.proof import Skipped, Started, Story
from tests.chaos.schedules.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SECOND_BEAT = "beat 2"
BEATS = (BEAT, SECOND_BEAT)
KILL_SECONDS = (15.0, 25.0)
"""The time between two random kills, at least and at most."""
CHANGE_SECONDS = (12.0, 30.0)
LAST_CHANGE_SECONDS = 20.0
"""The data stays as it is for this long at the end, so that every look has time to notice."""
SETTLE_SECONDS = 240.0
TICK_SECONDS = 0.1
SHOWN = 40
COMPLETED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)


@dataclass
class Scenario:
    """Kills processes and changes the data for some minutes."""

    installation: Installation
    table: Table
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    changes: list[datetime] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """Kills a beat or a worker every 20 seconds or so, and both beats whenever they have just fired a minute."""
        began = time.monotonic()
        end, next_kill, next_change = began + seconds, began + KILL_SECONDS[0], began + CHANGE_SECONDS[0]
        minute = timezone.now().minute
        while (now := time.monotonic()) < end:
            self.installation.keep_running()
            if now >= next_kill:
                self._kill(self.rng.choice((*BEATS, *WORKERS)))
                next_kill = now + self.rng.uniform(*KILL_SECONDS)
            if timezone.now().minute != minute:
                minute = timezone.now().minute
                time.sleep(self.rng.uniform(0, 1))
                for beat in BEATS:
                    self._kill(beat)
            if next_change <= now < end - LAST_CHANGE_SECONDS:
                self.changes.append(timezone.now())
                self.table.change()
                self.changes.append(timezone.now())
                next_change = now + self.rng.uniform(*CHANGE_SECONDS)
            time.sleep(TICK_SECONDS)

    def settle(self, until: datetime) -> bool:
        """Lets everything come to an end: each slot up to `until` is settled, and no run from before is open."""
        deadline = time.monotonic() + SETTLE_SECONDS
        time.sleep(2 * LAST_CHANGE_SECONDS / 3)
        while time.monotonic() < deadline:
            self.installation.keep_running()
            with database():
                if not Run.objects.filter(state__in=Run.OPEN, created_at__lt=until).exists():
                    return True
            time.sleep(TICK_SECONDS)
        return False

    def _kill(self, name: str) -> None:
        if name in self.installation.running:
            self.kills[name] += 1
            self.installation.kill(name)


def run(
    inherited: dict[str, str],
    ports: dict[str, int],
    minutes: float,
    seed: int,
    database_port: int,
    show: Callable[[str], None],
) -> bool:
    """Runs the proof on one database, and returns whether all checks passed.

    Args:
        ports: the port of each platform's simulator.
        database_port: the port for a temporary PostgreSQL server, or 0 for SQLite.
    """
    home = settings.VAR_DIR
    with ExitStack() as stack:
        stack.enter_context(exclusive_runtime(home))
        cluster = stack.enter_context(postgres.cluster(database_port)) if database_port else None
        for slug, port in ports.items():
            stack.enter_context(serving(slug, port, inherited["CHAOS_TOKEN"], seed))
        installation = Installation(home, environment(inherited, home / "kill_at"), cluster)
        # A second beat is a mistake that people make. It has to be harmless.
        installation.commands[SECOND_BEAT] = programs.beat(home).command
        stack.callback(installation.stop)
        call_command("migrate", interactive=False, verbosity=0)
        scenario = Scenario(installation, Table(home / "shop.sqlite3"), random.Random(seed))
        installation.keep_running()
        schedules = plan.create(home)
        scenario.run(minutes * 60)
        end = timezone.now()
        settled = scenario.settle(end)
        stories = [_story(name, schedule, scenario.changes) for name, schedule in schedules.items()]
    show(summary(stories, scenario, end))
    violations = [sentence for story in stories for sentence in proof.check(story, end)]
    violations += [] if settled else ["Runs were still open at the end."]
    for sentence in islice(violations, SHOWN):
        show(f"  BROKEN: {sentence}")
    return not violations


def summary(stories: list[Story], scenario: Scenario, end: datetime) -> str:
    """One line for each schedule: its slots, its runs, and how many slots had which reason."""
    lines = [f"  {'schedule':<36} {'slots':>5} {'runs':>5}  reasons"]
    totals: Counter[str] = Counter()
    for story in stories:
        number = len(proof.slots(story, end)) if story.kind != "data_changed" else 0
        runs = sum(1 for one in story.runs if one.due_at and one.due_at <= end)
        reasons: Counter[str] = Counter()
        for one in story.skipped:
            reasons[one.reason] += one.number
        totals += Counter(slots=number, runs=runs) + reasons
        lines.append(f"  {story.name:<36} {number or '':>5} {runs:>5}  {_listed(reasons)}")
    lines.append(f"  total: {_listed(totals)}")
    lines.append(f"  killed (-9): {_listed(scenario.kills)}; the data changed {len(scenario.changes) // 2} times")
    return "\n".join(lines)


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counted.items()))


def _story(name: str, schedule: Schedule, changes: list[datetime]) -> Story:
    runs = Run.objects.filter(activation=schedule.activation_id, dry_run=False).order_by("pk")
    completed = Run.objects.filter(activation=schedule.after_id, state__in=COMPLETED, dry_run=False)
    skipped = SkippedSlot.objects.filter(schedule=schedule).order_by("first_due_at")
    return Story(
        name=name,
        kind=schedule.kind,
        begin=schedule.anchored_at,
        seconds=schedule.every or 0,
        completions=[moment for moment in completed.values_list("finished_at", flat=True) if moment],
        changes=changes,
        runs=[Started(one.created_at, one.due_at, one.finished_at) for one in runs],
        skipped=[Skipped(one.reason, one.first_due_at, one.last_due_at, one.number) for one in skipped],
    )


__all__ = ["run"]
