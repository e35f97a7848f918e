"""Which records at Attio hold a match value now, and which match values a record holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import Field, Operation, Purpose
from destinations.services.attio.values import conversion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.services.attio.client import Client

_READ_KEYS = ("domain", "email_address", "phone_number", "original_phone_number", "currency_value", "value")


def holders(client: Client, object_slug: str, operation: Operation) -> list[dict[str, Any]]:
    """The records that hold one of the operation's match values, as Attio describes them.

    Raises:
        Rejected, Misconfigured, Unavailable: see `Client.call`.
    """
    wanted = operation.match_value if isinstance(operation.match_value, list) else [operation.match_value]
    body = {"filter": {"$or": [{operation.match_field: wire} for wire in wanted]}, "limit": len(wanted)}
    found = client.call(Purpose.LOOKUP, "POST", f"/objects/{object_slug}/records/query", body=body).body.get("data")
    return [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []


def held(record: Mapping[str, Any], match_field: str) -> tuple[str, ...]:
    """PURE. The identities of a record's match values as Attio describes it."""
    there = record.get("values")
    given = there.get(match_field) if isinstance(there, dict) else None
    entries = [value for value in given if isinstance(value, dict)] if isinstance(given, list) else []
    found = (
        identity_of(Field(match_field, match_field, str(value.get("attribute_type"))), kept_as(value))
        for value in entries
    )
    return tuple(dict.fromkeys(identity for identity in found if identity))


def kept_as(value: Mapping[str, Any]) -> Any:
    """PURE. What Attio holds, of a value with its bookkeeping."""
    return next((value[key] for key in _READ_KEYS if value.get(key) is not None), None)


def identity_of(field: Field, kept: Any) -> str:
    """PURE. The identity of a value as Attio gives it back, or "" where it has none."""
    try:
        return "" if kept is None else conversion.identity(field, conversion.convert(field, kept))
    except Rejected:
        return ""
