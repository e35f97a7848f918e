"""A simulated workspace: its objects, the references between records, and what Attio does automatically."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import ApiError, not_found, wrong_type
from destinations.services.attio.sandbox.schema import Attribute, Schema, fixed_id
from destinations.services.attio.sandbox.store import (
    AUTOMATIC,
    SYSTEM,
    Actor,
    Merge,
    Record,
    Store,
    replaced,
    unique_key,
)
from destinations.services.attio.sandbox.validation import parse

if TYPE_CHECKING:
    from destinations.services.attio.sandbox.references import ValueData

ISSUED_AT = 1778892789
OBJECTS = ("companies", "people")
ENRICHMENT_DELAY = timedelta(milliseconds=250)
ENRICHED = {"description": "Filled in by Attio.", "categories": ["Internet"]}


class Workspace:
    """Everything that one token gives access to."""

    def __init__(self, token: str) -> None:
        self.id = fixed_id("workspace", token)
        self.slug, self.name = "sandbox", "Sandbox"
        self.token_id = fixed_id(self.id, "token")
        self.actor: Actor = {"type": "api-token", "id": self.token_id}
        self.stores = {name: Store(Schema(self.id, name)) for name in OBJECTS}
        self.members = {"admin@sandbox.com": fixed_id(self.id, "member")}
        self.strips_www = False
        self.unclearable: set[str] = set()
        self.malformed_ids = 400
        self.enrichments: list[tuple[datetime, Store, Record]] = []

    def token_info(self, scopes: list[str]) -> dict[str, Any]:
        """The JSON that `/v2/self` returns."""
        client = fixed_id(self.id, "client")
        return {
            "active": True,
            "scope": " ".join(scopes),
            "client_id": client,
            "token_type": "Bearer",
            "exp": None,
            "iat": ISSUED_AT,
            "sub": self.id,
            "aud": client,
            "iss": "attio.com",
            "authorized_by_workspace_member_id": next(iter(self.members.values())),
            "workspace_id": self.id,
            "workspace_name": self.name,
            "workspace_slug": self.slug,
            "workspace_logo_url": None,
        }

    def store(self, name: str) -> Store:
        """The records of an object, by its slug or ID. Raises the vendor's 404."""
        if (store := self._find_store(name)) is None:
            raise not_found(f'Object with slug/ID "{name}" not found.')
        return store

    def parse_values(
        self, store: Store, values: Mapping[str, Any], *, by_system: bool = False
    ) -> dict[str, list[ValueData]]:
        """The values of a request in the form in which they are stored. Raises ApiError."""
        parsed: dict[str, list[ValueData]] = {}
        for name, raw in values.items():
            attribute = store.schema.find(name)
            if attribute is None or attribute.archived:
                raise ApiError("value_not_found", f'Cannot find attribute with slug/ID "{name}".')
            if not attribute.writable and not by_system:
                raise ApiError(
                    "system_edit_unauthorized", f'The attribute with slug "{attribute.slug}" cannot be edited.'
                )
            parsed[attribute.slug] = parse(self, attribute, raw)
            if not parsed[attribute.slug] and attribute.type in self.unclearable:
                raise wrong_type(attribute.slug, attribute.type, None)
        return parsed

    def create(
        self, store: Store, sent: Mapping[str, list[ValueData]], now: datetime, *, enrich: bool = False
    ) -> Record:
        """Creates a record, and updates the other side of its relationships."""
        record = store.create(sent, now, self.actor)
        self._mirror(store, record, {}, now)
        if enrich and store.schema.slug == "companies":
            self.enrichments.append((now + ENRICHMENT_DELAY, store, record))
        return record

    def update(
        self,
        store: Store,
        record: Record,
        sent: Mapping[str, list[ValueData]],
        merge: Mapping[str, Merge] | Merge,
        now: datetime,
        actor: Actor | None = None,
    ) -> None:
        """Changes a record, and updates the other side of its relationships.

        Args:
            merge: how to combine lists, for all attributes or by slug; lists of other attributes are replaced.
            actor: who changes it; by default the token.
        """
        before = {slug: record.data(slug) for slug in sent}
        merges = merge if isinstance(merge, Mapping) else dict.fromkeys(sent, merge)
        store.update(record, sent, lambda attribute: merges.get(attribute.slug, replaced), now, actor or self.actor)
        self._mirror(store, record, before, now)

    def create_company_of(self, person: Record, emails: list[ValueData], now: datetime) -> None:
        """Links a person to the company of their first email domain, and creates the company if there is none."""
        companies, people = self.stores["companies"], self.stores["people"]
        for email in emails[:1]:
            domain = {"domain": email["email_domain"], "root_domain": email["email_root_domain"]}
            existing = companies.records.get(companies.owners.get(("domains", unique_key(domain)), ""))
            company = existing or self.create(companies, {"domains": [domain]}, now)
            link = {"target_object": "companies", "target_record_id": company.id}
            self.update(people, person, {"company": [link]}, replaced, now)

    def enrich(self, now: datetime, *, overwrite: bool) -> None:
        """Fills in the companies whose enrichment is due, as Attio does shortly after they are created."""
        due = [entry for entry in self.enrichments if entry[0] <= now]
        self.enrichments = [entry for entry in self.enrichments if entry[0] > now]
        for _, store, record in due:
            values = {slug: value for slug, value in ENRICHED.items() if overwrite or not record.data(slug)}
            if record.id in store.records:
                store.update(record, self.parse_values(store, values), lambda _attribute: replaced, now, SYSTEM)

    def merge(self, store: Store, first_id: str, second_id: str, now: datetime) -> str:
        """Merges two records into a third with a new ID.

        Lists are joined. Other values are those of the first record, or of the second if the first has none.
        """
        first, second = self.record(store, first_id), self.record(store, second_id)
        merged: dict[str, list[ValueData]] = {}
        for slug, attribute in store.schema.attributes.items():
            if slug not in AUTOMATIC:
                first_data, second_data = first.data(slug), second.data(slug)
                joined = first_data + [item for item in second_data if item not in first_data]
                merged[slug] = joined if attribute.multiselect else first_data or second_data
        store.remove(first)
        store.remove(second)
        return store.create({slug: items for slug, items in merged.items() if items}, now, SYSTEM).id

    def record(self, store: Store, record_id: str) -> Record:
        """A record by ID. Raises the vendor's errors for a malformed and for an unknown ID."""
        try:
            normalized = str(uuid.UUID(record_id))
        except ValueError:
            if self.malformed_ids == 404:
                raise not_found(f'Record with ID "{record_id}" not found.') from None
            raise ApiError(
                "validation_type",
                "Path params validation error.",
                errors=[{"code": "invalid", "path": ["record_id"], "message": "Invalid uuid"}],
            ) from None
        record = store.records.get(normalized)
        if record is None:
            raise not_found(f'Record with ID "{record_id}" not found.')
        return record

    def record_by(self, object_name: str, slug: str, value: str) -> tuple[str, str] | None:
        """The object and the ID of the record that holds a unique value."""
        store = self._find_store(object_name)
        attribute = store.schema.find(slug) if store else None
        if store is None or attribute is None or not attribute.unique:
            return None
        record = store.records.get(store.owners.get((attribute.slug, unique_key({"domain": value})), ""))
        return (store.schema.slug, record.id) if record else None

    def record_by_id(self, object_name: str, record_id: str) -> tuple[str, str] | None:
        store = self._find_store(object_name)
        return (store.schema.slug, record_id) if store and record_id in store.records else None

    def member(self, name: str) -> str | None:
        """The ID of a member, by email address or ID."""
        return self.members.get(name.lower()) or (name if name in self.members.values() else None)

    def readable(self, store: Store) -> list[dict[str, Any]]:
        return [store.readable(record) for record in store.records.values()]

    def _find_store(self, name: str) -> Store | None:
        return next((store for slug, store in self.stores.items() if name in (slug, store.schema.id)), None)

    def _mirror(self, store: Store, record: Record, before: Mapping[str, list[ValueData]], now: datetime) -> None:
        """Updates the other side of each relationship to match the current references of this record."""
        for slug, attribute in store.schema.attributes.items():
            inverse = self._inverse(attribute)
            if inverse is None or (not record.data(slug) and not before.get(slug)):
                continue
            current = {data["target_record_id"] for data in record.data(slug)}
            previous = {data["target_record_id"] for data in before.get(slug, ())}
            for target_id in current ^ previous:
                self._link(store, record, inverse, target_id, linked=target_id in current, now=now)

    def _inverse(self, attribute: Attribute) -> tuple[Store, Attribute] | None:
        relationship = attribute.relationship
        other = self.stores.get(relationship["object_slug"]) if relationship else None
        inverse = other and relationship and other.schema.find(relationship["api_slug"])
        return (other, inverse) if other and inverse else None

    def _link(
        self,
        store: Store,
        record: Record,
        inverse: tuple[Store, Attribute],
        target_id: str,
        *,
        linked: bool,
        now: datetime,
    ) -> None:
        """Adds or removes this record on the other side. A target that takes a single record loses its previous one."""
        other, attribute = inverse
        target = other.records.get(target_id)
        if target is None:
            return
        reference = {"target_object": store.schema.slug, "target_record_id": record.id}
        others = [data for data in target.data(attribute.slug) if data != reference]
        if linked and not attribute.multiselect:
            self._unlink(store, attribute, others, target_id, now)
            others = []
        other.update(
            target, {attribute.slug: [*others, reference] if linked else others}, lambda _: replaced, now, SYSTEM
        )

    def _unlink(
        self, store: Store, inverse: Attribute, references: list[ValueData], target_id: str, now: datetime
    ) -> None:
        """Removes the target from the records that these references point to."""
        slug = (inverse.relationship or {}).get("api_slug", "")
        for reference in references:
            record = store.records.get(reference["target_record_id"])
            if record:
                remaining = [data for data in record.data(slug) if data["target_record_id"] != target_id]
                store.update(record, {slug: remaining}, lambda _: replaced, now, SYSTEM)
