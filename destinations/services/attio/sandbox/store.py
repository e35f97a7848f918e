"""The records of one simulated object: what a write does to them, all or nothing, and who owns which unique value."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import Refusal
from destinations.services.attio.sandbox.validation import Kept

if TYPE_CHECKING:
    from destinations.services.attio.sandbox.schema import Attribute, Schema

Merge = Callable[[list[Kept], list[Kept]], list[Kept]]
"""Values there and values sent → values as they will be."""
Actor = dict[str, str | None]
SYSTEM: Actor = {"type": "system", "id": None}
AUTOMATIC = ("record_id", "created_at", "created_by")


def replaced(_there: list[Kept], sent: list[Kept]) -> list[Kept]:
    """PUT: exactly what was sent."""
    return sent


def prepended(there: list[Kept], sent: list[Kept]) -> list[Kept]:
    """PATCH: what is new goes before what is there; nothing is moved or removed."""
    return [kept for kept in sent if kept not in there] + there


def appended(there: list[Kept], sent: list[Kept]) -> list[Kept]:
    """The matching attribute of an upsert: what is new goes behind what is there."""
    return there + [kept for kept in sent if kept not in there]


@dataclass
class Value:
    """One value with its bookkeeping."""

    kept: Kept
    active_from: str
    actor: Actor


@dataclass
class Record:
    id: str
    created_at: str
    values: dict[str, list[Value]] = field(default_factory=dict)

    def kept(self, slug: str) -> list[Kept]:
        return [value.kept for value in self.values.get(slug, ())]


class Store:
    """All records of one object, with an index of unique values, so that many records stay fast.

    Args:
        names_owner: whether a conflict names the record that owns the value.
        names_slug: whether a conflict names the attribute by its slug; where not, by its id and with the value.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.records: dict[str, Record] = {}
        self.owners: dict[tuple[str, str], str] = {}
        self.names_owner = True
        self.names_slug = True

    def owner(self, attribute: Attribute, kept: Kept) -> Record | None:
        """The record that holds a unique value."""
        return self.records.get(self.owners.get((attribute.slug, unique_key(kept)), ""))

    def create(self, sent: Mapping[str, list[Kept]], now: datetime, actor: Actor) -> Record:
        """A new record. Raises Refusal for a missing or a taken value."""
        for attribute in self.schema.attributes.values():
            if attribute.required and not attribute.archived and not sent.get(attribute.slug):
                raise _missing(attribute)
        moment = instant(now)
        record = Record(str(uuid.uuid4()), moment)
        self._refuse_taken(record, sent)
        author = {"referenced_actor_type": actor["type"], "referenced_actor_id": actor["id"]}
        automatic: dict[str, list[Kept]] = {
            "record_id": [{"value": record.id}],
            "created_at": [{"value": moment}],
            "created_by": [author],
        }
        self.records[record.id] = record
        self._store(record, {**automatic, **sent}, moment, actor)
        return record

    def update(
        self,
        record: Record,
        sent: Mapping[str, list[Kept]],
        merge: Callable[[Attribute], Merge],
        now: datetime,
        actor: Actor,
    ) -> None:
        """Changes what was sent, each list as `merge` says. Raises Refusal for a missing or a taken value; nothing is stored then."""
        wanted: dict[str, list[Kept]] = {}
        for slug, items in sent.items():
            attribute = self.schema.attributes[slug]
            if attribute.required and not items:
                raise _missing(attribute)
            wanted[slug] = merge(attribute)(record.kept(slug), items) if attribute.multiselect else items
        self._refuse_taken(record, wanted)
        self._store(record, wanted, instant(now), actor)

    def remove(self, record: Record) -> None:
        """Deletes for ever; its unique values are free again."""
        for key in self._keys(record):
            self.owners.pop(key, None)
        del self.records[record.id]

    def described(self, record: Record, workspace_slug: str) -> dict[str, Any]:
        """A record as every endpoint gives it: each attribute that is not archived, empty ones as []."""
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
        """A record as id, time of creation and plain values; empty and automatic attributes are left out."""
        found: dict[str, Any] = {}
        for slug, values in record.values.items():
            if values and slug not in AUTOMATIC:
                held = [plain(value.kept) for value in values]
                found[slug] = held if self.schema.attributes[slug].multiselect else held[0]
        return {"id": record.id, "created_at": record.created_at, "values": found}

    def _store(self, record: Record, wanted: Mapping[str, list[Kept]], moment: str, actor: Actor) -> None:
        before = set(self._keys(record))
        for slug, items in wanted.items():
            there = record.values.get(slug, [])
            record.values[slug] = [_same(there, kept) or Value(kept, moment, actor) for kept in items]
        after = set(self._keys(record))
        for key in before - after:
            self.owners.pop(key, None)
        for key in after - before:
            self.owners[key] = record.id

    def _keys(self, record: Record) -> Iterator[tuple[str, str]]:
        for slug, values in record.values.items():
            if self.schema.attributes[slug].unique:
                yield from ((slug, unique_key(value.kept)) for value in values)

    def _refuse_taken(self, record: Record, wanted: Mapping[str, list[Kept]]) -> None:
        for slug, items in wanted.items():
            if not self.schema.attributes[slug].unique:
                continue
            taken = [kept for kept in items if self.owners.get((slug, unique_key(kept)), record.id) != record.id]
            if taken:
                raise self._taken(slug, taken)

    def _taken(self, slug: str, taken: list[Kept]) -> Refusal:
        owners = {self.owners[slug, unique_key(kept)] for kept in taken}
        if self.names_slug:
            message = (
                f'A value provided for attribute with slug "{slug}" conflicts with one already in the system. This attribute has a '
                "uniqueness constraint. Please ensure all values for this attribute do not exist on another record."
            )
        else:
            value = json.dumps(json.dumps({key: taken[0][key] for key in list(taken[0])[:1]}, separators=(",", ":")))
            message = (
                f'The value {value} provided for attribute with ID "{self.schema.attributes[slug].id}" conflicts with one already in '
                "the system. This attribute has a uniqueness constraint."
            )
        if self.names_owner:
            message += f" Conflicting record IDs: {', '.join(sorted(owners))}"
        return Refusal("uniqueness_conflict", message)


def instant(moment: datetime) -> str:
    """Nine digits, of which three say something."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}000000Z"


def unique_key(kept: Kept) -> str:
    """What two values are compared by: addresses without case, text exactly."""
    for name in ("domain", "email_address", "phone_number"):
        if name in kept:
            return str(kept[name]).lower()
    value = kept.get("value", kept.get("currency_value"))
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def plain(kept: Kept) -> Any:
    """A value as a person would write it down."""
    for name in (
        "value",
        "domain",
        "email_address",
        "phone_number",
        "currency_value",
        "target_record_id",
        "referenced_actor_id",
    ):
        if name in kept:
            return kept[name]
    choice = kept.get("option") or kept.get("status")
    return choice["title"] if choice else kept


def _same(there: list[Value], kept: Kept) -> Value | None:
    return next((value for value in there if value.kept == kept), None)


def _missing(attribute: Attribute) -> Refusal:
    return Refusal("missing_value", f'Required value for attribute with ID "{attribute.id}" was not provided.')


def _described(attribute: Attribute, value: Value) -> dict[str, Any]:
    return {
        "active_from": value.active_from,
        "active_until": None,
        "created_by_actor": value.actor,
        **value.kept,
        "attribute_type": attribute.type,
    }
