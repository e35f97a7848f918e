"""The lists of a simulated Intercom workspace: pages, the scroll, and which contacts belong to which companies."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from destinations.services.intercom.sandbox.companies import Companies, Company, shown
from destinations.services.intercom.sandbox.rules import Refused, company_not_found, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from destinations.sandbox.wire import Request

PER_PAGE = 15
PER_PAGE_AT_MOST = 60
LISTED_AT_MOST = 10_000
SCROLL_PAGE = 100
SCROLL_SECONDS = 60
COMPANIES_OF_A_CONTACT = 1000


def company_page(companies: Sequence[Company], request: Request) -> dict[str, Any]:
    """One page of `POST /companies/list`."""
    page, size = _number(request, "page", 1), _number(request, "per_page", PER_PAGE)
    if page < 1 or size < 1:
        raise invalid("Page and Per Page must be at least 1")
    if size > PER_PAGE_AT_MOST:
        raise invalid("Per Page is too big")
    if page * size > LISTED_AT_MOST:
        raise invalid("page limit reached, please use scroll API")
    if request.query.get("order") == "asc":
        companies = companies[::-1]
    total = -(-len(companies) // size)
    following = f"https://api.intercom.io/companies/list?page={page + 1}&per_page={size}" if page < total else None
    return {
        "type": "list",
        "data": [shown(company) for company in companies[(page - 1) * size : page * size]],
        "pages": {"type": "pages", "next": following, "page": page, "per_page": size, "total_pages": max(1, total)},
        "total_count": len(companies),
    }


def listed(companies: Sequence[Company], request: Request) -> dict[str, Any]:
    """The first page of another list of companies."""
    size = min(_number(request, "per_page", 50), PER_PAGE_AT_MOST)
    pages = {"type": "pages", "next": None, "page": 1, "per_page": size, "total_pages": 1}
    return {
        "type": "list",
        "data": [shown(company) for company in companies[:size]],
        "pages": pages,
        "total_count": len(companies),
    }


class Scroll:
    """At most one open scroll; a minute without a call ends it."""

    def __init__(self) -> None:
        self.param = ""
        self.left: list[str] = []
        self.touched = 0.0

    def next(self, param: str, companies: Companies, now: float) -> dict[str, Any]:
        """The next page, or the first without `param`.

        Raises:
            Refused: another scroll is open, or this one has ended.
        """
        open_until = self.touched + SCROLL_SECONDS if self.param else 0.0
        if not param:
            if now < open_until:
                raise Refused(400, "scroll_exists", "scroll already exists for this workspace")
            self.param, self.left = str(uuid.uuid4()), [company["id"] for company in companies.scrolled()]
        elif param != self.param or now >= open_until:
            raise Refused(404, "not_found", "scroll parameter not found")
        page, self.left, self.touched = self.left[:SCROLL_PAGE], self.left[SCROLL_PAGE:], now
        data = [shown(companies.by_id[remote_id]) for remote_id in page if remote_id in companies.by_id]
        answer = {"type": "list", "data": data, "pages": None, "total_count": None, "scroll_param": self.param}
        if not data:
            self.param = ""
        return answer


class Contacts:
    """Contacts by their id, and the companies that each belongs to."""

    def __init__(self, companies: Companies) -> None:
        self.companies = companies
        self.attached: dict[str, list[str]] = {}

    def add(self, contact_id: str) -> None:
        self.attached.setdefault(contact_id, [])

    def of_contact(self, contact_id: str) -> list[str]:
        """Intercom's ids of a contact's companies. Raises Refused where there is no such contact."""
        if contact_id not in self.attached:
            raise Refused(404, "not_found", "User Not Found")
        return self.attached[contact_id]

    def of_company(self, remote_id: str) -> dict[str, Any]:
        """The contacts of a company as a list."""
        found = [{"type": "contact", "id": name} for name, companies in self.attached.items() if remote_id in companies]
        pages = {"type": "pages", "page": 1, "per_page": 50, "total_pages": 1}
        return {"type": "list", "data": found, "total_count": len(found), "pages": pages}

    def attach(self, contact_id: str, remote_id: str) -> Company:
        """Makes the contact one of the company."""
        attached, company = self.of_contact(contact_id), self.companies.get(remote_id)
        if remote_id not in attached:
            if len(attached) >= COMPANIES_OF_A_CONTACT:
                raise Refused(
                    400,
                    "contact_company_limit_exceeded",
                    "Contact has reached the maximum of 1000 company associations",
                )
            attached.append(remote_id)
            company["user_count"] += 1
        return company

    def detach(self, contact_id: str, remote_id: str) -> Company:
        """Ends it."""
        attached, company = self.of_contact(contact_id), self.companies.get(remote_id)
        if remote_id not in attached:
            raise company_not_found()
        attached.remove(remote_id)
        company["user_count"] -= 1
        return company

    def forget(self, remote_id: str) -> None:
        """Detaches everyone from a company that is gone."""
        for attached in self.attached.values():
            if remote_id in attached:
                attached.remove(remote_id)


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query.get(name, default))
    except ValueError:
        raise invalid(f"{name} must be a number") from None
