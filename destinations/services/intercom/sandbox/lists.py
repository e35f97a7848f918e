"""The lists of a simulated Intercom workspace: pages, the scroll, and the contacts of each company."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import ApiError
from destinations.services.intercom.sandbox.companies import Companies, Company, company_json
from destinations.services.intercom.sandbox.rules import company_not_found, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from destinations.sandbox.wire import Request

PER_PAGE = 15
PER_PAGE_LIMIT = 60
LIST_LIMIT = 10_000
SCROLL_PAGE = 100
SCROLL_SECONDS = 60
COMPANIES_PER_CONTACT = 1000
SHOWN = 10
"""How many of its companies the JSON of a contact has."""


def company_page(companies: Sequence[Company], request: Request) -> dict[str, Any]:
    """One page of `POST /companies/list`."""
    page, size = _number(request, "page", 1), _number(request, "per_page", PER_PAGE)
    if page < 1 or size < 1:
        raise invalid("Page and Per Page must be at least 1")
    if size > PER_PAGE_LIMIT:
        raise invalid("Per Page is too big")
    if page * size > LIST_LIMIT:
        raise invalid("page limit reached, please use scroll API")
    if request.query.get("order") == "asc":
        companies = companies[::-1]
    page_count = -(-len(companies) // size)
    next_page = f"https://api.intercom.io/companies/list?page={page + 1}&per_page={size}" if page < page_count else None
    return {
        "type": "list",
        "data": [company_json(company) for company in companies[(page - 1) * size : page * size]],
        "pages": {
            "type": "pages",
            "next": next_page,
            "page": page,
            "per_page": size,
            "total_pages": max(1, page_count),
        },
        "total_count": len(companies),
    }


def company_list(companies: Sequence[Company], request: Request) -> dict[str, Any]:
    """One page of any other list of companies."""
    page, size = max(1, _number(request, "page", 1)), max(1, min(_number(request, "per_page", 50), PER_PAGE_LIMIT))
    page_count = max(1, -(-len(companies) // size))
    next_page = f"https://api.intercom.io{request.path}?page={page + 1}&per_page={size}" if page < page_count else None
    pages = {"type": "pages", "next": next_page, "page": page, "per_page": size, "total_pages": page_count}
    return {
        "type": "list",
        "data": [company_json(company) for company in companies[(page - 1) * size : page * size]],
        "pages": pages,
        "total_count": len(companies),
    }


class Scroll:
    """The scroll through all companies. Only one can be open, and it ends after a minute without a request."""

    def __init__(self) -> None:
        self.param = ""
        self.remaining: list[str] = []
        self.last_request_at = 0.0

    def next(self, param: str, companies: Companies, now: float) -> dict[str, Any]:
        """The next page, or the first page if `param` is empty.

        Raises:
            ApiError: a different scroll is open, or this one has ended.
        """
        open_until = self.last_request_at + SCROLL_SECONDS if self.param else 0.0
        if not param:
            if now < open_until:
                raise ApiError(400, "scroll_exists", "scroll already exists for this workspace")
            self.param = str(uuid.uuid4())
            self.remaining = [company["id"] for company in companies.scrollable()]
        elif param != self.param or now >= open_until:
            raise ApiError(404, "not_found", "scroll parameter not found")
        page, self.remaining = self.remaining[:SCROLL_PAGE], self.remaining[SCROLL_PAGE:]
        self.last_request_at = now
        data = [company_json(companies.by_id[remote_id]) for remote_id in page if remote_id in companies.by_id]
        answer = {"type": "list", "data": data, "pages": None, "total_count": None, "scroll_param": self.param}
        if not data:
            self.param = ""
        return answer


class Memberships:
    """Which contact belongs to which companies."""

    def __init__(self, companies: Companies) -> None:
        self.companies = companies
        self.company_ids: dict[str, list[str]] = {}

    def add(self, contact_id: str) -> None:
        self.company_ids.setdefault(contact_id, [])

    def of_contact(self, contact_id: str) -> list[str]:
        """The Intercom IDs of a contact's companies. Raises ApiError if there is no such contact."""
        if contact_id not in self.company_ids:
            raise ApiError(404, "not_found", "User Not Found")
        return self.company_ids[contact_id]

    def company_ids_of(self, contact_id: str) -> list[str]:
        """The `company_id` of each of a contact's companies."""
        return [self.companies.by_id[remote_id]["company_id"] for remote_id in self.of_contact(contact_id)]

    def shown(self, contact_id: str) -> dict[str, Any]:
        """A contact's companies as its own JSON has them: the IDs of the first ones."""
        ids = self.of_contact(contact_id)
        data = [{"type": "company", "id": remote_id, "url": f"/companies/{remote_id}"} for remote_id in ids[:SHOWN]]
        return {
            "type": "list",
            "data": data,
            "url": f"/contacts/{contact_id}/companies",
            "total_count": len(ids),
            "has_more": len(ids) > SHOWN,
        }

    def of_company(self, remote_id: str) -> dict[str, Any]:
        """The contacts of a company, as the list endpoint returns them."""
        contacts = [{"type": "contact", "id": contact} for contact, ids in self.company_ids.items() if remote_id in ids]
        pages = {"type": "pages", "page": 1, "per_page": 50, "total_pages": 1}
        return {"type": "list", "data": contacts, "total_count": len(contacts), "pages": pages}

    def attach(self, contact_id: str, remote_id: str) -> Company:
        """Attaches the contact to the company."""
        ids, company = self.of_contact(contact_id), self.companies.get(remote_id)
        if remote_id not in ids:
            if len(ids) >= COMPANIES_PER_CONTACT:
                raise ApiError(
                    400,
                    "contact_company_limit_exceeded",
                    "Contact has reached the maximum of 1000 company associations",
                )
            ids.append(remote_id)
            company["user_count"] += 1
        return company

    def detach(self, contact_id: str, remote_id: str) -> Company:
        """Detaches the contact from the company."""
        ids, company = self.of_contact(contact_id), self.companies.get(remote_id)
        if remote_id not in ids:
            raise company_not_found()
        ids.remove(remote_id)
        company["user_count"] -= 1
        return company

    def detach_all(self, remote_id: str) -> None:
        """Detaches all contacts from a company that was deleted."""
        for ids in self.company_ids.values():
            if remote_id in ids:
                ids.remove(remote_id)


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query.get(name, default))
    except ValueError:
        raise invalid(f"{name} must be a number") from None
