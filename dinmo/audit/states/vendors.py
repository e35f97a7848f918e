"""Connections, destinations and alert channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.alerts.channels.registry import channels
from activations.warning_kinds import EVENTS
from destinations.registry import platforms, services
from dinmo.audit.states.fields import label_of, plain, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.models import AlertChannel
    from destinations.models import Connection, Destination


def connection(row: Connection) -> Iterator[tuple[str, Any]]:
    yield from plain(row, without=("platform", "config"))
    yield "Platform", label_of(platforms, row.platform)
    yield from settings(row, row.platform, platforms)


def channel(row: AlertChannel) -> Iterator[tuple[str, Any]]:
    yield from plain(row, without=("kind", "config", "events"))
    yield "Kind", label_of(channels, row.kind)
    yield "Events", [EVENTS.get(event, event) for event in row.events]
    yield from settings(row, row.kind, channels)


def destination(row: Destination) -> Iterator[tuple[str, Any]]:
    yield from plain(row, without=("service",))
    yield "Service", label_of(services, row.service)
