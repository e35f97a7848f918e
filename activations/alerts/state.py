"""The state of activations, and everything that needs attention: the only place where either is decided.

Pages, endpoints and commands show what these functions return, so that no two of them can disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django_celery_beat.models import PeriodicTask

from activations import warning_kinds as kinds
from activations.alerts import recipients
from activations.alerts.last_runs import held_runs, latest_runs
from activations.alerts.related import READ_OF_ACTIVATION
from activations.alerts.related import RELATED as RELATED
from activations.alerts.related import attach as attach
from activations.alerts.words import Tone, accepted_nothing, hold_words, run_words
from activations.models import Activation, Run, Warning
from activations.scheduling.upcoming import next_runs
from activations.setup import holds
from core.health import Health
from destinations.models import Connection
from segments.models import DataModel, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from django.db.models import Model

NO_BEAT = "Beat is not running, so no schedule starts a run. Start it: make up, or celery -A dinmo beat"
PAUSED_BY_SYSTEM = "paused_by_system"
NO_WORKER = "No worker has started it. Check with manage.py doctor whether one is running."


@dataclass(frozen=True)
class State:
    """The state of an activation.

    Args:
        slug: on, failing, held, paused_by_system, paused or draft. Schedules start runs only if it is on or failing.
        causes: what to fix, one or more sentences each.
        next_run: when a schedule starts the next run; None if none does.
    """

    slug: str
    label: str
    tone: Tone
    causes: tuple[str, ...] = ()
    next_run: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Known:
    """Activations with their last runs that have ended, those that wait for approval, and their states, by ID."""

    activations: list[Activation]
    latest: dict[int, Run]
    held: dict[int, Run]
    states: dict[int, State]


@dataclass(frozen=True)
class Issue:
    """Something that needs attention.

    Args:
        subject: what it is about, in words.
        about: the row whose page shows it; None for a process.
        label: the state in one or two words.
        permission: what a user needs to see it, besides the permission to view `about`.
    """

    subject: str
    about: Model | None
    label: str
    tone: Tone
    message: str
    permission: str = ""


def state_of(activation: Activation, now: datetime) -> State:
    """The state of an activation. Sends no request."""
    return states([activation], now)[activation.pk]


def states(activations: Iterable[Activation], now: datetime) -> dict[int, State]:
    """The states of activations, by ID."""
    return look_at(activations, now).states


def look_at(activations: Iterable[Activation], now: datetime) -> Known:
    """The states of activations, with what they are derived from. The number of queries does not depend on theirs."""
    activations = list(activations)
    latest, held, changed = latest_runs(activations), held_runs(activations), changed_sources()
    upcoming = next_runs([one.pk for one in activations if not (one.is_draft or one.paused)], now)
    derived = {
        one.pk: _state(one, latest.get(one.pk), held.get(one.pk), upcoming.get(one.pk), changed) for one in activations
    }
    return Known(activations, latest, held, derived)


def look_at_all(now: datetime) -> Known:
    """As `look_at`, for every activation."""
    activations = list(Activation.objects.only(*READ_OF_ACTIVATION))
    attach(activations)
    return look_at(activations, now)


def changed_sources() -> set[int]:
    """The IDs of sources in which something changed that a model uses, and that may be about to pause activations."""
    return set(DataModel.objects.exclude(problems={}).values_list("source_id", flat=True))


def issues(now: datetime, known: Known | None = None) -> list[Issue]:
    """Everything that needs attention, the most severe first.

    Args:
        known: of all activations, if the caller has it already.
    """
    found = [
        *_processes(now),
        *_broken(),
        *_models(),
        *_activations(known or look_at_all(now)),
        *_warnings(),
        *_channels(),
    ]
    return sorted(found, key=lambda issue: issue.tone != "bad")


def beat_stopped(now: datetime, sweep_seconds: float) -> bool:
    """Whether beat has not started the sweep within its last two intervals of `sweep_seconds`."""
    last = PeriodicTask.objects.filter(name="sweep").values_list("last_run_at", flat=True).first()
    return last is None or now - last > timedelta(seconds=2 * sweep_seconds)


def _state(
    activation: Activation, last: Run | None, held: Run | None, upcoming: datetime | None, changed: Collection[int]
) -> State:
    if activation.is_draft:
        return State("draft", "Draft", "calm", (holds.DRAFT,))
    if held:
        return State("held", run_words(held), "warn", (f"Run {held.number}: {hold_words(held)}",))
    if activation.paused:
        return State("paused", "Paused", "warn", ("Paused by a person.",))
    if cause := _paused_by_system(activation, changed):
        return State(PAUSED_BY_SYSTEM, "Paused by the system", "bad", (cause,))
    if causes := tuple(_failures(activation, last)):
        return State("failing", "Failing", "bad", causes, upcoming)
    return State("on", "On", "good", (), upcoming)


def _paused_by_system(activation: Activation, changed: Collection[int]) -> str:
    if pause := holds.system_pause(activation):
        return holds.words(pause)
    return holds.cause(activation) if activation.data_model.source_id in changed else ""


def _failures(activation: Activation, last: Run | None) -> Iterator[str]:
    source, connection = activation.data_model.source, activation.destination.connection
    if source.health == Health.State.FAILED:
        yield f"The source “{source.name}” is not working. {source.health_message}"
    if connection.health == Health.State.FAILED:
        yield f"The connection “{connection.name}” is not working. {connection.health_message}"
    if last and last.state == Run.State.FAILED:
        yield f"Run {last.number} failed. {last.error_message}"
    elif last and accepted_nothing(last):
        yield f"Run {last.number}: {run_words(last)}. Nothing was accepted."


def _processes(now: datetime) -> Iterator[Issue]:
    if Activation.objects.filter(is_draft=False).exists() and beat_stopped(now, settings.RUN_SWEEP_SECONDS):
        yield Issue("Beat", None, "Not running", "bad", NO_BEAT)
    overdue = now - timedelta(seconds=2 * settings.RUN_SWEEP_SECONDS)
    waiting = Run.objects.filter(state=Run.State.QUEUED, epoch=0, created_at__lt=overdue)
    for run in waiting.select_related("activation"):
        yield Issue(str(run), run, "Waiting", "bad", NO_WORKER)


def _broken() -> Iterator[Issue]:
    for model in (Source, Connection):
        for row in model._default_manager.filter(health=Health.State.FAILED).defer("secrets"):
            name = f"{model._meta.verbose_name} {row}".capitalize()
            yield Issue(_named(model, row), row, row.get_health_display(), "bad", row.health_message or name)


def _models() -> Iterator[Issue]:
    for model in DataModel.objects.filter(~Q(problems={}) | ~Q(key_warning="")).defer("sql"):
        if model.problem:
            yield Issue(_named(DataModel, model), model, "Source changed", "bad", model.problem)
        if model.key_warning:
            yield Issue(_named(DataModel, model), model, "Primary key", "warn", model.key_warning)


def _activations(known: Known) -> Iterator[Issue]:
    for activation in known.activations:
        last, state = known.latest.get(activation.pk), known.states[activation.pk]
        if state.slug == PAUSED_BY_SYSTEM:
            yield Issue(_named(Activation, activation), activation, state.label, state.tone, state.causes[0])
        if held := known.held.get(activation.pk):
            yield Issue(str(held), held, run_words(held), "warn", hold_words(held))
        if last and last.state == Run.State.FAILED:
            yield Issue(str(last), last, "Failed", "bad", last.error_message)
        elif last and accepted_nothing(last):
            yield Issue(str(last), last, "Nothing accepted", "bad", run_words(last))


def _warnings() -> Iterator[Issue]:
    """The open warnings that nobody has acknowledged. Failed and held runs, and pauses, are listed already."""
    listed = (kinds.RUN_FAILED, kinds.PAUSED, kinds.HELD)
    current = Warning.objects.filter(closed_at=None, acknowledged_at=None).exclude(kind__in=listed)
    for warning in current.select_related("activation"):
        subject, needed = _named(Activation, warning.activation), "activations.view_warning"
        yield Issue(subject, warning.activation, warning.label, "warn", warning.message, needed)


def _channels() -> Iterator[Issue]:
    for about, label, message in recipients.obstacles():
        yield Issue(_named(type(about), about), about, label, "bad", message)


def _named(model: type[Model], row: Model) -> str:
    return f"{str(model._meta.verbose_name).capitalize()} “{row!s}”"
