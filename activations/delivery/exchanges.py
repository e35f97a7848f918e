"""Keeps the requests that write records, with their responses, for people who look at a change. Never a secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import connection

from activations.delivery.steps import Item, Kept
from activations.models import Exchange
from activations.storage import bulk
from core.network.observers import Observer, Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from destinations.kit.exchanges import Secrets

_COLUMNS = ["id", "run_id", "method", "url", "request", "status", "response", "sent_at"]


class Recording(Observer):
    """The writes of one job, in the order in which they were sent.

    Args:
        is_write: whether the request that is about to leave writes records.
    """

    def __init__(self, secrets: Secrets, is_write: Callable[[], bool]) -> None:
        self.secrets = secrets
        self.is_write = is_write
        self.exchanges: list[Kept] = []

    def answered(self, request: Sending, status: int | None, body: bytes) -> None:
        if self.is_write():
            self.exchanges.append(
                Kept(
                    id=uuid4(),
                    method=request.method,
                    url=self.secrets.url(request.url),
                    request=self.secrets.body(request.body),
                    status=status,
                    response=self.secrets.body(body),
                    sent_at=datetime.now(UTC),
                )
            )

    def of_each(self, records: int) -> list[Kept]:
        """The last exchange about each of the job's records; none if nothing was sent.

        A service that declares batches but writes one record after the other sends one request for each. Otherwise,
        the last request was about all of them.
        """
        if len(self.exchanges) == records:
            return self.exchanges
        return self.exchanges[-1:] * records


def unstored(items: Sequence[Item]) -> list[Kept]:
    """PURE. The exchanges of these items that are not in the database yet, each once."""
    found = {item.exchange.id: item.exchange for item in items if item.exchange and not item.exchange.stored}
    return list(found.values())


def insert(run_id: int, exchanges: Sequence[Kept]) -> None:
    """Stores exchanges that are not stored yet."""
    bulk.insert(Exchange, _COLUMNS, [_row(run_id, exchange) for exchange in exchanges])
    for exchange in exchanges:
        exchange.stored = True


def reference(exchange_id: Any) -> Any:
    """The ID as the database takes it."""
    return Exchange._meta.pk.get_db_prep_value(exchange_id, connection)


def _row(run_id: int, exchange: Kept) -> list[Any]:
    return [
        reference(exchange.id), run_id, exchange.method, exchange.url, exchange.request, exchange.status,
        exchange.response, connection.ops.adapt_datetimefield_value(exchange.sent_at),
    ]  # fmt: skip
