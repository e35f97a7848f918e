"""PURE. Whether a record in Attio already holds what would be sent.

Attio stores values in its own form: domains in lowercase, phone numbers in E.164, times with nine decimal places,
options with their ID. What a lookup returns is converted like a value of the source, so both are in one form.
If a value can't be compared, such as an address in one line that Attio splits itself, it counts as different.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.services.attio.values import conversion
from destinations.services.attio.values.compounds import LOCATION_KEYS, NAME_KEYS, record_uuid

if TYPE_CHECKING:
    from destinations.contract import Field, Wire

Entry = Mapping[str, Any]
"""One value as Attio returns it, with its metadata."""


def same(field: Field, wire: Wire, values: Mapping[str, Any], *, adds: bool = False) -> bool:
    """Whether the values of a record contain what would be sent.

    Args:
        wire: as `conversion.convert` returns it; an empty list clears the attribute.
        values: of the record by attribute, as Attio returns them.
        adds: the values are added to a list, so further ones don't matter.
    """
    slug, _, part = field.name.partition(".")
    entries = [entry for entry in values.get(slug) or () if isinstance(entry, dict)]
    if part:
        return _text(entries[0].get(part) if entries else None) == _text(wire)
    wanted = {_comparable(field, item) for item in (wire if isinstance(wire, list) else [wire])}
    stored = {_stored(field, entry) for entry in entries}
    if None in wanted or None in stored:
        return False
    return wanted <= stored if adds else wanted == stored


def is_empty(field: Field, values: Mapping[str, Any]) -> bool:
    """Whether a record holds nothing for the field. A part of a location or a name is empty without the others.

    Args:
        values: of the record by attribute, as Attio returns them.
    """
    slug, _, part = field.name.partition(".")
    entries = [entry for entry in values.get(slug) or () if isinstance(entry, dict)]
    if part:
        return not entries or not _text(entries[0].get(part))
    keys = _KEYS_OF_PARTS.get(field.type)
    return all(
        not any(_text(entry.get(key)) for key in keys) if keys else entry.get("value", ...) in (None, "")
        for entry in entries
    )


def _stored(field: Field, entry: Entry) -> str | None:
    """A stored value in the form in which wire values are compared; None if it can't be compared."""
    read = _READERS.get(field.type)
    if read is not None:
        return read(entry)
    value = next((entry[key] for key in _KEYS if entry.get(key) is not None), None)
    if value is None:
        return None
    try:
        wire = conversion.convert(field, value)
    except Rejected:
        return None
    return _comparable(field, wire[0] if isinstance(wire, list) else wire)


def _comparable(field: Field, wire: Wire) -> str | None:
    """A wire value as text that is equal for equal values; None if it can't be compared."""
    if field.type in ("select", "status"):
        return next((option.id for option in field.options if wire in (option.title, option.id)), None)
    compare = _COMPARABLE.get(field.type)
    if compare is not None:
        return compare(wire)
    return json.dumps(wire.lower() if isinstance(wire, str) and field.type in _CASELESS else wire)


def _moment(wire: Wire) -> str | None:
    """A timestamp to the millisecond, which is what Attio keeps of it."""
    try:
        return datetime.fromisoformat(str(wire)).isoformat(timespec="milliseconds")
    except ValueError:
        return None


def _parts(wire: Wire, keys: tuple[str, ...]) -> str | None:
    return json.dumps([_text(wire.get(key)) for key in keys]) if isinstance(wire, Mapping) else None


def _reference(wire: Wire) -> str | None:
    """The ID that a reference names. One by email address or domain names it only to Attio."""
    if not isinstance(wire, Mapping):
        return record_uuid(str(wire))
    record_id = wire.get("target_record_id") or wire.get("referenced_actor_id")
    return str(record_id) if record_id else None


def _choice(entry: Entry) -> str | None:
    choice = entry.get("option") or entry.get("status")
    ids = choice.get("id") if isinstance(choice, dict) else None
    found = (ids.get("option_id") or ids.get("status_id")) if isinstance(ids, dict) else None
    return str(found) if found else None


def _text(part: Any) -> str:
    return "" if part in (None, []) else str(part).strip()


_KEYS = ("value", "currency_value", "domain", "email_address", "phone_number", "original_phone_number")
_KEYS_OF_PARTS = {"location": LOCATION_KEYS, "personal-name": NAME_KEYS}
_CASELESS = ("domain", "email-address")
_COMPARABLE: dict[str, Callable[[Wire], str | None]] = {
    "text": lambda wire: str(wire).strip(),
    "timestamp": _moment,
    "location": lambda wire: _parts(wire, LOCATION_KEYS),
    "personal-name": lambda wire: _parts(wire, NAME_KEYS),
    "record-reference": _reference,
    "actor-reference": _reference,
}
_READERS: dict[str, Callable[[Entry], str | None]] = {
    "select": _choice,
    "status": _choice,
    "location": lambda entry: _parts(entry, LOCATION_KEYS),
    "personal-name": lambda entry: _parts(entry, NAME_KEYS),
    "record-reference": _reference,
    "actor-reference": _reference,
}
