"""The endpoints for companies of a simulated Intercom workspace, and for the contacts attached to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import ApiError, Reply, Request
from destinations.services.intercom.sandbox.companies import CREATABLE, UPDATABLE, company_json, validated_values
from destinations.services.intercom.sandbox.lists import company_list, company_page
from destinations.services.intercom.sandbox.rules import company_not_found, json_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.services.intercom.sandbox.attributes import DataAttributes
    from destinations.services.intercom.sandbox.companies import Companies, Company
    from destinations.services.intercom.sandbox.contacts import Contacts
    from destinations.services.intercom.sandbox.lists import Memberships, Scroll

ROUTES = (
    ("POST", "/companies", "save_company"),
    ("GET", "/companies", "find_companies"),
    ("POST", "/companies/list", "list_companies"),
    ("GET", "/companies/scroll", "scroll_companies"),
    ("GET", "/companies/([^/]+)", "show_company"),
    ("PUT", "/companies/([^/]+)", "update_company"),
    ("DELETE", "/companies/([^/]+)", "delete_company"),
    ("GET", "/companies/([^/]+)/contacts", "contacts_of_company"),
    ("GET", "/companies/([^/]+)/segments", "segments_of_company"),
    ("POST", "/contacts/([^/]+)/companies", "attach"),
    ("GET", "/contacts/([^/]+)/companies", "companies_of_contact"),
    ("DELETE", "/contacts/([^/]+)/companies/([^/]+)", "detach"),
)


class CompanyEndpoints:
    """Mixin with the endpoints for companies. The sandbox class provides the attributes."""

    attributes: DataAttributes
    clock: Callable[[], float]
    companies: Companies
    contacts: Contacts
    memberships: Memberships
    scroll: Scroll
    switches: dict[str, Any]

    def _now(self) -> int:
        raise NotImplementedError

    def _since_2_16(self) -> bool:
        raise NotImplementedError

    def save_company(self, request: Request) -> Reply:
        sent = json_object(request)
        allowed = CREATABLE | ({"update_last_request_at"} if self._since_2_16() else set())
        values = validated_values(sent, allowed, self.attributes, self.switches)
        company_id = self._company_id(sent)
        if values.pop("update_last_request_at", False):
            values["last_request_at"] = self._now()
        self._check_race(self.companies.find(company_id))
        return Reply(body=company_json(self.companies.save(company_id, values, self._now())))

    def find_companies(self, request: Request) -> Reply:
        if "company_id" in request.query:
            return self._lookup_reply(self.companies.find(request.query["company_id"]))
        if "name" in request.query:
            matching = [company for company in self.companies.visible() if company.get("name") == request.query["name"]]
            findable = self.switches.get("find_by_name", "visible") == "visible"
            return self._lookup_reply(matching[0] if matching and findable else None)
        if "tag_id" in request.query or "segment_id" in request.query:
            return Reply(body=company_list([], request))
        if self.switches.get("list_without_filter"):
            return Reply(body=company_list(self.companies.visible(), request))
        raise ApiError(400, "parameter_not_found", "company_id, name, tag_id or segment_id not specified")

    def list_companies(self, request: Request) -> Reply:
        return Reply(body=company_page(self.companies.visible(), request))

    def scroll_companies(self, request: Request) -> Reply:
        return Reply(body=self.scroll.next(request.query.get("scroll_param", ""), self.companies, self.clock()))

    def show_company(self, request: Request, remote_id: str) -> Reply:
        return Reply(body=company_json(self.companies.get(remote_id)))

    def update_company(self, request: Request, remote_id: str) -> Reply:
        sent = json_object(request)
        mode = self.switches.get("put_remote_created_at", "accept")
        allowed = UPDATABLE if mode == "refuse" else UPDATABLE | {"remote_created_at"}
        company = self.companies.get(remote_id)
        values = validated_values(sent, allowed, self.attributes, self.switches)
        if mode == "ignore":
            values.pop("remote_created_at", None)
        return Reply(body=company_json(self.companies.apply(company, values, self._now())))

    def delete_company(self, request: Request, remote_id: str) -> Reply:
        self.companies.delete(remote_id)
        self.memberships.detach_all(remote_id)
        return Reply(body={"id": remote_id, "object": "company", "deleted": True})

    def contacts_of_company(self, request: Request, remote_id: str) -> Reply:
        self.companies.get(remote_id)
        return Reply(body=self.memberships.of_company(remote_id))

    def segments_of_company(self, request: Request, remote_id: str) -> Reply:
        self.companies.get(remote_id)
        return Reply(body={"type": "list", "data": []})

    def attach(self, request: Request, contact_id: str) -> Reply:
        remote_id = json_object(request).get("id") if request.body else None
        if not remote_id:
            raise ApiError(400, "parameter_not_found", "company not specified")
        self.contacts.get(contact_id)
        return Reply(body=company_json(self.memberships.attach(contact_id, str(remote_id))))

    def companies_of_contact(self, request: Request, contact_id: str) -> Reply:
        self.contacts.get(contact_id)
        companies = [self.companies.get(remote_id) for remote_id in self.memberships.of_contact(contact_id)]
        return Reply(body=company_list(companies, request))

    def detach(self, request: Request, contact_id: str, remote_id: str) -> Reply:
        self.contacts.get(contact_id)
        return Reply(body=company_json(self.memberships.detach(contact_id, remote_id)))

    def _company_id(self, sent: dict[str, Any]) -> str:
        company_id = sent.get("company_id")
        if company_id is None or company_id == "":
            if self.switches.get("missing_company_id") == "company_not_found":
                raise company_not_found()
            raise ApiError(400, "parameter_not_found", "company_id not specified")
        if isinstance(company_id, bool) or not isinstance(company_id, str | int):
            raise ApiError(400, "parameter_invalid", "company_id must be a string")
        return str(company_id)

    def _check_race(self, present: Company | None) -> None:
        if present and self._now() - present["created_at"] < float(self.switches.get("unique_race_seconds", 0)):
            raise ApiError(400, "unique_company_constraint", "Company already exists.")

    def _lookup_reply(self, company: Company | None) -> Reply:
        if company is None:
            raise company_not_found()
        if self.switches.get("lookup_as_list"):
            return Reply(body={"type": "list", "data": [company_json(company)], "total_count": 1})
        return Reply(body=company_json(company))
