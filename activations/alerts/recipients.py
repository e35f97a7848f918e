"""Who receives the alerts of this installation, and what keeps alerts from arriving."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from activations.alerts.channels import mail
from activations.alerts.channels.registry import channels
from activations.alerts.outbox import RECIPIENTS
from activations.models import Alert, AlertChannel
from activations.warning_kinds import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model


class Obstacle(NamedTuple):
    """Why alerts don't arrive. `about`: the row whose page shows it."""

    about: Model
    label: str
    message: str


def nobody() -> bool:
    """Whether no channel is set up, so that nobody gets an alert about anything but an activation of their own."""
    return not AlertChannel.objects.filter(enabled=True).exists()


def set_workspace_recipients(addresses: Sequence[str]) -> AlertChannel:
    """Creates the channel of the workspace's recipients with every event, or changes its addresses."""
    channel = AlertChannel.objects.filter(name=RECIPIENTS).first() or AlertChannel(name=RECIPIENTS, events=list(EVENTS))
    config = {"recipients": ", ".join(addresses)}
    if (channel.kind, channel.config) != (mail.CHANNEL.slug, config):
        channel.forget_health()
    channel.kind, channel.config, channel.secrets, channel.enabled = mail.CHANNEL.slug, config, {}, True
    channel.save()
    return channel


def obstacles() -> Iterator[Obstacle]:
    """Channels that can't send or did not, and activations whose recipients did not get their last alert."""
    for channel in AlertChannel.objects.filter(enabled=True).defer("secrets"):
        problem = channels[channel.kind].problem() if channel.kind in channels.all else ""
        if problem:
            yield Obstacle(channel, "Not set up", problem)
        elif channel.health == channel.State.FAILED:
            yield Obstacle(channel, channel.get_health_display(), channel.health_message)
    unsent = Alert.objects.filter(channel=None, activation__isnull=False).exclude(state=Alert.State.SENT)
    seen: set[int] = set()
    for alert in unsent.exclude(error="").select_related("activation")[:100]:
        if alert.activation and alert.activation.pk not in seen:
            seen.add(alert.activation.pk)
            yield Obstacle(alert.activation, "Alert not sent", alert.error)
