"""A simulated workspace: its objects, what its records refer to, and what Attio does by itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from destinations.services.attio.sandbox.errors import Refusal, not_found, wrong_type
from destinations.services.attio.sandbox.schema import Attribute, Schema, fixed_id
from destinations.services.attio.sandbox.store import SYSTEM, Actor, Merge, Record, Store, replaced, unique_key
from destinations.services.attio.sandbox.validation import Kept, take

ISSUED_AT = 1778892789
OBJECTS = ("companies", "people")
ENRICHMENT_DELAY = timedelta(milliseconds=250)
ENRICHED = {"description": "Filled in by Attio.", "categories": ["Internet"]}


class Workspace:
    """Everything that one token opens."""

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
        self.due: list[tuple[datetime, Store, Record]] = []

    def introduced(self, scopes: list[str]) -> dict[str, Any]:
        """As `/v2/self` tells a token of it."""
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
        """The records of an object by slug or id. Raises the vendor's 404."""
        for slug, store in self.stores.items():
            if name in (slug, store.schema.id):
                return store
        raise not_found(f'Object with slug/ID "{name}" not found.')

    def taken(self, store: Store, values: Mapping[str, Any], *, by_system: bool = False) -> dict[str, list[Kept]]:
        """The values of a request as they would be kept. Raises Refusal."""
        found: dict[str, list[Kept]] = {}
        for name, raw in values.items():
            attribute = store.schema.find(name)
            if attribute is None or attribute.archived:
                raise Refusal("value_not_found", f'Cannot find attribute with slug/ID "{name}".')
            if not attribute.writable and not by_system:
                raise Refusal(
                    "system_edit_unauthorized", f'The attribute with slug "{attribute.slug}" cannot be edited.'
                )
            found[attribute.slug] = take(self, attribute, raw)
            if not found[attribute.slug] and attribute.type in self.unclearable:
                raise wrong_type(attribute.slug, attribute.type, None)
        return found

    def create(self, store: Store, sent: Mapping[str, list[Kept]], now: datetime, *, enrich: bool = False) -> Record:
        """A new record, and the other side of its relationships."""
        record = store.create(sent, now, self.actor)
        self._mirror(store, record, {}, now)
        if enrich and store.schema.slug == "companies":
            self.due.append((now + ENRICHMENT_DELAY, store, record))
        return record

    def update(
        self,
        store: Store,
        record: Record,
        sent: Mapping[str, list[Kept]],
        merge: Mapping[str, Merge] | Merge,
        now: datetime,
    ) -> None:
        """Changes a record, and the other side of its relationships. `merge` may differ by attribute; others are replaced."""
        before = {slug: record.kept(slug) for slug in sent}
        choose = (
            (lambda attribute: merge.get(attribute.slug, replaced))
            if isinstance(merge, Mapping)
            else (lambda _attribute: merge)
        )
        store.update(record, sent, choose, now, self.actor)
        self._mirror(store, record, before, now)

    def enrich(self, now: datetime, *, overwrite: bool) -> None:
        """What Attio fills in on companies whose time has come."""
        ready = [entry for entry in self.due if entry[0] <= now]
        self.due = [entry for entry in self.due if entry[0] > now]
        for _, store, record in ready:
            wanted = {slug: value for slug, value in ENRICHED.items() if overwrite or not record.kept(slug)}
            if record.id in store.records:
                store.update(record, self.taken(store, wanted), lambda _attribute: replaced, now, SYSTEM)

    def merge(self, store: Store, first: str, second: str, now: datetime) -> str:
        """Two records become a third with a new id: the first one's values, and the second one's where the first has none."""
        kept, other = self.record(store, first), self.record(store, second)
        both: dict[str, list[Kept]] = {}
        for slug, attribute in store.schema.attributes.items():
            if slug not in ("record_id", "created_at", "created_by"):
                mine, theirs = kept.kept(slug), other.kept(slug)
                both[slug] = (
                    mine + [item for item in theirs if item not in mine] if attribute.multiselect else mine or theirs
                )
        store.remove(kept)
        store.remove(other)
        return store.create({slug: items for slug, items in both.items() if items}, now, SYSTEM).id

    def record(self, store: Store, record_id: str) -> Record:
        """A record by id. Raises the vendor's answers to a malformed and to an unknown id."""
        try:
            name = str(uuid.UUID(record_id))
        except ValueError:
            if self.malformed_ids == 404:
                raise not_found(f'Record with ID "{record_id}" not found.') from None
            raise Refusal("validation_type", "Path params validation error.",
                          errors=[{"code": "invalid", "path": ["record_id"], "message": "Invalid uuid"}]) from None  # fmt: skip
        found = store.records.get(name)
        if found is None:
            raise not_found(f'Record with ID "{record_id}" not found.')
        return found

    def record_by(self, object_name: str, slug: str, value: str) -> tuple[str, str] | None:
        """The object and id of the record that owns a unique value."""
        store = self._known(object_name)
        attribute = store.schema.find(slug) if store else None
        if store is None or attribute is None or not attribute.unique:
            return None
        found = store.records.get(store.owners.get((attribute.slug, unique_key({"domain": value})), ""))
        return (store.schema.slug, found.id) if found else None

    def record_by_id(self, object_name: str, record_id: str) -> tuple[str, str] | None:
        store = self._known(object_name)
        return (store.schema.slug, record_id) if store and record_id in store.records else None

    def member(self, name: str) -> str | None:
        """The id of a member by email or id."""
        return self.members.get(name.lower()) or (name if name in self.members.values() else None)

    def readable(self, store: Store) -> list[dict[str, Any]]:
        """Every record as id, time of creation and plain values; empty attributes are left out."""
        return [store.readable(record) for record in store.records.values()]

    def _known(self, name: str) -> Store | None:
        return next((store for slug, store in self.stores.items() if name in (slug, store.schema.id)), None)

    def _mirror(self, store: Store, record: Record, before: Mapping[str, list[Kept]], now: datetime) -> None:
        """Brings the other side of each relationship in line with what this record refers to now."""
        for slug, attribute in store.schema.attributes.items():
            inverse = self._inverse(attribute)
            if inverse is None or (not record.kept(slug) and not before.get(slug)):
                continue
            wanted = {kept["target_record_id"] for kept in record.kept(slug)}
            there = {kept["target_record_id"] for kept in before.get(slug, ())}
            for target_id in wanted ^ there:
                self._link(store, record, inverse, target_id, linked=target_id in wanted, now=now)

    def _inverse(self, attribute: Attribute) -> tuple[Store, Attribute] | None:
        relationship = attribute.relationship
        other = self.stores.get(relationship["object_slug"]) if relationship else None
        found = other and relationship and other.schema.find(relationship["api_slug"])
        return (other, found) if other and found else None

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
        """Adds or removes this record on the other side. A target that may have one record only leaves its former one."""
        other, attribute = inverse
        target = other.records.get(target_id)
        if target is None:
            return
        reference = {"target_object": store.schema.slug, "target_record_id": record.id}
        former = [kept for kept in target.kept(attribute.slug) if kept != reference]
        if linked and not attribute.multiselect:
            self._leave(store, attribute, former, target_id, now)
            former = []
        other.update(
            target, {attribute.slug: [*former, reference] if linked else former}, lambda _: replaced, now, SYSTEM
        )

    def _leave(self, store: Store, inverse: Attribute, former: list[Kept], target_id: str, now: datetime) -> None:
        slug = (inverse.relationship or {}).get("api_slug", "")
        for reference in former:
            owner = store.records.get(reference["target_record_id"])
            if owner:
                rest = [kept for kept in owner.kept(slug) if kept["target_record_id"] != target_id]
                store.update(owner, {slug: rest}, lambda _: replaced, now, SYSTEM)
