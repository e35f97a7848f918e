"""The contacts of a simulated Intercom workspace: validation, storage and search."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import ApiError
from destinations.services.intercom.sandbox.companies import validated_custom_value
from destinations.services.intercom.sandbox.rules import bad_parameter, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.services.intercom.sandbox.attributes import DataAttributes
    from destinations.services.intercom.sandbox.lists import Memberships

Contact = dict[str, Any]
TYPES: Mapping[str, Any] = {
    "external_id": str,
    "email": str,
    "role": str,
    "name": str,
    "phone": str,
    "avatar": str,
    "signed_up_at": int,
    "last_seen_at": int,
    "owner_id": int,
    "unsubscribed_from_emails": bool,
}
WRITABLE = frozenset({*TYPES, "custom_attributes"})
ROLES = ("user", "lead")
UNIQUE = ("external_id", "email")


class Contacts:
    """Contacts by Intercom ID. External IDs are unique, email addresses only among users."""

    def __init__(self, switches: Mapping[str, Any], attributes: DataAttributes, memberships: Memberships) -> None:
        self.switches = switches
        self.attributes = attributes
        self.memberships = memberships
        self.by_id: dict[str, Contact] = {}
        self.ids_of: dict[tuple[str, Any], dict[str, None]] = defaultdict(dict)
        """Unique attribute and value → IDs of the contacts that have it, or once had it. Like an ordered set."""

    def get(self, contact_id: str) -> Contact:
        """The contact with this ID. Raises ApiError if there is none, or if it was merged into a different one."""
        if contact_id in self.switches.get("merged_contacts", ()):
            raise ApiError(
                410, "contact_merged", "This contact has been merged. See the 'Link' header for the canonical contact."
            )
        if contact_id not in self.by_id:
            raise ApiError(404, "not_found", "User Not Found")
        return self.by_id[contact_id]

    def json(self, contact: Contact) -> Contact:
        """A contact as every endpoint returns it."""
        return {**contact, "companies": self.memberships.shown(contact["id"])}

    def create(self, sent: Mapping[str, Any], now: int) -> Contact:
        """Creates a contact.

        Raises:
            ApiError: a value does not fit, nothing identifies the contact, or its details belong to a different one.
        """
        values = self._validated(sent)
        values.setdefault("role", "user")
        if values["role"] == "user" and not (values.get("email") or values.get("external_id")):
            raise ApiError(400, "parameter_not_found", "email or external_id not specified")
        self._check_unique(values, "")
        contact = self._new_contact(now)
        return self.apply(contact, values, now)

    def preload(self, entry: Mapping[str, Any], now: int) -> None:
        """Stores a contact without validation, attached to the companies `company_ids`, to prepare a workspace."""
        contact = self._new_contact(now, str(entry.get("id", "")))
        contact.update({key: value for key, value in entry.items() if key != "company_ids"})
        self._index(contact)
        for company_id in entry.get("company_ids", ()):
            self.memberships.attach(contact["id"], self.memberships.companies.by_company_id[str(company_id)])

    def update(self, contact_id: str, sent: Mapping[str, Any], now: int) -> Contact:
        """Updates a contact.

        Raises:
            ApiError: there is no such contact, a value does not fit, or its details belong to a different one.
        """
        contact = self.get(contact_id)
        values = self._validated(sent)
        self._check_unique({**contact, **values}, contact_id)
        return self.apply(contact, values, now)

    def apply(self, contact: Contact, values: Mapping[str, Any], now: int) -> Contact:
        """Writes validated values. Other attributes stay as they are."""
        clears = self.switches.get("null_clears", True)
        for key, value in values.items():
            if key == "custom_attributes":
                contact[key].update({name: new for name, new in value.items() if new is not None or clears})
            elif value is not None or clears:
                contact[key] = value
        contact["updated_at"] = now
        self._index(contact)
        return contact

    def search(self, query: Any, now: int) -> list[Contact]:
        """Searches with a single filter. Raises ApiError if its operator is not = or IN, or its field is unknown."""
        if (
            not isinstance(query, dict)
            or query.get("operator") not in ("=", "IN")
            or query.get("field") not in {*TYPES, "id"}
        ):
            raise ApiError(400, "invalid_field", "The query can't be searched by")
        name, wanted = query["field"], query["value"] if query["operator"] == "IN" else [query["value"]]
        folded = {_folded(value) for value in wanted}
        newest = now - float(self.switches.get("search_delay_seconds", 0))
        candidates = (
            [contact for value in folded for contact in self._holders(name, value)]
            if name in UNIQUE
            else list(self.by_id.values())
        )
        return [
            contact
            for contact in candidates
            if _folded(contact[name]) in folded and not contact.get("archived") and contact["created_at"] <= newest
        ]

    def _validated(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        for key, value in sent.items():
            if key not in WRITABLE:
                raise bad_parameter(key)
            if (
                key in TYPES
                and value is not None
                and (not isinstance(value, TYPES[key]) or (TYPES[key] is int and isinstance(value, bool)))
            ):
                raise ApiError(400, "type_mismatch", f"'{key}' is not of type {TYPES[key].__name__}", field=key)
        if sent.get("role", "user") not in ROLES:
            raise invalid("role must be either user or lead")
        if sent.get("email") and "@" not in sent["email"]:
            raise ApiError(422, "parameter_invalid", "email is not a valid email")
        values = dict(sent)
        custom = values.get("custom_attributes", {})
        if not isinstance(custom, dict):
            raise bad_parameter("custom_attributes")
        if custom:
            values["custom_attributes"] = {
                name: validated_custom_value(name, value, self.attributes, self.switches, "contact")
                for name, value in custom.items()
            }
        return values

    def _check_unique(self, values: Mapping[str, Any], own_id: str) -> None:
        for contact in [contact for name in UNIQUE for contact in self._holders(name, values.get(name))]:
            if contact["id"] != own_id and _collide(contact, values):
                kind = "An archived contact" if contact.get("archived") else "A contact"
                raise ApiError(409, "conflict", f"{kind} matching those details already exists with id={contact['id']}")

    def _holders(self, name: str, value: Any) -> list[Contact]:
        return [self.by_id[contact_id] for contact_id in self.ids_of.get((name, _folded(value)), ())]

    def _index(self, contact: Contact) -> None:
        for name in UNIQUE:
            if contact[name]:
                self.ids_of[name, _folded(contact[name])][contact["id"]] = None

    def _new_contact(self, now: int, contact_id: str = "") -> Contact:
        contact_id = contact_id or f"{now:08x}c{len(self.by_id):015x}"
        self.memberships.add(contact_id)
        standard = {
            "type": "contact",
            "id": contact_id,
            **dict.fromkeys(TYPES),
            "role": "user",
            "unsubscribed_from_emails": False,
        }
        contact: Contact = {**standard, "custom_attributes": {}, "created_at": now, "updated_at": now}
        self.by_id[contact_id] = contact
        return contact


def _collide(contact: Contact, values: Mapping[str, Any]) -> bool:
    """Whether Intercom would take the values for those of this contact.

    Two users may share an email address if their external IDs differ, because those prove that they are two people.
    """
    if values.get("external_id") and contact["external_id"] == values["external_id"]:
        return True
    same_email = bool(values.get("email")) and _folded(contact["email"]) == _folded(values["email"])
    both_known = bool(contact["external_id"] and values.get("external_id"))
    return same_email and contact["role"] == values.get("role") == "user" and not both_known


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
