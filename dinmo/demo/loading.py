"""Loads the demo into this installation and removes it again: a source, two activations, and simulated records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from django.conf import settings
from django.db.models import ProtectedError
from django.utils import timezone
from ruamel.yaml import YAML

from activations.models import Activation, Run, Schedule
from activations.runs import requests as runs
from activations.runs import retention
from activations.scheduling import periodic_tasks
from core.errors import Misconfigured, Unavailable
from core.text.listing import listed
from destinations import simulators
from destinations.registry import platforms
from dinmo.demo import data, made, workspace
from dinmo.local.machine import exclusive
from dinmo.workspace import sources, vendors
from dinmo.workspace.apply import apply
from segments.models import DataModel

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

LOCK = "demo.lock"
BUSY = "The demo is being loaded or removed already. Wait some seconds, then open this page again."
MOST_NAMES = 5
SECONDS = 5.0
"""How long a simulator may take to be set up."""


@dataclass(frozen=True)
class State:
    """Whether the demo can be loaded, and if not, why."""

    loaded: bool
    reason: str = ""


def state() -> State:
    """Whether the demo is loaded or can be."""
    if made.rows():
        return State(loaded=True)
    missing = [platforms[slug].label for slug in _platforms() if slug not in simulators.running()]
    if missing:
        return State(
            loaded=False,
            reason=f"The demo needs the simulators of {' and '.join(missing)}, which don't run here. "
            "Start this installation with “make up”, without SANDBOX=0.",
        )
    return State(loaded=False)


def load() -> None:
    """Applies the demo's workspace file, prepares the simulators, and starts every activation.

    Raises:
        Misconfigured: the simulators don't run, or something of a different origin has one of the demo's names.
        Unavailable: a simulator does not respond, or somebody else is loading or removing the demo.
    """
    with _alone():
        _load()


def _load() -> None:
    now = state()
    if now.loaded:
        raise Misconfigured("demo_loaded", "The demo is loaded already.")
    if now.reason:
        raise Misconfigured("demo_impossible", now.reason)
    _refuse_taken()
    data.write(settings.SOURCE_FILES_ROOT)
    for sample in workspace.demos():
        if sample.demo:
            _prepare(simulators.running()[sample.slug.partition(".")[0]], dict(sample.demo.arrange))
    tokens = {variable: simulators.token() for variable in workspace.secrets()}
    applied = apply(workspace.text(), tokens, sources.columns)
    made.note(names())
    DataModel.objects.filter(name__in=names()["models"]).update(display_column="name")
    list(vendors.connection_reports(applied.steps, timezone.now()))
    for activation in Activation.objects.filter(name__in=names()["activations"]):
        runs.request(activation, Run.Trigger.MANUAL)


def remove() -> list[str]:
    """Deletes everything that the demo created. Returns the names of what something else uses, which stays.

    Raises:
        Misconfigured: a run of the demo has not ended, and is asked to end; or an activation of a person runs after one
            of the demo. Nothing is deleted.
        Unavailable: somebody else is loading or removing the demo.
    """
    with _alone():
        return _remove()


def _alone() -> AbstractContextManager[None]:
    """Lets one person at a time load or remove the demo: its file and its names exist once."""
    return exclusive(settings.VAR_DIR / LOCK, Unavailable("demo_busy", BUSY))


def _remove() -> list[str]:
    rows = made.rows()
    activations = [row for row in rows if isinstance(row, Activation)]
    live = list(Run.objects.filter(activation__in=activations, state__in=Run.LIVE))
    for run in live:
        runs.cancel(run)
    if live:
        message = "A run of the demo was still going on. It is being cancelled: remove the demo again in a few seconds."
        raise Misconfigured("run_live", message)
    _refuse_followed(activations)
    kept: list[str] = []
    for row in rows:
        try:
            _delete(row)
        except ProtectedError:
            kept.append(str(row))
    return kept


def names() -> dict[str, list[str]]:
    """The names in the demo's workspace file, by section."""
    content = YAML(typ="safe").load(workspace.text())
    return {section: [entry["name"] for entry in content[section]] for section, _ in made.TABLES}


def _delete(row: Any) -> None:
    if isinstance(row, Activation):
        for schedule in row.schedules.all():
            periodic_tasks.remove(schedule)
        retention.delete_activation(row)
    else:
        row.delete()


def _refuse_followed(activations: list[Activation]) -> None:
    following = Schedule.objects.filter(after__in=activations).exclude(activation__in=activations)
    if names := list(following.order_by("activation__name").values_list("activation__name", flat=True).distinct()):
        message = (
            f"{listed([f'“{name}”' for name in names], MOST_NAMES)} runs after an activation of the demo. "
            "Change that schedule, then remove the demo."
        )
        raise Misconfigured("demo_followed", message)


def _refuse_taken() -> None:
    taken = [str(row) for section, model in made.TABLES for row in made.found(model, name__in=names()[section])]
    if taken:
        message = f"The demo needs names that are in use: {', '.join(taken)}. Rename them, or load the demo elsewhere."
        raise Misconfigured("demo_names", message)


def _prepare(simulator: simulators.Simulator, switches: dict[str, Any]) -> None:
    """Stores the records that the demo expects at a vendor."""
    try:
        requests.post(f"{simulator.page}/switches", json=switches, timeout=SECONDS).raise_for_status()
    except requests.RequestException as error:
        message = f"The simulator of {simulator.platform.label} does not respond. Restart “make up”, and try again."
        raise Unavailable("simulator_silent", message, detail=type(error).__name__) from None


def _platforms() -> list[str]:
    return list(dict.fromkeys(sample.slug.partition(".")[0] for sample in workspace.demos()))
