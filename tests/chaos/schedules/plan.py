"""The twenty activations of the proof, with schedules of every kind. Intervals are in seconds: minutes take long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.management import call_command

from activations.models import Activation, Schedule
from activations.scheduling import periodic_tasks

if TYPE_CHECKING:
    from pathlib import Path

SKIP, QUEUE = Activation.Overlap.SKIP, Activation.Overlap.QUEUE
PARIS, KOLKATA = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kolkata")
NO_GUARDS = {"hold_first_creates": False, "hold_change_percent": None, "hold_size_percent": None}
"""Nobody is there to approve a run."""
HEAD = """
sources:
  - {name: Shop, engine: sqlite, path: shop.sqlite3}
models:
  - {name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}
connections:
  - {name: Attio, platform: attio, token: "${CHAOS_TOKEN}"}
destinations:
  - {name: Attio companies, connection: Attio, service: attio.companies}
activations:
"""
ONE = """
  - name: {name}
    model: Companies
    destination: Attio companies
    match: {{from: domain, to: domains}}
    fields: [{{from: name, to: name}}]
"""


@dataclass(frozen=True)
class Planned:
    """One activation and its schedule.

    Args:
        after: the name of the activation that it follows.
    """

    name: str
    kind: str
    seconds: int = 0
    zone: ZoneInfo = PARIS
    after: str = ""
    overlap: str = SKIP
    catch_up: bool = True


PLAN = (
    Planned("every 3 s, skip", "interval", 3),
    Planned("every 3 s, queue", "interval", 3, overlap=QUEUE),
    Planned("every 7 s", "interval", 7),
    Planned("every 11 s, queue", "interval", 11, overlap=QUEUE),
    Planned("every 13 s, not caught up", "interval", 13, catch_up=False),
    Planned("every 17 s", "interval", 17),
    Planned("every 20 s, queue", "interval", 20, overlap=QUEUE),
    Planned("every 29 s, not caught up", "interval", 29, catch_up=False),
    Planned("each minute, Paris", "cron"),
    Planned("each minute, Paris, queue", "cron", overlap=QUEUE),
    Planned("each minute, Kolkata", "cron", zone=KOLKATA),
    Planned("each minute, Kolkata, not caught up", "cron", zone=KOLKATA, catch_up=False),
    Planned("after every 7 s", "after", after="every 7 s"),
    Planned("after every 7 s, queue", "after", after="every 7 s", overlap=QUEUE),
    Planned("after each minute", "after", after="each minute, Paris"),
    Planned("after that", "after", after="after each minute"),
    Planned("data changed, 5 s", "data_changed", 5),
    Planned("data changed, 7 s, queue", "data_changed", 7, overlap=QUEUE),
    Planned("data changed, 9 s", "data_changed", 9, zone=KOLKATA),
    Planned("data changed, 13 s", "data_changed", 13, catch_up=False),
)


def create(home: Path) -> dict[str, Schedule]:
    """Creates the activations, each with its schedule. Returns the schedules by name of the activation."""
    path = home / "schedules.yaml"
    path.write_text(HEAD + "".join(ONE.format(name=f'"{planned.name}"') for planned in PLAN))
    call_command("apply", str(path), verbosity=0)
    return {planned.name: _schedule(planned) for planned in PLAN}


def _schedule(planned: Planned) -> Schedule:
    activation = Activation.objects.get(name=planned.name)
    changes = {"overlap": planned.overlap, "catch_up": planned.catch_up, **NO_GUARDS}
    Activation.objects.filter(pk=activation.pk).update(**changes)
    values: dict[str, Any] = {"kind": planned.kind, "timezone": planned.zone}
    if planned.seconds:
        values |= {"every": planned.seconds, "unit": "seconds"}
    if planned.kind == "cron":
        values["cron"] = "* * * * *"
    if planned.after:
        values["after"] = Activation.objects.get(name=planned.after)
    schedule = Schedule.objects.create(activation=activation, **values)
    periodic_tasks.sync(schedule)
    return schedule
