"""The server of the simulated Intercom: one workspace with the vendor's rules, messages and limits.

Switches are set by `POST /_sandbox/switches`. If Intercom's documentation leaves a question open, a switch selects the
answer. Those that limit or fail requests:

    rate_limit_per_window     requests per window, 1666; 0 for no limit
    window_seconds            length of a window, 10
    search_limit_per_window   searches per window, counted separately with their own headers; 0 (the default) counts
                              them with all requests
    missing_scopes            permissions that the token lacks, as named by Intercom
    token_error               every request gets a 401 with this code, e.g. `token_revoked`
    plan_restricted           true: every request gets a 403
    app_version               API version if the header is missing, `2.16`
    unique_race_seconds       a second create within this time gets `unique_company_constraint`
    merged_contacts           IDs that get a 410

Those that decide how records behave:

    companies, contacts, data_attributes   preload the workspace: lists of companies, of contacts or their IDs, and of
                                           attributes. The `company_ids` of a contact attach it to these companies
    region, timezone, workspace_id, workspace_name   values in `GET /me`
    null_clears               false: null leaves a value unchanged
    put_remote_created_at     `accept`, `refuse` or `ignore`
    missing_company_id        `parameter_not_found` or `company_not_found`
    archived_company          writing to the company_id of a deleted company creates a `new` one, or `restore`s it
    long_strings              `refuse`, `truncate` or `keep`: text over 255 characters in custom attributes
    enforce_options           false: list attributes accept any text
    creation_source           false: new companies don't have this attribute
    lookup_as_list            true: `?company_id=` returns a list
    find_by_name              `visible` or `never`
    list_without_filter       true: `GET /companies` without a filter returns a list
    search_delay_seconds      seconds before search finds a new contact, 0
    scroll_shows_all          true: the scroll includes companies without contacts
    attribute_limit, archived_count, attribute_exists, limit_status, unarchive, dependent_attributes
                              see `DataAttributes`
"""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from destinations.sandbox.access import Window
from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import ApiError, Collection, Reply, Request
from destinations.services.intercom.sandbox import description
from destinations.services.intercom.sandbox.attributes import MODELS, DataAttributes
from destinations.services.intercom.sandbox.companies import Companies, company_json
from destinations.services.intercom.sandbox.company_endpoints import ROUTES as COMPANY_ROUTES
from destinations.services.intercom.sandbox.company_endpoints import CompanyEndpoints
from destinations.services.intercom.sandbox.contact_endpoints import ROUTES as CONTACT_ROUTES
from destinations.services.intercom.sandbox.contact_endpoints import ContactEndpoints
from destinations.services.intercom.sandbox.contacts import Contacts
from destinations.services.intercom.sandbox.lists import Memberships, Scroll
from destinations.services.intercom.sandbox.panel import SWITCHES, error_reply, example_company
from destinations.services.intercom.sandbox.rules import (
    VERSIONS,
    check_media_types,
    error_list,
    json_object,
    required_scope,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.sandbox.wire import Editor

VERSION_2_16 = (2, 16)


class IntercomSandbox(CompanyEndpoints, ContactEndpoints, Sandbox):
    """A simulated workspace with a single valid token."""

    slug = "intercom"
    label = "Intercom"
    switch_table = SWITCHES
    quota_headers = ("X-RateLimit-Remaining", "X-RateLimit-Reset")
    routes = (
        ("GET", "/me", "me"),
        *CONTACT_ROUTES,
        *COMPANY_ROUTES,
        ("GET", "/data_attributes", "list_attributes"),
        ("POST", "/data_attributes", "create_attribute"),
        ("PUT", "/data_attributes/([^/]+)", "change_attribute"),
    )

    def reset(self) -> None:
        """Empties the workspace. Switches stay as they are."""
        self.clock = time.time
        self.window = Window(lambda: self.clock(), counts_itself=False)
        self.search_window = Window(lambda: self.clock(), counts_itself=False)
        self.counting_window = self.window
        self.attributes = DataAttributes(self.switches)
        self.companies = Companies(self.switches)
        self.memberships = Memberships(self.companies)
        self.contacts = Contacts(self.switches, self.attributes, self.memberships)
        self.scroll = Scroll()
        self.request_id = ""
        self.authenticated = False
        self.version = ""

    def state(self) -> dict[str, Any]:
        """All companies and contacts, and the custom attributes of both models, including archived ones."""
        return {
            "companies": [company_json(company) for company in self.companies.by_id.values()],
            "contacts": [self.contacts.json(contact) for contact in self.contacts.by_id.values()],
            "data_attributes": [dict(entry) for entry in self.attributes.custom],
        }

    def collections(self) -> dict[str, Collection]:
        companies, contacts = (partial(description.attributes, model, self.attributes) for model in MODELS)
        return {
            "companies": Collection(self.companies.by_id, company_json, companies, description.company_values),
            "contacts": Collection(self.contacts.by_id, self.contacts.json, contacts, self._contact_values),
        }

    def _contact_values(self, contact: dict[str, Any]) -> dict[str, Any]:
        return description.contact_values(contact, self.memberships.company_ids_of(contact["id"]))

    def archive(self, kind: str, name: str, archived: bool) -> None:
        self.attributes.set_archived({"companies": "company", "contacts": "contact"}[kind], name, archived)

    def edit(self, kind: str, remote_id: str, values: Mapping[str, Any], by: Editor) -> None:
        """Intercom doesn't record who edits a record."""
        store: Companies | Contacts = self.companies if kind == "companies" else self.contacts
        store.apply(store.get(remote_id), description.nested(kind, values), self._now())

    def example(self, number: int) -> None:
        self.companies.preload(example_company(number), self._now())

    def error_reply(self, status: int, message: str = "") -> Reply:
        return error_reply(status, message, self.request_id or str(uuid.uuid4()), self._now())

    def guard(self, request: Request) -> Reply | None:
        """Checks the token, the rate limit, the version, media types, the plan and the permission, in this order."""
        self.request_id = str(uuid.uuid4())
        self.authenticated = False
        self.version = request.headers.get("intercom-version") or str(self.switches.get("app_version", "2.16"))
        self._authenticate(request)
        self._count(request)
        self._authorize(request)
        return None

    def refusal(self, error: ApiError) -> Reply:
        return error_list(error, self.request_id)

    def unknown(self, request: Request) -> Reply:
        """Intercom answers 404 for an unknown method too."""
        return self.refusal(ApiError(404, "not_found", "The requested resource was not found"))

    def headers(self, request: Request) -> dict[str, str]:
        """The rate limit headers are set only if the token is valid."""
        always = {"X-Request-Id": self.request_id, "Intercom-Version": self.version}
        return {**always, **self.counting_window.headers} if self.authenticated else always

    def me(self, request: Request) -> Reply:
        app = {
            "type": "app",
            "id_code": self.switches.get("workspace_id", "sandbox1"),
            "name": self.switches.get("workspace_name", "Sandbox workspace"),
            "created_at": 1734537243,
            "secure": False,
            "identity_verification": False,
            "timezone": self.switches.get("timezone", "America/Los_Angeles"),
            "region": self.switches.get("region", "US"),
        }
        user = {
            "type": "admin",
            "id": "991267459",
            "email": "admin@example.com",
            "name": "Sandbox admin",
            "email_verified": True,
        }
        return Reply(body={**user, "app": app, "avatar": {"type": "avatar", "image_url": None}, "has_inbox_seat": True})

    def list_attributes(self, request: Request) -> Reply:
        model = request.query.get("model", "")
        if model == "conversation" and self._since_2_16():
            raise ApiError(422, "parameter_invalid", "The Data Attribute model field must be either contact or company")
        entries = [
            entry
            for name in ([model] if model else ["contact", "company"])
            for entry in self.attributes.listed(name, archived=request.query.get("include_archived") == "true")
        ]
        return Reply(body={"type": "list", "data": entries})

    def create_attribute(self, request: Request) -> Reply:
        return Reply(body=self.attributes.create(json_object(request), self._now()))

    def change_attribute(self, request: Request, attribute_id: str) -> Reply:
        return Reply(body=self.attributes.change(attribute_id, json_object(request), self._now()))

    def _switch(self, wanted: dict[str, Any]) -> None:
        now = self._now()
        for entry in wanted.pop("data_attributes", ()):
            self.attributes.add(entry, now)
        for entry in wanted.pop("companies", ()):
            self.companies.preload(entry, now)
        for contact in wanted.pop("contacts", ()):
            self.contacts.preload(contact if isinstance(contact, dict) else {"id": str(contact)}, now)
        super()._switch(wanted)

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != self.token:
            raise ApiError(401, "unauthorized", "Access Token Invalid")
        if code := self.switches.get("token_error"):
            raise ApiError(401, str(code), "Access Token Invalid")
        self.authenticated = True

    def _count(self, request: Request) -> None:
        """Counts the request in its window: searches have one of their own if the switch is set."""
        searches = int(self.switches.get("search_limit_per_window", 0)) if request.path.endswith("/search") else 0
        self.counting_window = self.search_window if searches else self.window
        limit = searches or int(self.switches.get("rate_limit_per_window", 1666))
        if not self.counting_window.take(limit, float(self.switches.get("window_seconds", 10))):
            raise ApiError(429, "rate_limit_exceeded", f"Exceeded rate limit of {limit} in 10_seconds")

    def _authorize(self, request: Request) -> None:
        if self.version not in VERSIONS:
            raise ApiError(
                400, "intercom_version_invalid", "Requested resource is not available in current API version"
            )
        check_media_types(request)
        if self.switches.get("plan_restricted"):
            raise ApiError(403, "api_plan_restricted", "Active subscription needed.")
        if required_scope(request) in self.switches.get("missing_scopes", ()):
            raise ApiError(401, "token_unauthorized", "Not authorized to access resource")

    def _since_2_16(self) -> bool:
        """Whether the API version is 2.16 or later. Named versions such as Preview count as later."""
        parts = self.version.split(".")
        return not parts[0].isdigit() or tuple(int(part) for part in parts) >= VERSION_2_16

    def _now(self) -> int:
        return int(self.clock())
