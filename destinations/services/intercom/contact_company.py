"""The company of a contact: which requests a mapped company needs besides the one for the contact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import Rejected, Unavailable
from destinations.contract import Outcome, Result, Verb
from destinations.services.intercom import links
from destinations.services.intercom.attributes import LINK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.contract import Held, Operation, Wire
    from destinations.services.intercom.client import IntercomClient


@dataclass(frozen=True)
class Link:
    """The company that a contact is to belong to.

    Args:
        company: Intercom's ID; "" if the link is to be cleared, None if Intercom has no such company.
        only: the contact is detached from all other companies.
    """

    company: str | None
    only: bool


@dataclass(frozen=True)
class Shown:
    """Intercom's IDs of a contact's companies, as its JSON lists them. `whole`: there are no others."""

    ids: tuple[str, ...] = ()
    whole: bool = False


def shown(contact: Mapping[str, Any]) -> Shown:
    """PURE. The companies in the JSON of a contact, which lists the first ten."""
    companies = contact.get("companies")
    listed = companies.get("data") if isinstance(companies, dict) else None
    if not isinstance(companies, dict) or not isinstance(listed, list):
        return Shown()
    ids = tuple(str(company["id"]) for company in listed if isinstance(company, dict) and company.get("id"))
    return Shown(ids, companies.get("has_more") is False or companies.get("total_count") == len(ids))


def holds(wire: Wire, company_ids: Sequence[str] | None, *, adds: bool) -> bool:
    """PURE. Whether a contact belongs to the company already.

    Args:
        wire: the company_id. None clears the link, which detaches the contact if others are detached, too.
        company_ids: those of the contact's companies; None if they are not known.
        adds: the contact stays attached to other companies.
    """
    if wire is None:
        return adds or (company_ids is not None and not company_ids)
    return company_ids is not None and wire in company_ids and (adds or len(company_ids) == 1)


def without_link(operation: Operation) -> Operation:
    """PURE. The same operation without the company, which the request for the contact does not take."""
    values = {name: value for name, value in operation.values.items() if name != LINK}
    return replace(operation, values=values, changed=operation.changed - {LINK})


def planned(client: IntercomClient, operation: Operation) -> Link | None:
    """The link that an operation writes; None if it writes none.

    The company is looked up before the contact is written, so that a lookup that fails leaves nothing half done.
    """
    if LINK not in (operation.changed if operation.verb is Verb.UPDATE else operation.values):
        return None
    company_id, only = operation.values[LINK], LINK not in operation.add
    if company_id is None:
        return Link("", only) if only else None
    return Link(links.find_company(client, str(company_id)), only)


def write(client: IntercomClient, link: Link, outcome: Outcome, before: Shown) -> Outcome:
    """Links a contact that was accepted, and returns its outcome. No request is sent for what is there already.

    Args:
        before: the companies that it had before, as far as they are known.

    Raises:
        Rejected: Intercom does not accept the link, and nothing else was sent for the contact.
    """
    try:
        if link.company is None:
            raise links.unknown_company()
        request_ids = _written(client, link, outcome.remote_id, before)
    except Unavailable as problem:
        # The contact was written, so a create that is sent again finds one of ours.
        problem.ambiguous = problem.ambiguous or bool(outcome.sent)
        raise
    except Rejected as problem:
        if problem.code == links.CONTACT_GONE:
            return Outcome(Result.GONE)
        if problem.code != links.COMPANY_UNKNOWN and not outcome.sent:
            raise
        return replace(outcome, waiting={LINK: problem})
    if not request_ids:
        return outcome
    return replace(outcome, sent=(*outcome.sent, LINK), request_id=request_ids[-1])


def _written(client: IntercomClient, link: Link, contact_id: str, before: Shown) -> list[str]:
    """Attaches the contact, and then detaches it from the other companies. Returns the IDs of the requests."""
    answers = (
        [links.attach(client, contact_id, link.company)] if link.company and link.company not in before.ids else []
    )
    others = _all_ids(client, contact_id, before) if link.only else ()
    answers += [links.detach(client, contact_id, company) for company in others if company != link.company]
    return answers


def _all_ids(client: IntercomClient, contact_id: str, before: Shown) -> Sequence[str]:
    if before.whole:
        return before.ids
    return [str(company.get("id")) for company in links.companies_of(client, contact_id)]


def held_values(contact: Mapping[str, Any]) -> dict[str, Any]:
    """PURE. The company_ids of a contact's companies as far as its JSON shows them: only that there are none.

    `companies` is what it shows, from which `complete` continues.
    """
    known = shown(contact)
    return {LINK: None if known.ids or not known.whole else [], "companies": known}


def complete(client: IntercomClient, held: Held) -> Held:
    """With the company_ids of all of the contact's companies. No request if other answers had all of them."""
    known: Shown = held.values["companies"]
    if not known.whole or not all(remote_id in client.company_names for remote_id in known.ids):
        companies = links.companies_of(client, held.remote_id)
        known = Shown(tuple(str(company.get("id")) for company in companies), whole=True)
    return replace(held, values={**held.values, LINK: [client.company_names[remote_id] for remote_id in known.ids]})


def text(held: Held) -> str | None:
    """PURE. The company_ids of a contact as people read them; None if it has none, or if they were not read."""
    return ", ".join(held.values.get(LINK) or ()) or None
