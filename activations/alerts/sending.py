"""Sends the alerts that are due: claims them, sends one message for each recipient, and stores what came of it."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F

from activations.alerts import compose, outbox, timing
from activations.alerts.channels import mail
from activations.alerts.channels.registry import channels
from activations.models import Alert, AlertChannel, Run, Warning
from core.errors import Misconfigured, Problem
from core.failpoints import reach

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from activations.alerts.message import Message

log = logging.getLogger(__name__)
MOST = 5_000
"""How many alerts are looked at in one go."""


class Target(NamedTuple):
    """Who receives a message: a channel, or without one, these addresses."""

    channel: int | None
    addresses: tuple[str, ...] = ()


def send(now: datetime, *, at_once: bool = False) -> int:
    """Sends what is due, one message for each recipient. Returns how many messages were accepted.

    Args:
        at_once: don't wait for further alerts with the same cause, because nothing sends this later.
    """
    waiting = _waiting()
    if not waiting:
        return 0
    busy, standing = _busy(waiting), _standing(waiting)
    group = timedelta(seconds=settings.ALERT_GROUP_SECONDS)
    sent = 0
    for target, alerts in waiting.items():
        due = {one.pk for one in timing.batch([_timed(a) for a in alerts], busy, standing, now, group, at_once=at_once)}
        claimed = _claim([alert for alert in alerts if alert.pk in due], now)
        sent += bool(claimed) and _send(target, claimed, now)
    return sent


def send_test(channel: AlertChannel, now: datetime) -> None:
    """Sends a test message, and stores on the channel whether it was accepted.

    Raises:
        Problem: it was not.
    """
    try:
        deliver(channel, compose.test_message(now))
    except Problem as problem:
        channel.record_health(now, problem)
        raise
    channel.record_health(now, None, "The last message was accepted.")


def deliver(channel: AlertChannel, message: Message) -> None:
    """Sends a message by a channel. Raises Problem if it is not accepted."""
    channels[channel.kind].send({**channel.config, **channel.secrets}, message)


def _waiting() -> dict[Target, list[Alert]]:
    """The alerts that are not sent yet, by who receives them. Those of a disabled channel wait until it is enabled."""
    pending = Alert.objects.filter(state=Alert.State.PENDING).exclude(channel__enabled=False)
    rows = list(pending.select_related("activation", "warning").order_by("pk")[:MOST])
    enabled = list(AlertChannel.objects.filter(enabled=True).defer("secrets")) if rows else []
    found: dict[Target, list[Alert]] = defaultdict(list)
    for alert in rows:
        if alert.channel_id:
            found[Target(alert.channel_id)].append(alert)
        elif alert.activation:
            recipients = outbox.recipients_besides(alert.activation, enabled, alert.event)
            found[Target(None, tuple(recipients))].append(alert)
    return found


def _timed(alert: Alert) -> timing.Waiting:
    return timing.Waiting(
        alert.pk, alert.created_at, alert.due_at, alert.attempts, alert.recovered, alert.facts.get("cause", "")
    )


def _causes(waiting: dict[Target, list[Alert]]) -> set[str]:
    return {alert.facts["cause"] for alerts in waiting.values() for alert in alerts if alert.facts.get("cause")}


def _busy(waiting: dict[Target, list[Alert]]) -> set[str]:
    """Sources of which more alerts may follow, because runs are about to read them."""
    if not _causes(waiting):
        return set()
    starting = Run.objects.filter(state__in=(Run.State.QUEUED, Run.State.PLANNING), dry_run=False)
    models = starting.values_list(
        "activation__segment__model__source", "activation__model__source", "activation__destination__connection"
    )
    return {
        cause
        for of_segment, of_model, connection in models
        for cause in (f"source:{of_segment or of_model}", f"connection:{connection}")
    }


def _standing(waiting: dict[Target, list[Alert]]) -> set[str]:
    """Causes that still affect an activation."""
    causes = _causes(waiting)
    still = Warning.objects.filter(closed_at=None, cause__in=causes, notified_at__isnull=False)
    return set(still.values_list("cause", flat=True)) if causes else set()


def _claim(alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """Those that no other process sends. If this one dies, they are sent again once the claim is over."""
    with transaction.atomic():
        claimed = []
        for alert in alerts:
            unclaimed = Alert.objects.filter(pk=alert.pk, state=Alert.State.PENDING, attempts=alert.attempts)
            if unclaimed.update(attempts=F("attempts") + 1, due_at=now + timing.CLAIM):
                alert.attempts += 1
                claimed.append(alert)
    reach("alert_claimed")
    return claimed


def _send(target: Target, alerts: Sequence[Alert], now: datetime) -> bool:
    """Sends one message, and stores the result. One recipient that fails never stops the others."""
    channel = AlertChannel.objects.filter(pk=target.channel).first() if target.channel else None
    problem: Problem | None = None
    try:
        message = compose.message(alerts, now, digest=bool(channel and channel.digest_at))
        if channel:
            deliver(channel, message)
        elif target.addresses:
            mail.send_to(target.addresses, message)
    except Problem as error:
        problem = error
    except Exception:
        log.exception("An alert could not be sent.")
        problem = Misconfigured("defect", "An internal error prevented the message. See the log for details.")
    reach("alert_sent")
    if channel:
        channel.record_health(now, problem, "The last message was accepted.")
    return _store(alerts, problem, now)


def _store(alerts: Sequence[Alert], problem: Problem | None, now: datetime) -> bool:
    ids = [alert.pk for alert in alerts]
    if problem is None or (isinstance(problem, mail.PartlyRefused) and not problem.all_refused):
        error = problem.message if problem else ""
        Alert.objects.filter(pk__in=ids).update(state=Alert.State.SENT, sent_at=now, error=error)
        return True
    log.warning("An alert was not accepted, and is sent again later: %s", problem.code)
    for alert in alerts:
        alert.state = Alert.State.FAILED if timing.gives_up(alert.created_at, now) else Alert.State.PENDING
        alert.due_at, alert.error = timing.retry_at(alert.attempts, now), problem.message
    Alert.objects.bulk_update(alerts, ["state", "due_at", "error"], batch_size=200)
    return False
