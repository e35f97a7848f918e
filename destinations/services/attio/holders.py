"""Which records at Attio hold a match value now."""

from __future__ import annotations

from typing import Any

from destinations.contract import Operation, Purpose
from destinations.services.attio.client import Client


def holders(client: Client, object_slug: str, operation: Operation) -> list[dict[str, Any]]:
    """The records that hold one of the operation's match values, as Attio describes them.

    Raises:
        Rejected, Misconfigured, Unavailable: see `Client.call`.
    """
    wanted = operation.match_value if isinstance(operation.match_value, list) else [operation.match_value]
    body = {"filter": {"$or": [{operation.match_field: wire} for wire in wanted]}, "limit": len(wanted)}
    found = client.call(Purpose.LOOKUP, "POST", f"/objects/{object_slug}/records/query", body=body).body.get("data")
    return [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []
