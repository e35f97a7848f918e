"""A simulated Intercom workspace: companies, data attributes and their contacts, with the vendor's rules, texts and limits.

Switches, set by `POST /_sandbox/switches`; questions that Intercom's documents leave open have one for each answer.

    companies, contacts, data_attributes   preload the workspace: lists of companies, of contacts or their ids, of attributes
    region, timezone, workspace_id, workspace_name   what `GET /me` says
    rate_limit_per_window   requests in a window, 1666; 0 is unlimited          window_seconds   10
    search_limit_per_window searches in a window, which then have a budget and headers of their own, 0
    missing_scopes          permissions that the token lacks, in Intercom's words
    token_error             every call answers 401 with this code, e.g. `token_revoked`
    plan_restricted         true: every call answers 403
    app_version             the version where the header is missing, `2.16`
    null_clears             false: null leaves a value as it is
    put_remote_created_at   `accept`, `refuse` or `ignore`
    missing_company_id      `parameter_not_found` or `company_not_found`
    archived_company        `new` or `restore`: what a write to a deleted company's company_id makes
    long_strings            `refuse`, `truncate` or `keep`: texts over 255 characters in custom attributes
    enforce_options         false: list attributes take any text
    creation_source         false: no such attribute on new companies
    unique_race_seconds     a second create within this time is answered `unique_company_constraint`
    lookup_as_list          true: `?company_id=` answers a list
    find_by_name            `visible` or `never`
    list_without_filter     true: `GET /companies` without a filter lists
    merged_contacts         ids that are answered 410
    search_delay_seconds    contacts younger than this are not found by search, 0
    scroll_shows_all        true: the scroll holds companies without contacts too
    attribute_limit, archived_count, attribute_exists, limit_status, unarchive, dependent_attributes   see `DataAttributes`
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import Collection, Reply, Request
from destinations.services.intercom.sandbox.attributes import DataAttributes
from destinations.services.intercom.sandbox.companies import CREATABLE, UPDATABLE, Companies, Company, checked, shown
from destinations.services.intercom.sandbox.contacts import ROUTES, ContactCalls, ContactRecords
from destinations.services.intercom.sandbox.lists import Contacts, Scroll, company_page, listed
from destinations.services.intercom.sandbox.panel import SWITCHES, refused
from destinations.services.intercom.sandbox.panel import company as example_company
from destinations.services.intercom.sandbox.rules import (
    VERSIONS,
    Refused,
    Window,
    check_media,
    company_not_found,
    json_object,
    scope_of,
)

FIRST_WITH_LAST_REQUEST = (2, 16)


class IntercomSandbox(ContactCalls, Sandbox):
    """One simulated workspace that accepts one token."""

    slug = "intercom"
    label = "Intercom"
    switch_table = SWITCHES
    routes = (
        ("GET", "/me", "me"),
        ("POST", "/companies", "save_company"),
        ("GET", "/companies", "find_companies"),
        ("POST", "/companies/list", "list_companies"),
        ("GET", "/companies/scroll", "scroll_companies"),
        ("GET", "/companies/([^/]+)", "show_company"),
        ("PUT", "/companies/([^/]+)", "update_company"),
        ("DELETE", "/companies/([^/]+)", "delete_company"),
        ("GET", "/companies/([^/]+)/contacts", "contacts_of_company"),
        ("GET", "/companies/([^/]+)/segments", "segments_of_company"),
        *ROUTES,
        ("POST", "/contacts/([^/]+)/companies", "attach"),
        ("GET", "/contacts/([^/]+)/companies", "companies_of_contact"),
        ("DELETE", "/contacts/([^/]+)/companies/([^/]+)", "detach"),
        ("GET", "/data_attributes", "list_attributes"),
        ("POST", "/data_attributes", "create_attribute"),
        ("PUT", "/data_attributes/([^/]+)", "change_attribute"),
    )

    def reset(self) -> None:
        """An empty workspace; switches stay as they are."""
        self.clock = time.time
        self.window = Window(lambda: self.clock())
        self.searches = Window(lambda: self.clock())
        self.counted = self.window
        self.attributes = DataAttributes(self.switches)
        self.companies = Companies(self.switches)
        self.contacts = Contacts(self.companies)
        self.people = ContactRecords(self.switches, self.attributes, self.contacts)
        self.scroll = Scroll()
        self.request_id = ""
        self.signed_in = False
        self.version = ""

    def state(self) -> dict[str, Any]:
        """All companies and contacts, and the custom attributes of both models, archived ones too."""
        return {
            "companies": [shown(company) for company in self.companies.by_id.values()],
            "contacts": [dict(contact) for contact in self.people.by_id.values()],
            "data_attributes": [dict(entry) for entry in self.attributes.customs],
        }

    def collections(self) -> dict[str, Collection]:
        attributes = self.attributes
        return {
            "companies": Collection(self.companies.by_id, shown, lambda: attributes.described("company")),
            "contacts": Collection(self.people.by_id, dict, lambda: attributes.described("contact")),
        }

    def archive(self, kind: str, name: str, archived: bool) -> None:
        self.attributes.set_archived({"companies": "company", "contacts": "contact"}[kind], name, archived)

    def example(self, number: int) -> None:
        self.companies.preload(example_company(number), self._now())

    def error_reply(self, status: int, message: str = "") -> Reply:
        return refused(status, message, self.request_id or str(uuid.uuid4()), self._now())

    def guard(self, request: Request) -> Reply | None:
        """Token, limit, version, media types, plan, permission: in this order."""
        self.request_id = str(uuid.uuid4())
        self.signed_in = False
        self.version = request.headers.get("intercom-version") or str(self.switches.get("app_version", "2.16"))
        try:
            self._sign_in(request)
            self._count(request)
            self._admit(request)
        except Refused as refused:
            return refused.reply(self.request_id)
        return None

    def unknown(self, request: Request) -> Reply:
        """Also a wrong method is not found at Intercom."""
        return Refused(404, "not_found", "The requested resource was not found").reply(self.request_id)

    def headers(self, request: Request) -> dict[str, str]:
        """Nothing of the limit without a good token."""
        said = {"X-Request-Id": self.request_id, "Intercom-Version": self.version}
        return {**said, **self.counted.headers} if self.signed_in else said

    def me(self, request: Request) -> Reply:
        admin = "991267459"
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
        who = {
            "type": "admin",
            "id": admin,
            "email": "admin@example.com",
            "name": "Sandbox admin",
            "email_verified": True,
        }
        return Reply(body={**who, "app": app, "avatar": {"type": "avatar", "image_url": None}, "has_inbox_seat": True})

    def save_company(self, request: Request) -> Reply:
        sent = json_object(request)
        allowed = CREATABLE | ({"update_last_request_at"} if self._has_last_request() else set())
        values = checked(sent, allowed, self.attributes, self.switches)
        company_id = self._company_id(sent)
        if values.pop("update_last_request_at", False):
            values["last_request_at"] = self._now()
        self._check_race(self.companies.find(company_id))
        return Reply(body=shown(self.companies.save(company_id, values, self._now())))

    def find_companies(self, request: Request) -> Reply:
        if "company_id" in request.query:
            return self._one(self.companies.find(request.query["company_id"]))
        if "name" in request.query:
            named = [company for company in self.companies.visible() if company.get("name") == request.query["name"]]
            return self._one(named[0] if named and self.switches.get("find_by_name", "visible") == "visible" else None)
        if "tag_id" in request.query or "segment_id" in request.query:
            return Reply(body=listed([], request))
        if self.switches.get("list_without_filter"):
            return Reply(body=listed(self.companies.visible(), request))
        raise Refused(400, "parameter_not_found", "company_id, name, tag_id or segment_id not specified")

    def list_companies(self, request: Request) -> Reply:
        return Reply(body=company_page(self.companies.visible(), request))

    def scroll_companies(self, request: Request) -> Reply:
        return Reply(body=self.scroll.next(request.query.get("scroll_param", ""), self.companies, self.clock()))

    def show_company(self, request: Request, remote_id: str) -> Reply:
        return Reply(body=shown(self.companies.get(remote_id)))

    def update_company(self, request: Request, remote_id: str) -> Reply:
        sent = json_object(request)
        created_at = self.switches.get("put_remote_created_at", "accept")
        allowed = UPDATABLE if created_at == "refuse" else UPDATABLE | {"remote_created_at"}
        company = self.companies.get(remote_id)
        values = checked(sent, allowed, self.attributes, self.switches)
        if created_at == "ignore":
            values.pop("remote_created_at", None)
        return Reply(body=shown(self.companies.apply(company, values, self._now())))

    def delete_company(self, request: Request, remote_id: str) -> Reply:
        self.companies.delete(remote_id)
        self.contacts.forget(remote_id)
        return Reply(body={"id": remote_id, "object": "company", "deleted": True})

    def contacts_of_company(self, request: Request, remote_id: str) -> Reply:
        self.companies.get(remote_id)
        return Reply(body=self.contacts.of_company(remote_id))

    def segments_of_company(self, request: Request, remote_id: str) -> Reply:
        self.companies.get(remote_id)
        return Reply(body={"type": "list", "data": []})

    def attach(self, request: Request, contact_id: str) -> Reply:
        remote_id = json_object(request).get("id") if request.body else None
        if not remote_id:
            raise Refused(400, "parameter_not_found", "company not specified")
        return Reply(body=shown(self.contacts.attach(contact_id, str(remote_id))))

    def companies_of_contact(self, request: Request, contact_id: str) -> Reply:
        companies = [self.companies.get(remote_id) for remote_id in self.contacts.of_contact(contact_id)]
        return Reply(body=listed(companies, request))

    def detach(self, request: Request, contact_id: str, remote_id: str) -> Reply:
        return Reply(body=shown(self.contacts.detach(contact_id, remote_id)))

    def list_attributes(self, request: Request) -> Reply:
        model = request.query.get("model", "")
        if model == "conversation" and self._has_last_request():
            raise Refused(422, "parameter_invalid", "The Data Attribute model field must be either contact or company")
        found = [
            entry
            for wanted in ([model] if model else ["contact", "company"])
            for entry in self.attributes.listed(wanted, archived=request.query.get("include_archived") == "true")
        ]
        return Reply(body={"type": "list", "data": found})

    def create_attribute(self, request: Request) -> Reply:
        return Reply(body=self.attributes.create(json_object(request), self._now()))

    def change_attribute(self, request: Request, number: str) -> Reply:
        return Reply(body=self.attributes.change(number, json_object(request), self._now()))

    def _route(self, request: Request) -> Reply:
        try:
            return super()._route(request)
        except Refused as refused:
            return refused.reply(self.request_id)

    def _switch(self, wanted: dict[str, Any]) -> None:
        now = self._now()
        for entry in wanted.pop("data_attributes", ()):
            self.attributes.add(entry, now)
        for entry in wanted.pop("companies", ()):
            self.companies.preload(entry, now)
        for contact in wanted.pop("contacts", ()):
            self.people.preload(contact if isinstance(contact, dict) else {"id": str(contact)}, now)
        super()._switch(wanted)

    def _sign_in(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != self.token:
            raise Refused(401, "unauthorized", "Access Token Invalid")
        if code := self.switches.get("token_error"):
            raise Refused(401, str(code), "Access Token Invalid")
        self.signed_in = True

    def _count(self, request: Request) -> None:
        """One request less of the budget that it belongs to."""
        searches = int(self.switches.get("search_limit_per_window", 0)) if request.path.endswith("/search") else 0
        self.counted = self.searches if searches else self.window
        limit = searches or int(self.switches.get("rate_limit_per_window", 1666))
        self.counted.take(limit, float(self.switches.get("window_seconds", 10)))

    def _admit(self, request: Request) -> None:
        if self.version not in VERSIONS:
            raise Refused(400, "intercom_version_invalid", "Requested resource is not available in current API version")
        check_media(request)
        if self.switches.get("plan_restricted"):
            raise Refused(403, "api_plan_restricted", "Active subscription needed.")
        if scope_of(request) in self.switches.get("missing_scopes", ()):
            raise Refused(401, "token_unauthorized", "Not authorized to access resource")

    def _company_id(self, sent: dict[str, Any]) -> str:
        company_id = sent.get("company_id")
        if company_id is None or company_id == "":
            if self.switches.get("missing_company_id") == "company_not_found":
                raise company_not_found()
            raise Refused(400, "parameter_not_found", "company_id not specified")
        if isinstance(company_id, bool) or not isinstance(company_id, str | int):
            raise Refused(400, "parameter_invalid", "company_id must be a string")
        return str(company_id)

    def _check_race(self, present: Company | None) -> None:
        if present and self._now() - present["created_at"] < float(self.switches.get("unique_race_seconds", 0)):
            raise Refused(400, "unique_company_constraint", "Company already exists.")

    def _one(self, company: Company | None) -> Reply:
        if company is None:
            raise company_not_found()
        if self.switches.get("lookup_as_list"):
            return Reply(body={"type": "list", "data": [shown(company)], "total_count": 1})
        return Reply(body=shown(company))

    def _has_last_request(self) -> bool:
        """Whether the version is 2.16 or later."""
        parts = self.version.split(".")
        return not parts[0].isdigit() or tuple(int(part) for part in parts) >= FIRST_WITH_LAST_REQUEST

    def _now(self) -> int:
        return int(self.clock())
