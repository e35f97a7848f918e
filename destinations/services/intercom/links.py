"""Links contacts to companies, both by Intercom's IDs. No other request writes such a link.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io/companies/attachcontacttoacompany
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core.errors import Rejected
from destinations.contract import Purpose
from destinations.kit.answer import Answer
from destinations.services.intercom import errors
from destinations.services.intercom.attributes import LINK, MATCH
from destinations.services.intercom.bodies import company_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.errors import Problem
    from destinations.kit.answer import Failure
    from destinations.services.intercom.client import IntercomClient

CONTACT_GONE, COMPANY_UNKNOWN = "contact_gone", "company_unknown"


def find_company(client: IntercomClient, company_id: str) -> str | None:
    """Intercom's ID of the company with this company_id, or None. Each is looked up once in the life of a client.

    Threads that need the same company wait for one lookup.
    """
    with client.company_lookups.setdefault(company_id, Lock()):
        if company_id not in client.company_ids:
            company = company_in(client.find(company_id), company_id)
            client.company_ids[company_id] = str(company["id"]) if company else None
            if company:
                client.company_names[str(company["id"])] = company_id
        return client.company_ids[company_id]


def attach(client: IntercomClient, contact_id: str, company_id: str) -> str:
    """Attaches a contact to a company. Repeating it changes nothing.

    Args:
        contact_id, company_id: Intercom's IDs.

    Returns:
        Intercom's ID of the request.

    Raises:
        Rejected: Intercom has no such contact (`contact_gone`) or company (`company_unknown`), or the contact has the
            most companies that Intercom allows.
    """
    answer = client.send(Purpose.WRITE, "POST", _path(contact_id), json={"id": company_id})
    if isinstance(answer, Answer):
        return answer.request_id
    raise _problem(answer)


def detach(client: IntercomClient, contact_id: str, company_id: str) -> str:
    """Detaches a contact from a company. Repeating it changes nothing. See `attach`."""
    answer = client.send(Purpose.WRITE, "DELETE", f"{_path(contact_id)}/{quote(company_id, safe='')}")
    if not isinstance(answer, Answer) and _problem(answer).code != COMPANY_UNKNOWN:
        raise _problem(answer)
    return answer.request_id


def companies_of(client: IntercomClient, contact_id: str) -> list[Mapping[str, Any]]:
    """All companies of a contact, with the ID and the company_id of each. One request for each page.

    Raises:
        Rejected: Intercom has no such contact (`contact_gone`).
    """
    companies: list[Mapping[str, Any]] = []
    page, pages = 1, 1
    while page <= pages:
        params = {"page": page} if page > 1 else None
        answer = client.send(Purpose.LOOKUP, "GET", _path(contact_id), params=params)
        if not isinstance(answer, Answer):
            raise _problem(answer)
        # The schema and its example disagree about the name of the list.
        listed = answer.entries("data") if "data" in answer.body else answer.entries("companies")
        if listed is None:
            raise errors.TABLE.unusable(answer)
        companies += listed
        page, pages = page + 1, int(answer.text("pages", "total_pages") or 1)
    client.company_names.update({str(company.get("id")): str(company.get(MATCH)) for company in companies})
    return companies


def unknown_company(request_id: str = "") -> Rejected:
    """Why a link waits: the company is not in Intercom yet."""
    return Rejected(
        COMPANY_UNKNOWN,
        "Intercom has no company with this company_id yet. The contact is attached in the first run after the company "
        "is there. Synchronize companies first.",
        field=LINK,
        request_id=request_id,
    )


def _problem(failure: Failure) -> Problem:
    """The problem of a request about a contact and a company, either of which may be gone.

    Intercom has two codes for a company that is gone, and one of them is also that of a contact.
    """
    is_missing = failure.status == 404 and failure.code in errors.GONE
    if failure.status == 410 or (is_missing and "user" in failure.message.casefold()):
        message = "The contact was deleted in Intercom, or merged into a different one."
        return Rejected(CONTACT_GONE, message, request_id=failure.request_id)
    return unknown_company(failure.request_id) if is_missing else errors.problem(failure)


def _path(contact_id: str) -> str:
    return f"/contacts/{quote(contact_id, safe='')}/companies"
