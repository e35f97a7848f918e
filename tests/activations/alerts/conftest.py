"""Receivers of alerts, and activations that something happens to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activations.alerts import outbox, sending
from activations.models import Activation, AlertChannel
from activations.warning_kinds import EVENTS
from tests.activations.alerts.receivers import HookServer, MailServer, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segments.models import DataModel

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    """A mail server, which this installation uses."""
    with MailServer() as server:
        serve(server)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server
        server.shutdown()


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with HookServer() as server:
        serve(server)
        yield server
        server.shutdown()


def workspace_recipients(*addresses: str, **changes: Any) -> AlertChannel:
    return channel("email", {"recipients": ", ".join(addresses)}, name=outbox.RECIPIENTS, **changes)


def channel(kind: str, config: dict[str, Any] | None = None, **changes: Any) -> AlertChannel:
    values = {"name": f"Our {kind}", "events": list(EVENTS), **changes}
    return AlertChannel.objects.create(kind=kind, config=config or {}, **values)


def activations(model: DataModel, count: int, name: str = "Sync {}") -> list[Activation]:
    """Activations that have no runs."""
    from_this = Activation.objects.get()
    return [
        Activation.objects.create(
            name=name.format(number), model=model, destination=from_this.destination, match_column="domain",
            match_field="domains",
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def deliver(now: datetime, after: timedelta = timedelta(minutes=1)) -> int:
    """What the task does: once now, and once later."""
    outbox.collect(now)
    return sending.send(now + after)
