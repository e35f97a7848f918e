"""Turns changes of state into alerts: one for each channel, written in the transaction that marks the change.

What is written here is sent by `sending`, whatever happens to this process.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from activations import warning_kinds as kinds
from activations.alerts import timing
from activations.models import Activation, Alert, AlertChannel, Warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

CHUNK = 500
RECIPIENTS = "Workspace recipients"
"""The channel of kind email that the set-up asks for."""
SOURCE_CHANGED = "source_changed"
"""The code of runs and pauses because a column or a table is gone."""
TOLD = (Alert.State.SENT, Alert.State.COVERED, Alert.State.PENDING)
LOUDER = {kinds.STALE: (kinds.RUN_FAILED, kinds.PAUSED, kinds.HELD), kinds.RUN_FAILED: (kinds.PAUSED,)}
"""Kinds that are not worth a message of their own while one of these is open, because that says it already."""


def collect(now: datetime) -> int:
    """Writes the alerts about every change of state that has none. Returns how many changes that were.

    A change that nobody wants to know of stays unmarked: a channel that is added later reports what is still open.
    """
    with transaction.atomic():
        channels = list(AlertChannel.objects.filter(enabled=True).defer("secrets"))
        opened = [warning for warning in _locked(_opened()) if _announce(warning, channels, now)]
        closed = _locked(_closed())
        told = _told(closed)
        for warning in closed:
            _announce_recovery(warning, told[warning.pk], now)
        _mark(opened, "notified_at", now)
        _mark(closed, "recovery_notified_at", now)
    return len(opened) + len(closed)


def prune(before: datetime) -> int:
    """Deletes alerts that were written before, unless their warning is still open. Returns how many."""
    old = Alert.objects.filter(created_at__lt=before).exclude(state=Alert.State.PENDING)
    return old.filter(Q(warning=None) | Q(warning__closed_at__isnull=False)).delete()[0]


def subscribed(channel: AlertChannel, event: str) -> bool:
    """Whether a channel receives an event."""
    return event in channel.events


def recipients_besides(activation: Activation, channels: Iterable[AlertChannel], event: str) -> list[str]:
    """The recipients of an activation that no channel reaches anyway."""
    reached = {
        address.strip().lower()
        for channel in channels
        if channel.kind == "email" and channel.digest_at is None and subscribed(channel, event)
        for address in str(channel.config.get("recipients", "")).split(",")
    }
    return [address for address in activation.recipients if address.lower() not in reached]


def wants(warning: Warning) -> bool:
    """Whether the activation has a change of this kind reported at all."""
    return kinds.event(warning.kind) != "warning" or warning.activation.warnings_enabled


def _opened() -> QuerySet[Warning]:
    unsent = Warning.objects.filter(closed_at=None, notified_at=None)
    for kind, louder in LOUDER.items():
        said = Warning.objects.filter(kind__in=louder, closed_at=None).values("activation")
        unsent = unsent.exclude(kind=kind, activation__in=said)
    return unsent


def _closed() -> QuerySet[Warning]:
    return Warning.objects.filter(closed_at__isnull=False, notified_at__isnull=False, recovery_notified_at=None)


def _locked(rows: QuerySet[Warning]) -> list[Warning]:
    """The first rows, locked, so that two processes never announce the same change."""
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows.select_related("activation__segment", "run", "last_run").order_by("pk")[:CHUNK])


def _mark(warnings: Sequence[Warning], column: str, now: datetime) -> None:
    Warning.objects.filter(pk__in=[warning.pk for warning in warnings]).update(**{column: now})


def _announce(warning: Warning, channels: Sequence[AlertChannel], now: datetime) -> bool:
    """Writes the alerts about a warning that opened. False if nobody receives it."""
    if not wants(warning):
        return False
    event = kinds.event(warning.kind)
    targets: list[AlertChannel | None] = [channel for channel in channels if subscribed(channel, event)]
    if recipients_besides(warning.activation, channels, event):
        targets.append(None)
    for channel in targets:
        covered = _is_covered(warning, channel)
        _write(warning, channel, now, recovered=False, state=Alert.State.COVERED if covered else Alert.State.PENDING)
    return bool(targets)


def _is_covered(warning: Warning, channel: AlertChannel | None) -> bool:
    """Whether the same recipient has a message about the same cause, which still stands."""
    if not warning.cause:
        return False
    sent = Alert.objects.filter(channel=channel, recovered=False, state=Alert.State.SENT)
    if channel is None:
        sent = sent.filter(activation__recipients=warning.activation.recipients)
    standing = sent.filter(warning__kind=warning.kind, warning__cause=warning.cause, warning__closed_at=None)
    return standing.exclude(warning=warning).exists()


def _told(warnings: Sequence[Warning]) -> dict[int, set[int | None]]:
    """Who was told that these warnings opened: the IDs of channels, and None for the activation's recipients."""
    told: dict[int, set[int | None]] = defaultdict(set)
    alerts = Alert.objects.filter(warning__in=warnings, recovered=False, state__in=TOLD)
    for warning_id, channel_id in alerts.values_list("warning", "channel"):
        told[warning_id].add(channel_id)
    return told


def _announce_recovery(warning: Warning, told: set[int | None], now: datetime) -> None:
    channels = AlertChannel.objects.defer("secrets").in_bulk([pk for pk in told if pk is not None])
    for pk in told:
        _write(warning, channels.get(pk) if pk else None, now, recovered=True, state=Alert.State.PENDING)


def _write(warning: Warning, channel: AlertChannel | None, now: datetime, *, recovered: bool, state: str) -> None:
    due_at = now + timedelta(seconds=settings.ALERT_GROUP_SECONDS)
    if channel and channel.digest_at:
        due_at = timing.next_digest(channel.digest_at, now)
    Alert.objects.create(
        channel=channel,
        activation=warning.activation,
        warning=warning,
        event=kinds.event(warning.kind),
        recovered=recovered,
        facts=facts(warning),
        state=state,
        created_at=now,
        due_at=due_at,
    )


def facts(warning: Warning) -> dict[str, Any]:
    """What a message says about a warning. No values of records, and no secrets."""
    run = warning.last_run
    return {
        "kind": warning.kind,
        "subject": warning.subject,
        "message": warning.message,
        "resolution": warning.facts.get("resolution", ""),
        "cause": warning.cause,
        "changed_model_id": _changed_model(warning),
        "activation": warning.activation.name,
        "activation_id": warning.activation_id,
        "run_id": run.pk if run else None,
        "run": run.number if run else None,
        "opened_at": warning.opened_at.isoformat(),
        "resolved_at": warning.closed_at.isoformat() if warning.closed_at else None,
    }


def _changed_model(warning: Warning) -> int | None:
    """The model whose source changed, if that is what the warning is about: its page shows what changed."""
    activation = warning.activation
    if warning.facts.get("code") != SOURCE_CHANGED:
        return None
    return activation.segment.model_id if activation.segment else activation.model_id
