"""Opens, refreshes and closes the warnings of an activation, one row for each change of state.

Alerts follow from these rows: see `outbox`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from activations import warning_kinds as kinds
from activations.models import Activation, Run, Warning
from core.audit import Verb, announce
from core.health import Health

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from django.db.models import QuerySet


def open_warning(
    activation: Activation,
    kind: str,
    message: str,
    facts: Mapping[str, Any],
    now: datetime,
    *,
    subject: str = "",
    run: Run | None = None,
) -> Warning:
    """Opens a warning, or refreshes the open one of this kind and subject. Only a new one leads to an alert.

    Args:
        kind: a slug of `warning_kinds`, such as `HELD`.
        message: one or two sentences for a person. No values of records, and no secrets.
        facts: the numbers and names that led to it, for pages and APIs.
        subject: what the warning is about, if several of a kind can be open, such as an attribute.
        run: the run that found it.
    """
    warning = _open(activation, kind, subject) or _created(activation, kind, subject, message, run, now)
    if _is_new_reason(warning, facts):
        warning.notified_at = warning.acknowledged_at = None
        warning.acknowledged_by = ""
    warning.message, warning.facts = message, {**facts, **_reasons(warning, facts)}
    warning.last_run = run or warning.last_run
    if kind in kinds.CAUSED:
        warning.cause = cause(activation) or warning.cause
    warning.save()
    return warning


def close_warnings(
    activation: Activation, slugs: Collection[str], now: datetime, *, run: Run | None = None, resolution: str = ""
) -> int:
    """Closes the open warnings of these kinds, whatever they are about. Returns how many there were.

    Args:
        run: the run that was fine.
        resolution: what resolved them, in one sentence, such as who approved a held run. Part of the alert.
    """
    found = Warning.objects.filter(activation=activation, kind__in=list(slugs), closed_at=None)
    return sum(close(warning, now, run=run, resolution=resolution) for warning in found)


def acknowledge(warnings: QuerySet[Warning], by: str, now: datetime) -> int:
    """Takes open warnings off the overview. Returns how many were not acknowledged before.

    A run that is fine closes them, as before.

    Args:
        by: the name of the person.
    """
    found = list(warnings.filter(closed_at=None, acknowledged_at=None).select_related("activation"))
    unchanged = Warning.objects.filter(pk__in=[each.pk for each in found], closed_at=None, acknowledged_at=None)
    with transaction.atomic():
        number = unchanged.update(acknowledged_at=now, acknowledged_by=by[:200])
        for warning in found:
            announce(Verb.ACKNOWLEDGED, warning, {"Warning": ("", warning.label)}, run=warning.last_run_id)
    return number


def close(warning: Warning, now: datetime, *, run: Run | None = None, resolution: str = "") -> bool:
    """Closes a warning. False if it was closed meanwhile. See `close_warnings`."""
    changes: dict[str, Any] = {"closed_at": now}
    if run:
        changes["last_run"] = run
    if resolution:
        changes["facts"] = {**warning.facts, "resolution": resolution}
    return bool(Warning.objects.filter(pk=warning.pk, closed_at=None).update(**changes))


def cause(activation: Activation) -> str:
    """What several activations have in common if it does not work, such as `source:3`; "" if nothing of it is broken.

    Read again from the database: a run finds out while the rows in memory are older.
    """
    source = type(activation.data_model.source).objects.filter(pk=activation.data_model.source_id)
    if source.filter(health=Health.State.FAILED).exists():
        return f"source:{activation.data_model.source_id}"
    connection = activation.destination.connection
    if type(connection).objects.filter(pk=connection.pk, health=Health.State.FAILED).exists():
        return f"connection:{connection.pk}"
    return ""


def _open(activation: Activation, kind: str, subject: str) -> Warning | None:
    return Warning.objects.filter(activation=activation, kind=kind, subject=subject, closed_at=None).first()


def _created(activation: Activation, kind: str, subject: str, message: str, run: Run | None, now: datetime) -> Warning:
    """A new row, or the one that a different process created at the same moment."""
    try:
        with transaction.atomic():
            return Warning.objects.create(
                activation=activation, kind=kind, subject=subject, message=message, run=run, last_run=run, opened_at=now
            )
    except IntegrityError:
        return Warning.objects.get(activation=activation, kind=kind, subject=subject, closed_at=None)


def _is_new_reason(warning: Warning, facts: Mapping[str, Any]) -> bool:
    """Whether the code of an open warning was not seen since it opened: a failure of a different kind is news."""
    seen = warning.facts.get("codes", [])
    return bool(seen) and facts.get("code") not in seen


def _reasons(warning: Warning, facts: Mapping[str, Any]) -> dict[str, Any]:
    seen = warning.facts.get("codes", [])
    code = facts.get("code")
    return {"codes": [*seen, *([] if code in seen else [code])]} if code else {}
