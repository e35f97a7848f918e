"""The records of one simulated object. A write is stored completely or not at all, and unique values stay unique."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import ApiError
from destinations.services.attio.sandbox.references import ValueData

if TYPE_CHECKING:
    from destinations.services.attio.sandbox.schema import Attribute, Schema

Merge = Callable[[list[ValueData], list[ValueData]], list[ValueData]]
"""(current values, sent values) → new values."""
Actor = dict[str, str | None]
SYSTEM: Actor = {"type": "system", "id": None}
AUTOMATIC = ("record_id", "created_at", "created_by")


def replaced(_current: list[ValueData], sent: list[ValueData]) -> list[ValueData]:
    """PUT on a list: exactly what was sent."""
    return sent


def prepended(current: list[ValueData], sent: list[ValueData]) -> list[ValueData]:
    """PATCH on a list: new values go before the current ones. Nothing is moved or removed."""
    return [data for data in sent if data not in current] + current


def appended(current: list[ValueData], sent: list[ValueData]) -> list[ValueData]:
    """The matching attribute of an upsert: new values go after the current ones."""
    return current + [data for data in sent if data not in current]


@dataclass
class Value:
    """One value with its metadata."""

    data: ValueData
    active_from: str
    actor: Actor


@dataclass
class Record:
    id: str
    created_at: str
    values: dict[str, list[Value]] = field(default_factory=dict)

    def data(self, slug: str) -> list[ValueData]:
        return [value.data for value in self.values.get(slug, ())]


class Store:
    """All records of one object, with an index of unique values that keeps lookups fast for many records.

    Args:
        names_owner: whether a conflict names the record that holds the value.
        names_slug: whether a conflict names the attribute by its slug. If not, it names the ID and repeats the value.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.records: dict[str, Record] = {}
        self.owners: dict[tuple[str, str], str] = {}
        self.names_owner = True
        self.names_slug = True

    def owner(self, attribute: Attribute, data: ValueData) -> Record | None:
        """The record that holds a unique value."""
        return self.records.get(self.owners.get((attribute.slug, unique_key(data)), ""))

    def create(self, sent: Mapping[str, list[ValueData]], now: datetime, actor: Actor) -> Record:
        """Creates a record. Raises ApiError if a required value is missing or a unique value is taken."""
        for attribute in self.schema.attributes.values():
            if attribute.required and not attribute.archived and not sent.get(attribute.slug):
                raise _missing(attribute)
        timestamp = vendor_time(now)
        record = Record(str(uuid.uuid4()), timestamp)
        self._check_unique(record, sent)
        author = {"referenced_actor_type": actor["type"], "referenced_actor_id": actor["id"]}
        automatic: dict[str, list[ValueData]] = {
            "record_id": [{"value": record.id}],
            "created_at": [{"value": timestamp}],
            "created_by": [author],
        }
        self.records[record.id] = record
        self._store(record, {**automatic, **sent}, timestamp, actor)
        return record

    def update(
        self,
        record: Record,
        sent: Mapping[str, list[ValueData]],
        merge: Callable[[Attribute], Merge],
        now: datetime,
        actor: Actor,
    ) -> None:
        """Changes the sent values, and combines lists with `merge`.

        Raises:
            ApiError: a required value is missing or a unique value is taken. Nothing is stored.
        """
        new_values: dict[str, list[ValueData]] = {}
        for slug, items in sent.items():
            attribute = self.schema.attributes[slug]
            if attribute.required and not items:
                raise _missing(attribute)
            new_values[slug] = merge(attribute)(record.data(slug), items) if attribute.multiselect else items
        self._check_unique(record, new_values)
        self._store(record, new_values, vendor_time(now), actor)

    def remove(self, record: Record) -> None:
        """Deletes a record permanently and frees its unique values."""
        for key in self._keys(record):
            self.owners.pop(key, None)
        del self.records[record.id]

    def described(self, record: Record, workspace_slug: str) -> dict[str, Any]:
        """A record as every endpoint returns it: all attributes that are not archived, and [] for empty ones."""
        schema = self.schema
        return {
            "id": {"workspace_id": schema.workspace_id, "object_id": schema.id, "record_id": record.id},
            "created_at": record.created_at,
            "web_url": f"https://app.attio.com/{workspace_slug}/{schema.singular.lower()}/{record.id}",
            "values": {
                slug: [_described(attribute, value) for value in record.values.get(slug, ())]
                for slug, attribute in schema.attributes.items()
                if not attribute.archived
            },
        }

    def readable(self, record: Record) -> dict[str, Any]:
        """A record as ID, creation time and plain values, without empty and automatic attributes."""
        return {"id": record.id, "created_at": record.created_at, "values": self.plain_values(record)}

    def plain_values(self, record: Record) -> dict[str, Any]:
        """The plain values of a record by attribute, without empty and automatic ones."""
        plain_values: dict[str, Any] = {}
        for slug, values in record.values.items():
            if values and slug not in AUTOMATIC:
                items = [plain(value.data) for value in values]
                plain_values[slug] = items if self.schema.attributes[slug].multiselect else items[0]
        return plain_values

    def _store(self, record: Record, new_values: Mapping[str, list[ValueData]], timestamp: str, actor: Actor) -> None:
        """Stores the values. As in Attio, a value that did not change keeps its time and author."""
        before = set(self._keys(record))
        for slug, items in new_values.items():
            current = record.values.get(slug, [])
            record.values[slug] = [_find_equal(current, data) or Value(data, timestamp, actor) for data in items]
        after = set(self._keys(record))
        for key in before - after:
            self.owners.pop(key, None)
        for key in after - before:
            self.owners[key] = record.id

    def _keys(self, record: Record) -> Iterator[tuple[str, str]]:
        for slug, values in record.values.items():
            if self.schema.attributes[slug].unique:
                yield from ((slug, unique_key(value.data)) for value in values)

    def _check_unique(self, record: Record, new_values: Mapping[str, list[ValueData]]) -> None:
        for slug, items in new_values.items():
            if not self.schema.attributes[slug].unique:
                continue
            taken = [data for data in items if self.owners.get((slug, unique_key(data)), record.id) != record.id]
            if taken:
                raise self._conflict(slug, taken)

    def _conflict(self, slug: str, taken: list[ValueData]) -> ApiError:
        owners = {self.owners[slug, unique_key(data)] for data in taken}
        if self.names_slug:
            message = (
                f'A value provided for attribute with slug "{slug}" conflicts with one already in the system. '
                "This attribute has a uniqueness constraint. Please ensure all values for this attribute do not exist "
                "on another record."
            )
        else:
            value = json.dumps(json.dumps({key: taken[0][key] for key in list(taken[0])[:1]}, separators=(",", ":")))
            message = (
                f'The value {value} provided for attribute with ID "{self.schema.attributes[slug].id}" conflicts with '
                "one already in the system. This attribute has a uniqueness constraint."
            )
        if self.names_owner:
            message += f" Conflicting record IDs: {', '.join(sorted(owners))}"
        return ApiError("uniqueness_conflict", message)


