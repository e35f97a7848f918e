"""Pauses activations whose runs would all fail, and resumes them. A person's pause is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from activations import warning_kinds as kinds
from activations.alerts import record
from activations.models import Activation, Run, SystemPause, Warning
from activations.pauses import rules
from activations.pauses.rules import Failure
from activations.runs import requests
from activations.scheduling import definition, periodic_tasks
from activations.setup import holds
from core.audit import recording
from core.failpoints import reach
from segments.models import DataModel

if TYPE_CHECKING:
    from datetime import datetime

CHANGED = "source_changed"
ENDED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS, Run.State.FAILED)


def pause_after(run: Run, failure: Failure, now: datetime) -> None:
    """Pauses the activation of a run that has just failed, if the next run would fail as well.

    It belongs into the transaction that ends the run: a worker that dies leaves both or neither.
    """
    if run.dry_run or run.only_key:
        return
    if rules.pauses(failure, _in_a_row(run.activation, failure.culprit), settings.PAUSE_AFTER_FAILURES):
        pause(run.activation, failure, now, run)


def pause(activation: Activation, failure: Failure, now: datetime, run: Run | None = None) -> None:
    """Pauses an activation, unless it is a draft or a person paused it. A pause that exists gets the latest reason.

    Args:
        run: the one that failed; None if the daily check of the source found out before any run did.
    """
    if not Activation.objects.filter(pk=activation.pk, paused=False, is_draft=False).exists():
        return
    reason = {"cause": failure.culprit, "code": failure.code, "message": failure.message}
    earlier = _earlier(activation, reason)
    checks = earlier.get("checks", 0)
    first = {"since": now, "checks": checks, "trials": earlier.get("trials", 0)}
    present, is_new = SystemPause.objects.get_or_create(
        activation=activation, defaults={**reason, **first, "next_check_at": now + rules.wait(checks)}
    )
    if not is_new:
        present.cause, present.code, present.message = failure.culprit, failure.code, failure.message
        present.save(update_fields=list(reason))
    reach("in_pause")
    _warn(activation, present, run, now)


def pause_changed(now: datetime) -> None:
    """Pauses activations whose source changed in a way that a check of the model found, before any run did."""
    changed = DataModel.objects.exclude(problems={}).values("source")
    candidates = Activation.objects.filter(paused=False, is_draft=False, system_pause=None).exclude(
        runs__in=Run.objects.filter(state__in=Run.LIVE)
    )
    for activation in candidates.filter(segment__model__source__in=changed) | candidates.filter(
        model__source__in=changed
    ):
        if cause := holds.cause(activation):
            last = Run.objects.filter(activation=activation, **Run.WHOLE).order_by("-pk").first()
            pause(activation, Failure(rules.CONFIGURATION, CHANGED, cause), now, last)


def resume(pause: SystemPause, now: datetime) -> Run | None:
    """Resumes an activation whose cause was checked, and starts a run.

    Returns:
        The run; None if none starts, because somebody else resumed the activation, or a person paused it meanwhile.
    """
    with transaction.atomic():
        activation = _unpaused(pause)
        if activation is None or not SystemPause.objects.filter(pk=pause.pk).delete()[0]:
            return None
        reach("in_resume")
        _remember(pause)
        periodic_tasks.resume(activation, now)
        starts = rules.starts_run(pause.cause, has_schedules=bool(definition.of_runs(activation)))
        if not starts or requests.held_run(activation):
            return None
        return requests.request(activation, Run.Trigger.CATCH_UP)


def pause_by_person(activation: Activation) -> None:
    """Pauses an activation. The system never resumes it."""
    activation.paused = True
    activation.save(update_fields=["paused"])
    periodic_tasks.sync_all(activation)


def resume_by_person(activation: Activation, now: datetime) -> None:
    """Resumes an activation, whoever paused it. Its schedules start runs again; none starts immediately."""
    with transaction.atomic(), recording():
        if pause := SystemPause.objects.filter(activation=activation).first():
            _remember(pause)
            pause.delete()
        activation.paused = False
        activation.save(update_fields=["paused"])
        periodic_tasks.resume(activation, now)


def recovered(run: Run, now: datetime) -> None:
    """Closes the warning about a pause once a run has completed, and ends a pause that a person's run has disproved."""
    if run.dry_run or run.only_key:
        return
    if SystemPause.objects.filter(activation=run.activation).delete()[0]:
        periodic_tasks.resume(run.activation, now)
    record.close_warnings(run.activation, [kinds.PAUSED], now, run=run)


def _in_a_row(activation: Activation, culprit: str) -> int:
    whole = Run.objects.filter(activation=activation, **Run.WHOLE, state__in=ENDED)
    latest = whole.order_by("-pk")[: settings.PAUSE_AFTER_FAILURES]
    return rules.in_a_row((run.culprit if run.error_code == "unavailable" else "" for run in latest), culprit)


def _unpaused(pause: SystemPause) -> Activation | None:
    return Activation.objects.select_for_update().filter(pk=pause.activation_id, paused=False, is_draft=False).first()


def _warning(activation: Activation) -> Warning | None:
    return Warning.objects.filter(activation=activation, kind=kinds.PAUSED, closed_at=None).first()


def _earlier(activation: Activation, reason: dict[str, str]) -> dict[str, Any]:
    """What is known of a pause for the same reason, if no run has completed since: its checks go on where they were."""
    warning = _warning(activation)
    facts = dict(warning.facts) if warning else {}
    return facts if (facts.get("cause"), facts.get("code")) == (reason["cause"], reason["code"]) else {}


def _warn(activation: Activation, pause: SystemPause, run: Run | None, now: datetime) -> None:
    """Opens the warning that leads to an alert. The next run that completes closes it; resuming alone does not."""
    facts = {"cause": pause.cause, "code": pause.code, "checks": pause.checks, "trials": pause.trials}
    record.open_warning(activation, kinds.PAUSED, holds.words(pause), facts, now, run=run)


def _remember(pause: SystemPause) -> None:
    """Keeps how often the cause was checked, in case a run fails for the same reason again."""
    if warning := _warning(pause.activation):
        warning.facts = {**warning.facts, "checks": pause.checks, "trials": pause.trials + 1}
        warning.save(update_fields=["facts"])
