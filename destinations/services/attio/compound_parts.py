"""Attributes of several parts, each of which may come from a column of its own: `primary_location.locality`, `name.last_name`.

Attio takes a location or a name only as a whole, so the parts share one value: those that are mapped are sent together, and
those that are not are read first and kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from destinations.contract import Field, Operation, Purpose, Verb, Wire
from destinations.services.attio.match_lookup import holders
from destinations.services.attio.values.compounds import LOCATION_KEYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from destinations.services.attio.client import Client

OF_TYPE: dict[str, tuple[str, ...]] = {"location": LOCATION_KEYS, "personal-name": ("first_name", "last_name")}
"""The parts of a type that may be mapped. A full name follows from its parts."""
_KEYS = frozenset(key for keys in OF_TYPE.values() for key in keys)


def fields(whole: Field) -> list[Field]:
    """PURE. The parts of an attribute as fields of their own; none where it has no parts, holds a list or is read-only."""
    if not whole.writable or whole.multiple:
        return []
    return [
        Field(
            name=f"{whole.name}.{key}",
            label=f"{whole.label}: {key.replace('_', ' ')}",
            type=whole.type,
            custom=whole.custom,
            config={"part": key},
        )
        for key in OF_TYPE.get(whole.type, ())
    ]


@dataclass(frozen=True)
class Shared:
    """The mapped parts of one attribute: each part's wire value, an empty list where it is cleared."""

    name: str
    mapped: Mapping[str, Wire]

    @property
    def names(self) -> list[str]:
        """The fields as they are mapped."""
        return [f"{self.name}.{key}" for key in self.mapped]

    @property
    def is_place(self) -> bool:
        return not set(self.mapped) <= set(OF_TYPE["personal-name"])

    @property
    def is_complete(self) -> bool:
        """Whether every part is mapped, so that nothing has to be read first."""
        return set(self.mapped) == set(OF_TYPE["location" if self.is_place else "personal-name"])

    def whole(self, there: Mapping[str, Any]) -> Wire:
        """The value of the attribute: what is there with the mapped parts over it; an empty list where nothing is left."""
        parts = {**there, **{key: wire or None for key, wire in self.mapped.items()}}
        keys = OF_TYPE["location" if self.is_place else "personal-name"]
        kept = {key: str(parts[key]) if parts.get(key) not in (None, "") else None for key in keys}
        if not any(kept.values()):
            return []
        return kept if self.is_place else _name(kept)


def shared(values: Mapping[str, Wire]) -> list[Shared]:
    """PURE. The attributes of which parts are mapped."""
    found: dict[str, dict[str, Wire]] = {}
    for name, wire in values.items():
        slug, dot, key = name.rpartition(".")
        if dot and key in _KEYS:
            found.setdefault(slug, {})[key] = wire
    return [Shared(slug, mapped) for slug, mapped in found.items()]


def contradictions(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """PURE. The attributes that are mapped both as a whole and by their parts."""
    for group in shared(dict.fromkeys(names)):
        if group.name in names:
            listed = ", ".join(group.names)
            yield (
                group.name,
                f"The attribute {group.name!r} is mapped as a whole, and by its parts too: {listed}. Remove the one or the other mapping.",
            )


def joined(client: Client, object_slug: str, operation: Operation) -> Operation:
    """The operation with whole attributes in place of mapped parts. Reads the record only where parts of it are to be kept.

    Raises:
        Rejected, Misconfigured, Unavailable: of the read.
    """
    groups = shared(operation.values)
    if not groups:
        return operation
    due = [
        group for group in groups if operation.verb is not Verb.UPDATE or operation.changed.intersection(group.names)
    ]
    there = {} if all(group.is_complete for group in due) else _there(client, object_slug, operation)
    values = {group.name: group.whole(_first(there, group.name)) for group in due}
    parts = {name for group in groups for name in group.names}
    return replace(
        operation,
        values={**{name: wire for name, wire in operation.values.items() if name not in parts}, **values},
        changed=operation.changed - parts | frozenset(values),
    )


def as_mapped(sent: tuple[str, ...], operation: Operation) -> tuple[str, ...]:
    """PURE. Names of sent attributes, with the mapped parts in place of whole ones."""
    names = {group.name: group.names for group in shared(operation.values)}
    return tuple(part for name in sent for part in names.get(name, [name]))


def _there(client: Client, object_slug: str, operation: Operation) -> Mapping[str, Any]:
    """The values of the record at Attio by attribute; none where there is no such record (any more)."""
    if operation.verb is Verb.CREATE:
        return {}
    seen = client.glances.take(operation.match_value, operation.remote_id)
    if seen is not None:
        return seen
    if operation.verb is Verb.UPDATE:
        answer = client.send(
            Purpose.LOOKUP, "GET", f"/objects/{object_slug}/records/{quote(operation.remote_id, safe='')}"
        )
        if answer.record_is_gone:
            return {}
        return _values(client.require(answer, Purpose.LOOKUP).body.get("data"))
    found = holders(client, object_slug, operation)
    return _values(found[0]) if found else {}


def _values(record: Any) -> Mapping[str, Any]:
    found = record.get("values") if isinstance(record, dict) else None
    return found if isinstance(found, dict) else {}


def _first(values: Mapping[str, Any], slug: str) -> Mapping[str, Any]:
    """The one value of an attribute as Attio gives it back."""
    entries = values.get(slug)
    return entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}


def _name(parts: Mapping[str, str | None]) -> dict[str, str]:
    first, last = parts["first_name"] or "", parts["last_name"] or ""
    return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