def vendor_time(time: datetime) -> str:
    """A time as Attio formats it: with nine decimal places, of which only three are used."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}000000Z"


def unique_key(data: ValueData) -> str:
    """The text by which unique values are compared: domains and email addresses without case, other values exactly."""
    for name in ("domain", "email_address", "phone_number"):
        if name in data:
            return str(data[name]).lower()
    value = data.get("value", data.get("currency_value"))
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def plain(data: ValueData) -> Any:
    """A value without its JSON structure, for tests and the sandbox page."""
    for name in (
        "value",
        "domain",
        "email_address",
        "phone_number",
        "currency_value",
        "target_record_id",
        "referenced_actor_id",
    ):
        if name in data:
            return data[name]
    choice = data.get("option") or data.get("status")
    return choice["title"] if choice else data


def _find_equal(current: list[Value], data: ValueData) -> Value | None:
    return next((value for value in current if value.data == data), None)


def _missing(attribute: Attribute) -> ApiError:
    return ApiError("missing_value", f'Required value for attribute with ID "{attribute.id}" was not provided.')


def _described(attribute: Attribute, value: Value) -> dict[str, Any]:
    return {
        "active_from": value.active_from,
        "active_until": None,
        "created_by_actor": value.actor,
        **value.data,
        "attribute_type": attribute.type,
    }
