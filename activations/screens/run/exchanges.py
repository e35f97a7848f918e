"""The last request for a record and its response, as readable text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from activations.models import Change, Exchange

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_INDENTED = 100_000
NEVER_SENT = (Change.Outcome.INVALID, Change.Outcome.NOT_SENT)


@dataclass(frozen=True)
class Shown:
    """A request and its response.

    Args:
        status: the HTTP status in words.
        request, response: the bodies, indented if they are JSON.
    """

    method: str
    url: str
    status: str
    request: str
    response: str
    sent_at: datetime


def of(change: Change) -> tuple[Shown | None, str]:
    """The request for a change and its response, or the reason why there is none to show."""
    exchange = Exchange.objects.filter(pk=change.exchange_id).first() if change.exchange_id else None
    if exchange:
        status = f"Status {exchange.status}" if exchange.status else "No response"
        request, response = readable(exchange.request), readable(exchange.response)
        return Shown(exchange.method, exchange.url, status, request, response, exchange.sent_at), ""
    if change.run.dry_run:
        return None, "Nothing was sent: this was a dry run."
    if not change.outcome:
        return None, "It has not been sent yet."
    if change.outcome in NEVER_SENT or not (change.attempts or change.sent or change.exchange_id):
        return None, "No request was sent for this record."
    return None, "The request and its response are no longer kept."


def readable(body: str) -> str:
    """PURE. A body as indented JSON if it is JSON, else as it is. Deeply nested JSON would mostly be indentation."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return text if len(text) <= LONGEST_INDENTED else body
