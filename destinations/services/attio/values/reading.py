"""PURE. What a record in Attio holds for a field: the value as people read it, and who set it.

Every value has `created_by_actor` and `active_from`: docs.attio.com /docs/actors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from destinations.contract import Author, Writer
from destinations.services.attio.values.compounds import LOCATION_KEYS

if TYPE_CHECKING:
    from destinations.contract import Field

Entry = Mapping[str, Any]
"""One value as Attio returns it, with its metadata."""
_WRITERS = {
    "workspace-member": Writer.PERSON,
    "api-token": Writer.INTEGRATION,
    "app": Writer.INTEGRATION,
    "system": Writer.VENDOR,
}


def shown(field: Field, values: Mapping[str, Any]) -> Any:
    """The value as people read it, a list for a list attribute; None if there is none."""
    _, _, part = field.name.partition(".")
    entries = entries_of(field, values)
    if part:
        return (entries[0].get(part) or None) if entries else None
    read = _READERS.get(field.type, _plain)
    texts = [text for entry in entries if (text := read(entry)) not in (None, "")]
    if not texts:
        return None
    return texts if field.multiple else texts[0]


def author(field: Field, values: Mapping[str, Any]) -> Author | None:
    """Who set the newest value; None if there is none. Nobody is recorded for values that were removed."""
    newest = max(entries_of(field, values), key=lambda entry: str(entry.get("active_from") or ""), default=None)
    actor = newest.get("created_by_actor") if newest else None
    if newest is None or not isinstance(actor, dict):
        return None
    writer = _WRITERS.get(str(actor.get("type")), Writer.UNKNOWN)
    return Author(writer, str(actor.get("id") or ""), parse_time(newest.get("active_from")))


def entries_of(field: Field, values: Mapping[str, Any]) -> list[Entry]:
    """The values of a field, or of the attribute that it is a part of."""
    slug, _, _ = field.name.partition(".")
    listed = values.get(slug)
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def parse_time(text: Any) -> datetime | None:
    """A time as Attio returns it; None if it is none."""
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _plain(entry: Entry) -> Any:
    return next((entry[key] for key in _KEYS if entry.get(key) is not None), None)


def _choice(entry: Entry) -> Any:
    choice = entry.get("option") or entry.get("status")
    return choice.get("title") if isinstance(choice, dict) else None


def _location(entry: Entry) -> str:
    return ", ".join(str(entry[key]) for key in LOCATION_KEYS if entry.get(key))


def _moment(entry: Entry) -> Any:
    """Attio writes nine decimal places, of which people read none that are zero."""
    moment = parse_time(entry.get("value"))
    return moment.isoformat().replace("+00:00", "Z") if moment else entry.get("value")


_KEYS = (
    "value", "currency_value", "domain", "email_address", "phone_number", "original_phone_number", "full_name",
    "target_record_id", "referenced_actor_id",
)  # fmt: skip
_READERS: dict[str, Callable[[Entry], Any]] = {
    "select": _choice,
    "status": _choice,
    "location": _location,
    "timestamp": _moment,
}
