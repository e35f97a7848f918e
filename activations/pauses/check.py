"""Checks what the system paused activations for, with a growing wait between, and resumes them once it works."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import F

from activations.models import Run, SystemPause
from activations.pauses import act, rules
from activations.planning.generations import starts_new
from activations.planning.layout import layout, prepare_fields
from activations.setup import holds, spec_from_db
from activations.vendor_session import check_workspace, discover, open_context
from core.errors import Problem
from destinations import vendor
from destinations.models import Connection
from segments.models import Source
from segments.sources import discovery, drift, watch

if TYPE_CHECKING:
    from datetime import datetime

    from activations.models import Activation
    from activations.vendor_session import Context
    from destinations.contract import Workspace

log = logging.getLogger(__name__)
RELATED = (
    "activation__segment__model__source",
    "activation__model__source",
    "activation__destination__connection",
)


class Culprit(NamedTuple):
    """What one check is about: a source, a connection, or the configuration of one activation, by its ID."""

    cause: str
    pk: int


def culprit(pause: SystemPause) -> Culprit:
    """What has to work again. Activations that were paused for the same source share it, and are checked once."""
    activation = pause.activation
    if pause.cause == SystemPause.Cause.SOURCE:
        return Culprit(pause.cause, activation.data_model.source_id)
    if pause.cause == SystemPause.Cause.CONNECTION:
        return Culprit(pause.cause, activation.destination.connection_id)
    return Culprit(pause.cause, activation.pk)


def claim_due(now: datetime) -> list[Culprit]:
    """What is to be checked now. Each is claimed as if its check failed: one that is lost is repeated after the wait.

    What a person paused meanwhile is not checked.
    """
    found = [pause for pause in current() if pause.next_check_at <= now or _is_fixed(pause)]
    return list(dict.fromkeys(culprit(pause) for pause in found if _claim(pause, now)))


def check(found: Culprit, now: datetime) -> bool:
    """Checks a culprit, and resumes every activation that was paused because of it. Returns whether it works."""
    waiting = [pause for pause in current() if culprit(pause) == found]
    if not waiting:
        return True
    try:
        _check(found, waiting[0].activation, now)
    except Problem as problem:
        log.info("The %s %s still doesn't work: %s", found.cause, found.pk, problem.code)
        _keep_reason(waiting, problem)
        return False
    for pause in waiting:
        act.resume(pause, now)
    return True


def check_now(activation: Activation, now: datetime) -> bool:
    """Checks what the system paused an activation for, because a person asked. Returns whether it works."""
    pause = SystemPause.objects.select_related(*RELATED).filter(activation=activation).first()
    return pause is None or check(culprit(pause), now)


def check_activation(activation: Activation, now: datetime) -> None:
    """Checks everything that a run needs before it sends the first record. Sends nothing.

    Raises:
        Misconfigured, Unavailable: what a run would fail with.
    """
    with watch.watched(activation.data_model.source):
        drift.look_before(activation.rows, activation.columns)
    with open_context(Run(activation=activation, number=0, dry_run=True)) as context:
        workspace = check_workspace(context, now)
        with vendor.watched(activation.destination.connection, now):
            discover(context, now)
            prepare_fields(context)
        layout(context, now)
    _check_identity(context, workspace)


def _check(found: Culprit, activation: Activation, now: datetime) -> None:
    if found.cause == rules.SOURCE:
        discovery.check(Source.objects.get(pk=found.pk), now)
    elif found.cause == rules.CONNECTION:
        vendor.check(Connection.objects.get(pk=found.pk), now)
    else:
        check_activation(activation, now)


def _keep_reason(waiting: list[SystemPause], problem: Problem) -> None:
    """What is wrong now may be something else than what paused the activations."""
    rows = SystemPause.objects.filter(pk__in=[pause.pk for pause in waiting])
    rows.exclude(code=problem.code, message=problem.message).update(code=problem.code, message=problem.message)


def _check_identity(context: Context, workspace: Workspace) -> None:
    """Raises Misconfigured if a run would need a person's consent to reset the sync history."""
    activation = context.activation
    if accepted := spec_from_db.accepted_identity(activation):
        wanted = spec_from_db.spec(activation).identity(workspace.id)
        starts_new(accepted, wanted, activation.start_afresh, has_records=True, workspace_name=workspace.name)


def current() -> list[SystemPause]:
    """Every pause by the system whose activation no person paused as well."""
    waiting = SystemPause.objects.filter(activation__paused=False).select_related(*RELATED)
    return list(waiting.prefetch_related("activation__mappings"))


def _is_fixed(pause: SystemPause) -> bool:
    """Whether a check of the model has already found that the source is as it was."""
    return pause.code == act.CHANGED and not pause.trials and not holds.cause(pause.activation)


def _claim(pause: SystemPause, now: datetime) -> bool:
    mine = SystemPause.objects.filter(pk=pause.pk, next_check_at=pause.next_check_at)
    return bool(mine.update(checks=F("checks") + 1, next_check_at=now + rules.wait(pause.checks + 1)))
