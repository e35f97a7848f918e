"""The contacts of a simulated Intercom workspace as records: created, changed and searched by themselves."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import Reply, Request
from destinations.services.intercom.sandbox.companies import custom_value
from destinations.services.intercom.sandbox.rules import Refused, bad_parameter, invalid, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.services.intercom.sandbox.attributes import DataAttributes
    from destinations.services.intercom.sandbox.lists import Contacts

Contact = dict[str, Any]
KINDS: Mapping[str, Any] = {
    "external_id": str, "email": str, "role": str, "name": str, "phone": str, "avatar": str, "signed_up_at": int, "last_seen_at": int,
    "owner_id": int, "unsubscribed_from_emails": bool,
}  # fmt: skip
WRITABLE = frozenset({*KINDS, "custom_attributes"})
ROLES = ("user", "lead")
UNIQUE = ("external_id", "email")
ROUTES = (
    ("POST", "/contacts", "create_contact"),
    ("POST", "/contacts/search", "search_contacts"),
    ("GET", "/contacts/find_by_external_id/([^/]+)", "contact_of_external_id"),
    ("GET", "/contacts/([^/]+)", "show_contact"),
    ("PUT", "/contacts/([^/]+)", "update_contact"),
)


class ContactRecords:
    """Contacts by Intercom's id. External ids are unique, and email addresses among users."""

    def __init__(self, switches: Mapping[str, Any], attributes: DataAttributes, companies: Contacts) -> None:
        self.switches = switches
        self.attributes = attributes
        self.companies = companies
        self.by_id: dict[str, Contact] = {}
        self.ids_of: dict[tuple[str, Any], dict[str, None]] = defaultdict(dict)
        """Who has, or had, an external id or email address."""

    def get(self, contact_id: str) -> Contact:
        """Raises Refused where there is no such contact, or it was merged into another."""
        if contact_id in self.switches.get("merged_contacts", ()):
            raise Refused(
                410, "contact_merged", "This contact has been merged. See the 'Link' header for the canonical contact."
            )
        if contact_id not in self.by_id:
            raise Refused(404, "not_found", "User Not Found")
        return self.by_id[contact_id]

    def create(self, sent: Mapping[str, Any], now: int) -> Contact:
        """Raises Refused: a value that does not fit, too little to identify the contact, or details of another one."""
        values = self._checked(sent)
        values.setdefault("role", "user")
        if values["role"] == "user" and not (values.get("email") or values.get("external_id")):
            raise Refused(400, "parameter_not_found", "email or external_id not specified")
        self._check_free(values, "")
        contact = self._blank(now)
        return self.apply(contact, values, now)

    def preload(self, entry: Mapping[str, Any], now: int) -> None:
        """Stores a contact as it is, unchecked; for preparing a workspace."""
        contact = self._blank(now, str(entry.get("id", "")))
        contact.update(entry)
        self._note(contact)

    def update(self, contact_id: str, sent: Mapping[str, Any], now: int) -> Contact:
        """Raises Refused: no such contact, a value that does not fit, or details of another contact."""
        contact = self.get(contact_id)
        values = self._checked(sent)
        self._check_free({**contact, **values}, contact_id)
        return self.apply(contact, values, now)

    def apply(self, contact: Contact, values: Mapping[str, Any], now: int) -> Contact:
        """Writes checked values; what is not named stays."""
        clears = self.switches.get("null_clears", True)
        for key, value in values.items():
            if key == "custom_attributes":
                contact[key].update({name: held for name, held in value.items() if held is not None or clears})
            elif value is not None or clears:
                contact[key] = value
        contact["updated_at"] = now
        self._note(contact)
        return contact

    def search(self, query: Any, now: int) -> list[Contact]:
        """One filter, with the operators = and IN. Raises Refused for others."""
        if (
            not isinstance(query, dict)
            or query.get("operator") not in ("=", "IN")
            or query.get("field") not in {*KINDS, "id"}
        ):
            raise Refused(400, "invalid_field", "The query can't be searched by")
        name, wanted = query["field"], query["value"] if query["operator"] == "IN" else [query["value"]]
        folded = {_folded(value) for value in wanted}
        newest = now - float(self.switches.get("search_delay_seconds", 0))
        listed = (
            [contact for value in folded for contact in self._with(name, value)]
            if name in UNIQUE
            else list(self.by_id.values())
        )
        return [
            contact
            for contact in listed
            if _folded(contact[name]) in folded and not contact.get("archived") and contact["created_at"] <= newest
        ]

    def _checked(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        for key, value in sent.items():
            if key not in WRITABLE:
                raise bad_parameter(key)
            if (
                key in KINDS
                and value is not None
                and (not isinstance(value, KINDS[key]) or (KINDS[key] is int and isinstance(value, bool)))
            ):
                raise Refused(400, "type_mismatch", f"'{key}' is not of type {KINDS[key].__name__}", field=key)
        if sent.get("role", "user") not in ROLES:
            raise invalid("role must be either user or lead")
        if sent.get("email") and "@" not in sent["email"]:
            raise Refused(422, "parameter_invalid", "email is not a valid email")
        values = dict(sent)
        custom = values.get("custom_attributes", {})
        if not isinstance(custom, dict):
            raise bad_parameter("custom_attributes")
        if custom:
            values["custom_attributes"] = {
                name: custom_value(name, value, self.attributes, self.switches, "contact")
                for name, value in custom.items()
            }
        return values

    def _check_free(self, values: Mapping[str, Any], own_id: str) -> None:
        for contact in [contact for name in UNIQUE for contact in self._with(name, values.get(name))]:
            if contact["id"] != own_id and _collide(contact, values):
                kind = "An archived contact" if contact.get("archived") else "A contact"
                raise Refused(409, "conflict", f"{kind} matching those details already exists with id={contact['id']}")

    def _with(self, name: str, value: Any) -> list[Contact]:
        return [self.by_id[contact_id] for contact_id in self.ids_of.get((name, _folded(value)), ())]

    def _note(self, contact: Contact) -> None:
        for name in UNIQUE:
            if contact[name]:
                self.ids_of[name, _folded(contact[name])][contact["id"]] = None

    def _blank(self, now: int, contact_id: str = "") -> Contact:
        contact_id = contact_id or f"{now:08x}c{len(self.by_id):015x}"
        self.companies.add(contact_id)
        made = {
            "type": "contact",
            "id": contact_id,
            **dict.fromkeys(KINDS),
            "role": "user",
            "unsubscribed_from_emails": False,
        }
        contact: Contact = {**made, "custom_attributes": {}, "created_at": now, "updated_at": now}
        self.by_id[contact_id] = contact
        return contact


class ContactCalls:
    """The calls about contacts, for a sandbox that keeps `people`."""

    people: ContactRecords

    def _now(self) -> int:
        raise NotImplementedError

    def create_contact(self, request: Request) -> Reply:
        return Reply(body=dict(self.people.create(json_object(request), self._now())))

    def update_contact(self, request: Request, contact_id: str) -> Reply:
        return Reply(body=dict(self.people.update(contact_id, json_object(request), self._now())))

    def show_contact(self, request: Request, contact_id: str) -> Reply:
        return Reply(body=dict(self.people.get(contact_id)))

    def contact_of_external_id(self, request: Request, external_id: str) -> Reply:
        """Users only."""
        for contact in self.people.search({"field": "external_id", "operator": "=", "value": external_id}, sys.maxsize):
            if contact["role"] == "user":
                return Reply(body=dict(contact))
        raise Refused(404, "not_found", "User Not Found")

    def search_contacts(self, request: Request) -> Reply:
        sent = json_object(request)
        found = self.people.search(sent.get("query"), self._now())
        size = int((sent.get("pagination") or {}).get("per_page", 50))
        pages = {"type": "pages", "page": 1, "per_page": size, "total_pages": -(-len(found) // size)}
        return Reply(
            body={
                "type": "list",
                "data": [dict(contact) for contact in found[:size]],
                "total_count": len(found),
                "pages": pages,
            }
        )


def _collide(contact: Contact, values: Mapping[str, Any]) -> bool:
    if values.get("external_id") and contact["external_id"] == values["external_id"]:
        return True
    same = bool(values.get("email")) and _folded(contact["email"]) == _folded(values["email"])
    both_known = bool(contact["external_id"] and values.get("external_id"))
    return same and contact["role"] == values.get("role") == "user" and not both_known


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
