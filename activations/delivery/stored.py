"""What is stored of a change once it is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.delivery import exchanges
from activations.storage import bulk

if TYPE_CHECKING:
    from activations.models import Change

COLUMNS = [
    "state", "outcome", "attempts", "code", "message", "field", "request_id", "sent", "kept", "created", "settled_at",
    "remote_id", "web_url", "exchange_id",
]  # fmt: skip
REDIRECTED = ["remote_id", "changed", "kept"]
LONGEST_ADDRESS = 500


def safe_link(address: str) -> str:
    """PURE. The address if it is safe to link to, else ""."""
    return address if address.startswith("https://") and len(address) <= LONGEST_ADDRESS else ""


def kept(change: Change) -> str | None:
    """The value of the column `kept`."""
    return bulk.json_text(change.kept) if change.kept else None


def redirected(change: Change) -> list[Any]:
    """The values of REDIRECTED, after the ID of the change."""
    return [change.pk, change.remote_id, bulk.json_text(change.changed), kept(change)]


def row(change: Change) -> list[Any]:
    """The values of COLUMNS, after the ID of the change."""
    return [
        change.pk, change.state, change.outcome, change.attempts, change.code, change.message, change.field,
        change.request_id, bulk.json_text(change.sent), kept(change), change.created, change.settled_at,
        change.remote_id, change.web_url, exchanges.reference(change.exchange_id),
    ]  # fmt: skip
