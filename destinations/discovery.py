"""The fields of a destination as last discovered, stored per connection. Each run and each Refresh updates them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.crypto import salted_hmac

from destinations import vendor
from destinations.contract import Field, Option, type_words
from destinations.models import Connection, Destination, Discovery

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime


class Kind(StrEnum):
    """How a field changed between two discoveries."""

    NEW = "new"
    GONE = "gone"
    READ_ONLY = "read_only"
    WRITABLE = "writable"
    TYPE = "type"
    REQUIRED = "required"
    OPTIONS = "options"


@dataclass(frozen=True)
class Difference:
    """One field that changed since the previous discovery.

    Args:
        message: a sentence for the user.
        before: the previous type, if the type changed.
    """

    kind: Kind
    name: str
    message: str
    before: str = ""


@dataclass(frozen=True)
class DiscoveredFields:
    """The result of a discovery: the fields, the time of the vendor's response, and what changed since the last one."""

    fields: list[Field]
    found_at: datetime
    differences: Sequence[Difference] = ()


def fields(destination: Destination, now: datetime, *, store: bool = True) -> DiscoveredFields:
    """The fields as last discovered. Requests them only if none are stored or the connection's settings have changed.

    Args:
        store: keep what was requested.

    Raises:
        Misconfigured, Unavailable
    """
    last = cached(destination)
    if last or store:
        return last or refresh(destination, now)
    return DiscoveredFields(vendor.fields(destination, now), now)


def cached(destination: Destination) -> DiscoveredFields | None:
    """The fields as last discovered with the connection's current settings, or None. Sends no request."""
    stored = _stored(destination)
    if stored is None or stored.settings_mark != _fingerprint(destination.connection):
        return None
    return DiscoveredFields([_field(entry) for entry in stored.fields], stored.found_at)


def cached_labels(destinations: Collection[Destination]) -> dict[int, dict[str, str]]:
    """The labels of attributes by their names, as `cached` knows them, by the ID of the destination. Runs one query."""
    connections = {destination.connection_id for destination in destinations}
    stored = {(row.connection_id, row.service): row for row in Discovery.objects.filter(connection__in=connections)}
    found = {}
    for destination in destinations:
        row = stored.get((destination.connection_id, destination.service))
        if row and row.settings_mark == _fingerprint(destination.connection):
            found[destination.pk] = {entry["name"]: entry.get("label") or entry["name"] for entry in row.fields}
    return found


def refresh(destination: Destination, now: datetime) -> DiscoveredFields:
    """Requests the fields from the vendor, stores them, and returns them with what changed.

    Raises:
        Misconfigured, Unavailable
    """
    current = vendor.fields(destination, now)
    return DiscoveredFields(current, now, keep(destination, current, now))


def keep(destination: Destination, current: Sequence[Field], now: datetime) -> list[Difference]:
    """Stores the fields that the vendor just returned, and returns how they differ from those stored before."""
    stored = _stored(destination)
    before = [_field(entry) for entry in stored.fields] if stored else current
    Discovery.objects.update_or_create(
        connection=destination.connection,
        service=destination.service,
        defaults={
            "fields": [dataclasses.asdict(field) for field in current],
            "found_at": now,
            "settings_mark": _fingerprint(destination.connection),
        },
    )
    return list(differences(before, current))


def type_label(field: Field) -> str:
    """PURE. A field's type for the user, including whether it holds a list."""
    return f"{field.type}, list" if field.multiple else field.type


def differences(before: Iterable[Field], now: Iterable[Field]) -> Iterator[Difference]:
    """PURE. How the fields changed, in the order of `before`, followed by new fields."""
    old_fields, new_fields = ({field.name: field for field in fields} for fields in (before, now))
    for name, old in old_fields.items():
        if name in new_fields:
            yield from _changes(old, new_fields[name])
        else:
            yield Difference(Kind.GONE, name, f"“{name}” is gone. It was archived or deleted.")
    for name, new in new_fields.items():
        if name not in old_fields:
            yield Difference(Kind.NEW, name, f"“{name}” is new. Its type is {type_words(type_label(new))}.")


def sentences(differences: Sequence[Difference]) -> list[str]:
    """PURE. The differences as sentences. All fields that are gone share one sentence, and so do all new ones."""
    listed = (Kind.GONE, Kind.NEW)
    gone, new = ([f"“{change.name}”" for change in differences if change.kind is kind] for kind in listed)
    messages = [change.message for change in differences if change.kind not in (Kind.GONE, Kind.NEW)]
    if gone:
        messages.insert(0, f"Archived or deleted: {', '.join(gone)}.")
    return [*messages, f"New: {', '.join(new)}."] if new else messages


def _changes(old: Field, new: Field) -> Iterator[Difference]:
    name = f"“{new.name}”"
    old_type, new_type = type_label(old), type_label(new)
    if old_type != new_type:
        yield Difference(
            Kind.TYPE,
            new.name,
            f"{name} changed from {type_words(old_type)} to {type_words(new_type)}.",
            before=old_type,
        )
    if old.writable and not new.writable:
        yield Difference(Kind.READ_ONLY, new.name, f"{name} is now read-only. {new.read_only_reason}".strip())
    if new.writable and not old.writable:
        yield Difference(Kind.WRITABLE, new.name, f"{name} can now be written.")
    if new.required and not old.required:
        yield Difference(Kind.REQUIRED, new.name, f"{name} is now required.")
    added, removed = _titles_only_in(new.options, old.options), _titles_only_in(old.options, new.options)
    if added or removed:
        parts = [f"{verb} {', '.join(titles)}" for verb, titles in (("added", added), ("removed", removed)) if titles]
        yield Difference(Kind.OPTIONS, new.name, f"The options of {name} changed: {'; '.join(parts)}.")


def _titles_only_in(options: Iterable[Option], others: Iterable[Option]) -> list[str]:
    titles = {option.title for option in others}
    return [option.title for option in options if option.title not in titles]


def _stored(destination: Destination) -> Discovery | None:
    return Discovery.objects.filter(connection=destination.connection_id, service=destination.service).first()


def _fingerprint(connection: Connection) -> str:
    """A keyed hash of the settings. It shows whether they changed, without revealing them."""
    return salted_hmac(
        "discovery", json.dumps(connection.settings, sort_keys=True, default=str), algorithm="sha256"
    ).hexdigest()


_ATTRIBUTES = {attribute.name for attribute in dataclasses.fields(Field)}


def _field(entry: Mapping[str, Any]) -> Field:
    known = {name: value for name, value in entry.items() if name in _ATTRIBUTES}
    return Field(**{**known, "options": tuple(Option(**option) for option in entry["options"])})
