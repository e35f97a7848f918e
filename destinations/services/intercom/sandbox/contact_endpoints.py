"""The endpoints for contacts of a simulated Intercom workspace."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from destinations.sandbox.wire import ApiError, Reply, Request
from destinations.services.intercom.sandbox.rules import json_object

if TYPE_CHECKING:
    from destinations.services.intercom.sandbox.contacts import Contacts

ROUTES = (
    ("POST", "/contacts", "create_contact"),
    ("POST", "/contacts/search", "search_contacts"),
    ("GET", "/contacts/find_by_external_id/([^/]+)", "find_contact"),
    ("GET", "/contacts/([^/]+)", "show_contact"),
    ("PUT", "/contacts/([^/]+)", "update_contact"),
)


class ContactEndpoints:
    """Mixin with the endpoints for contacts. The sandbox class provides the attributes."""

    contacts: Contacts

    def _now(self) -> int:
        raise NotImplementedError

    def create_contact(self, request: Request) -> Reply:
        return Reply(body=self.contacts.json(self.contacts.create(json_object(request), self._now())))

    def update_contact(self, request: Request, contact_id: str) -> Reply:
        return Reply(body=self.contacts.json(self.contacts.update(contact_id, json_object(request), self._now())))

    def show_contact(self, request: Request, contact_id: str) -> Reply:
        return Reply(body=self.contacts.json(self.contacts.get(contact_id)))

    def find_contact(self, request: Request, external_id: str) -> Reply:
        """Finds users only, as Intercom does."""
        for contact in self.contacts.search(
            {"field": "external_id", "operator": "=", "value": external_id}, sys.maxsize
        ):
            if contact["role"] == "user":
                return Reply(body=self.contacts.json(contact))
        raise ApiError(404, "not_found", "User Not Found")

    def search_contacts(self, request: Request) -> Reply:
        sent = json_object(request)
        contacts = self.contacts.search(sent.get("query"), self._now())
        size = int((sent.get("pagination") or {}).get("per_page", 50))
        pages = {"type": "pages", "page": 1, "per_page": size, "total_pages": -(-len(contacts) // size)}
        return Reply(
            body={
                "type": "list",
                "data": [self.contacts.json(contact) for contact in contacts[:size]],
                "total_count": len(contacts),
                "pages": pages,
            }
        )
