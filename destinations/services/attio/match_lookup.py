"""Which records at Attio currently hold a match value, and which match values a record holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import Field, Operation, Purpose
from destinations.services.attio.values import conversion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.services.attio.client import Client

_READ_KEYS = ("domain", "email_address", "phone_number", "original_phone_number", "currency_value", "value")


def records_with_match(client: Client, object_slug: str, operation: Operation) -> list[dict[str, Any]]:
    """The records that hold one of the operation's match values, as Attio returns them.

    Raises:
        Rejected, Misconfigured, Unavailable: see `Client.call`.
    """
    wires = operation.match_value if isinstance(operation.match_value, list) else [operation.match_value]
    body = {"filter": {"$or": [{operation.match_field: wire} for wire in wires]}, "limit": len(wires)}
    records = client.call(Purpose.LOOKUP, "POST", f"/objects/{object_slug}/records/query", json=body).body.get("data")
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []


def record_identities(record: Mapping[str, Any], match_field: str) -> tuple[str, ...]:
    """PURE. The identities of the match values in a record as Attio returns it."""
    values = record.get("values")
    entries = values.get(match_field) if isinstance(values, dict) else None
    identities = (
        stored_identity(Field(match_field, match_field, str(entry.get("attribute_type"))), stored_value(entry))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    )
    return tuple(dict.fromkeys(identity for identity in identities if identity))


def stored_value(entry: Mapping[str, Any]) -> Any:
    """PURE. The value itself, out of an entry that also carries Attio's metadata (author, time, type)."""
    return next((entry[key] for key in _READ_KEYS if entry.get(key) is not None), None)


def stored_identity(field: Field, stored: Any) -> str:
    """PURE. The identity of a value as Attio returns it, or "" if it has none."""
    try:
        return "" if stored is None else conversion.identity(field, conversion.convert(field, stored))
    except Rejected:
        return ""
