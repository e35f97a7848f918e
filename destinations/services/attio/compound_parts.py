"""Parts of an attribute that are mapped separately, such as `primary_location.locality` or `name.last_name`.

Attio takes a location or a name only as a whole, so the parts share one value: the mapped parts are sent together, and
the others are read first and kept. If only `locality` is mapped, the country that Attio already has stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from destinations.contract import Field, Operation, Purpose, Verb, Wire
from destinations.services.attio.match_lookup import records_with_match
from destinations.services.attio.values.compounds import LOCATION_KEYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from destinations.services.attio.client import Client

PARTS_OF_TYPE: dict[str, tuple[str, ...]] = {"location": LOCATION_KEYS, "personal-name": ("first_name", "last_name")}
"""The parts of each type that can be mapped. The full name is derived from the other two."""
MEANINGS = {
    "line_1": "street",
    "locality": "city",
    "region": "region",
    "postcode": "postcode",
    "country_code": "country",
    "latitude": "latitude",
    "longitude": "longitude",
    "first_name": "first name",
    "last_name": "last name",
}
"""What columns are called that fill a part, see `Field.meaning`."""
_PARTS = frozenset(part for parts in PARTS_OF_TYPE.values() for part in parts)


def fields(whole: Field) -> list[Field]:
    """PURE. The parts of an attribute as fields. Empty if the type has no parts, or if it is a list or read-only."""
    if not whole.writable or whole.multiple:
        return []
    return [
        Field(
            name=f"{whole.name}.{part}",
            label=f"{whole.label}: {part.replace('_', ' ')}",
            type=whole.type,
            custom=whole.custom,
            part_of=whole.name,
            meaning=MEANINGS.get(part, ""),
            config={"part": part},
        )
        for part in PARTS_OF_TYPE.get(whole.type, ())
    ]


@dataclass(frozen=True)
class MappedParts:
    """The mapped parts of one attribute with their wire values; an empty list clears the part."""

    name: str
    mapped: Mapping[str, Wire]

    @property
    def names(self) -> list[str]:
        """The field names of the mapped parts."""
        return [f"{self.name}.{part}" for part in self.mapped]

    @property
    def is_location(self) -> bool:
        return not set(self.mapped) <= set(PARTS_OF_TYPE["personal-name"])

    @property
    def is_complete(self) -> bool:
        """Whether every part is mapped, so that nothing has to be read first."""
        return set(self.mapped) == set(self._parts)

    def merge(self, current: Mapping[str, Any]) -> Wire:
        """The whole value: the current one, overridden by the mapped parts. An empty list if no part is left."""
        merged = {**current, **{part: wire or None for part, wire in self.mapped.items()}}
        texts = {part: str(merged[part]) if merged.get(part) not in (None, "") else None for part in self._parts}
        if not any(texts.values()):
            return []
        return texts if self.is_location else _personal_name(texts)

    @property
    def _parts(self) -> tuple[str, ...]:
        return PARTS_OF_TYPE["location" if self.is_location else "personal-name"]


def group_parts(values: Mapping[str, Wire]) -> list[MappedParts]:
    """PURE. The mapped parts among these values, grouped by attribute."""
    grouped: dict[str, dict[str, Wire]] = {}
    for name, wire in values.items():
        slug, dot, part = name.rpartition(".")
        if dot and part in _PARTS:
            grouped.setdefault(slug, {})[part] = wire
    return [MappedParts(slug, mapped) for slug, mapped in grouped.items()]


def contradictions(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """PURE. The attributes that are mapped both as a whole and by their parts, each with a message for the user."""
    for group in group_parts(dict.fromkeys(names)):
        if group.name in names:
            parts = ", ".join(group.names)
            yield (
                group.name,
                f"The attribute “{group.name}” is mapped both as a whole and by its parts: {parts}. "
                "Remove the mapping of the whole attribute, or those of its parts.",
            )


def with_whole_attributes(client: Client, object_slug: str, operation: Operation) -> Operation:
    """The operation with whole attributes in place of mapped parts. Reads the record only if other parts must be kept.

    Raises:
        Rejected, Misconfigured, Unavailable: the record could not be read.
    """
    groups = group_parts(operation.values)
    if not groups:
        return operation
    to_send = [
        group for group in groups if operation.verb is not Verb.UPDATE or operation.changed.intersection(group.names)
    ]
    complete = all(group.is_complete for group in to_send)
    current = {} if complete else _current_values(client, object_slug, operation)
    whole = {group.name: group.merge(_first(current, group.name)) for group in to_send}
    parts = {name for group in groups for name in group.names}
    return replace(
        operation,
        values={**{name: wire for name, wire in operation.values.items() if name not in parts}, **whole},
        changed=operation.changed - parts | frozenset(whole),
    )


def with_mapped_parts(sent: tuple[str, ...], operation: Operation) -> tuple[str, ...]:
    """PURE. The names of sent attributes, with mapped parts in place of whole attributes."""
    names = {group.name: group.names for group in group_parts(operation.values)}
    return tuple(part for name in sent for part in names.get(name, [name]))


def _current_values(client: Client, object_slug: str, operation: Operation) -> Mapping[str, Any]:
    """The record's values at Attio by attribute; empty if the record does not exist or no longer exists."""
    if operation.verb is Verb.CREATE:
        return {}
    cached = client.lookup_cache.take(operation.match_value, operation.remote_id)
    if cached is not None:
        return cached
    if operation.verb is Verb.UPDATE:
        answer = client.send(
            Purpose.LOOKUP, "GET", f"/objects/{object_slug}/records/{quote(operation.remote_id, safe='')}"
        )
        if answer.record_is_gone:
            return {}
        return _values(client.require(answer).body.get("data"))
    records = records_with_match(client, object_slug, operation)
    return _values(records[0]) if records else {}


def _values(record: Any) -> Mapping[str, Any]:
    values = record.get("values") if isinstance(record, dict) else None
    return values if isinstance(values, dict) else {}


def _first(values: Mapping[str, Any], slug: str) -> Mapping[str, Any]:
    """The single value of an attribute as Attio returns it, or an empty mapping."""
    entries = values.get(slug)
    return entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}


def _personal_name(parts: Mapping[str, str | None]) -> dict[str, str]:
    first, last = parts["first_name"] or "", parts["last_name"] or ""
    return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
