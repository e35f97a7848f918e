"""Makes companies visible that Intercom hides because they have no contact: attaches contacts that Intercom has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import Candidate, Field, Purpose, Revealed, Reveals
from destinations.services.intercom import errors, links
from destinations.services.intercom.contacts import EMAIL, ROLE, USER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from destinations.services.intercom.client import IntercomClient

EXTERNAL_ID = "external_id"
REVEALS = Reveals(
    ("contact", "contacts"),
    (Field(EXTERNAL_ID, "External ID", "string"), Field(EMAIL, "Email", "string")),
)
PAGE = 150
"""The largest page of a search."""


def reveal(
    client: IntercomClient, company_id: str, candidates: Sequence[Candidate], at_most: int, *, is_hidden: bool
) -> Revealed:
    """Attaches contacts to a company: at most two searches, one for each attribute, and one write for each link.

    A contact that has the most companies that Intercom allows is passed over for the next one.

    Args:
        company_id: Intercom's ID.

    Raises:
        Rejected: the company no longer exists.
    """
    attached: dict[str, None] = {}
    refusals: list[Rejected] = []
    request_id = ""
    for contact_id in _known(client, candidates, refusals):
        if not is_hidden:
            if (user_count := _user_count(client, company_id)) is None:
                raise _gone()
            if user_count:
                return Revealed(was_visible=True)
            is_hidden = True
        try:
            request_id = links.attach(client, contact_id, company_id)
        except Rejected as refusal:
            if refusal.code == links.COMPANY_UNKNOWN:
                raise _gone(refusal.request_id) from refusal
            refusals.append(refusal)
            continue
        attached[contact_id] = None
        if len(attached) == at_most:
            break
    return Revealed(tuple(attached), tuple(refusals), request_id=request_id)


def _known(client: IntercomClient, candidates: Sequence[Candidate], refusals: list[Rejected]) -> Iterator[str]:
    """The IDs of the contacts that the candidates find, each once: first by external ID, the others by email.

    Args:
        refusals: receives why a candidate that finds several contacts finds none.
    """
    rest, seen = list(candidates), set()
    for field in REVEALS.found_by:
        wanted = {str(candidate[field.name]) for candidate in rest if field.name in candidate}
        contacts = _search(client, field.name, sorted(wanted)) if wanted else []
        missing = []
        for candidate in rest:
            try:
                contact = _match(candidate, field.name, contacts)
            except Rejected as refusal:
                refusals.append(refusal)
                continue
            if contact is None:
                missing.append(candidate)
            elif contact["id"] not in seen:
                seen.add(contact["id"])
                yield str(contact["id"])
        rest = missing


def _search(client: IntercomClient, name: str, values: Sequence[str]) -> list[Mapping[str, Any]]:
    query = {"query": {"field": name, "operator": "IN", "value": list(values)}, "pagination": {"per_page": PAGE}}
    answer = client.call(Purpose.LOOKUP, "POST", "/contacts/search", json=query)
    contacts = answer.entries("data")
    if contacts is None:
        raise errors.TABLE.unusable(answer)
    return [contact for contact in contacts if contact.get("id")]


def _match(candidate: Candidate, name: str, contacts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The contact of a candidate, users before leads. A contact with a different external ID is a different person.

    Raises:
        Rejected: several contacts match, so any choice would be a guess.
    """
    if name not in candidate:
        return None
    matching = [
        contact
        for contact in contacts
        if _is_same(name, contact.get(name), candidate[name]) and not _contradicts(candidate, contact)
    ]
    best = [contact for contact in matching if contact.get(ROLE) == USER] or matching
    if len(best) > 1:
        raise errors.contacts_ambiguous(name, len(best), "")
    return best[0] if best else None


def _is_same(name: str, held: Any, wanted: Any) -> bool:
    if not isinstance(held, str):
        return False
    return held.casefold() == str(wanted).casefold() if name == EMAIL else held == str(wanted)


def _contradicts(candidate: Candidate, contact: Mapping[str, Any]) -> bool:
    known = contact.get(EXTERNAL_ID)
    return bool(known) and EXTERNAL_ID in candidate and known != str(candidate[EXTERNAL_ID])


def _user_count(client: IntercomClient, company_id: str) -> int | None:
    """How many contacts a company has; None if it no longer exists."""
    answer = client.get(company_id)
    return int(answer.body.get("user_count") or 0) if answer else None


def _gone(request_id: str = "") -> Rejected:
    message = "The company was deleted in Intercom. It is created again when its row is sent, if the mode allows it."
    return Rejected("company_gone", message, request_id=request_id)
