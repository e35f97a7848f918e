"""Synchronizes contacts to Intercom: users and leads, found by email or external ID, known ones updated by Intercom ID.

If the contact already exists, a create gets a 409 with its ID:
https://developers.intercom.com/docs/references/rest-api/errors
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import (
    NO_ORIGIN,
    Field,
    Held,
    Limits,
    Mode,
    NewField,
    Operation,
    Origin,
    Outcome,
    Plain,
    Purpose,
    Result,
    Service,
    Verb,
    Wire,
)
from destinations.kit.answer import Answer
from destinations.services.intercom import contact_company, custom_attributes, errors
from destinations.services.intercom.attributes import CONTACT, LINK, to_fields
from destinations.services.intercom.bodies import (
    attribute_values,
    check_cleared,
    holds,
    holds_nothing,
    request_body,
    shown,
    timestamp,
)
from destinations.services.intercom.contact_company import Shown
from destinations.services.intercom.platform import PLATFORM
from destinations.services.intercom.values import conversion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from destinations.services.intercom.client import IntercomClient

EMAIL, ROLE, USER = "email", "role", "user"
SEARCH_PAGE = 50
_EXISTS = re.compile(
    r"(?P<archived>archived )?contact matching those details already exists with id=(?P<id>\w+)", re.IGNORECASE
)


class IntercomContacts(Service):
    """The contacts of a workspace, with their custom attributes."""

    slug = "intercom.contacts"
    label = "Synchronize contacts"
    record_nouns = ("contact", "contacts")
    summary = "Keep users and leads in Intercom up to date with what you know."
    platform = PLATFORM
    accepts = ("users", "custom")
    default_mode = Mode.UPDATE
    limits = Limits(reads=166, writes=166, shared=True, find_batch=1)
    default_match = "external_id"
    match_may_change = True
    compares = True
    creates_fields = True
    links, waits_for = frozenset({LINK}), "their company"
    notes = (
        "A contact is a user or a lead. New contacts become users unless the role attribute is mapped.",
        "Several contacts may share an email address. A user then takes precedence over leads. If several users share "
        "the address, the record is rejected. External IDs are unique.",
        "Intercom's search finds a new contact only a short time after it was created.",
        "Map the attribute company to the company_id of each contact's company, and the contact is attached to it. "
        "Synchronize companies first: a contact whose company is not in Intercom yet is written without it, and "
        "attached in the first run after the company is there.",
        "Custom attributes are created in Intercom with the type of their column. Their names must be unique across "
        "companies and contacts.",
    )

    def fields(self, client: IntercomClient) -> list[Field]:
        """Standard and custom attributes. See `attributes` for archived ones and those of companies."""
        return to_fields(client.attributes("contact"), client.attributes("company"), CONTACT)

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        """PURE. See the table in `values.conversion`."""
        return conversion.convert(field, value, origin)

    def plain(self, field: Field, type_name: str) -> Plain | None:
        """PURE. See `values.conversion`."""
        return conversion.plain(field, type_name)

    def takes_country(self, field: Field) -> bool:
        """PURE. Only the standard phone attribute takes phone numbers."""
        return field.name == "phone" and not field.custom

    def empty(self, field: Field) -> Wire:
        """PURE. Null. Whether Intercom really cleared the attribute is checked in its answer."""
        if field.name == ROLE and not field.custom:
            raise Rejected("role_empty", "Every contact is a user or a lead, so the role can't be cleared.", field=ROLE)
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        """PURE. Email addresses are compared ignoring case, external IDs exactly."""
        return str(wire).casefold() if field.name == EMAIL else str(wire)

    def find(self, client: IntercomClient, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        """Searches for each contact by its email address or external ID.

        Raises:
            Rejected: several users share the email address, so any choice would be a guess.
        """
        found = {identity: self._search(client, match_field, identity) for identity in identities}
        return {identity: held for identity, held in found.items() if held}

    def read(self, client: IntercomClient, match_field: Field, remote_id: str) -> Held | None:
        answer = client.call_or_none(Purpose.LOOKUP, "GET", f"/contacts/{remote_id}")
        return _held(answer.body) if answer else None

    def same(self, field: Field, wire: Wire, held: Held, *, adds: bool = False) -> bool:
        """PURE. See `bodies.holds`, and for the company `contact_company.holds`."""
        if field.name == LINK and not field.custom:
            return contact_company.holds(wire, held.values.get(LINK), adds=adds)
        return holds(field.name, wire, held.values, ignores_case=field.name == EMAIL and not field.custom)

    def shown(self, field: Field, held: Held) -> Any:
        """PURE. See `bodies.shown`. Intercom returns no author of a value."""
        return contact_company.text(held) if field.name == LINK else shown(field, held.values)

    def complete(self, client: IntercomClient, held: Held, names: Collection[str]) -> Held:
        """Requests the companies of the contact. Its own JSON has only the IDs of the first ten."""
        return contact_company.complete(client, held) if LINK in names else held

    def is_empty(self, field: Field, held: Held) -> bool:
        """PURE. See `bodies.holds_nothing`."""
        return held.values.get(LINK) == [] if field.name == LINK else holds_nothing(field.name, held.values)

    def write(self, client: IntercomClient, operation: Operation) -> Outcome:
        """Writes one contact with one request, or with three if an upsert turns out to be for an existing contact.

        The two additional requests read the existing contact and update it by its ID. A company takes one more.

        Raises:
            Rejected: among other reasons, because the details belong to an archived contact, or to a different one,
                which is named.
        """
        link = contact_company.planned(client, operation)
        outcome, before = self._write(client, contact_company.without_link(operation))
        if link is None or outcome.result != Result.ACCEPTED:
            return outcome
        return contact_company.write(client, link, outcome, before)

    def _write(self, client: IntercomClient, operation: Operation) -> tuple[Outcome, Shown]:
        """Writes the contact, and returns what its answer shows of its companies."""
        values = {operation.match_field: operation.match_value, **operation.values}
        if operation.verb is Verb.UPDATE:
            sent = {name: value for name, value in values.items() if name in operation.changed}
            return _put(client, operation.remote_id, sent)
        return self._create(client, operation, values)

    def _create(self, client: IntercomClient, operation: Operation, sent: Mapping[str, Wire]) -> tuple[Outcome, Shown]:
        """Creates the contact, or updates the existing one with the same match value.

        Intercom has no upsert for contacts. A create that gets a 409 names the contact with the same details, but any
        of them may have caused it. For example, the record's email address is new, but its external ID belongs to
        someone else: updating that contact would overwrite a different person. So it is read and compared first.
        """
        answer = client.send(Purpose.WRITE, "POST", "/contacts", json=request_body({ROLE: USER, **sent}, CONTACT))
        if isinstance(answer, Answer):
            return _accepted(answer, sent)
        existing = _EXISTS.search(answer.message) if answer.status == 409 else None
        if existing and existing["archived"]:
            raise errors.contact_archived(existing["id"], answer.request_id)
        if existing is None or not self._is_match(client, operation, existing["id"]):
            raise errors.problem(answer)
        if operation.verb is Verb.CREATE:
            return Outcome(Result.EXISTS, existing["id"]), Shown()
        rest = {name: value for name, value in sent.items() if name != operation.match_field}
        return _put(client, existing["id"], rest)

    def _is_match(self, client: IntercomClient, operation: Operation, remote_id: str) -> bool:
        """Whether this contact has the operation's match value, and does not merely share a different detail."""
        match = Field(operation.match_field, operation.match_field, "string")
        answer = client.call_or_none(Purpose.LOOKUP, "GET", f"/contacts/{remote_id}")
        value = answer.body.get(match.name) if answer else None
        return value is not None and self.identity(match, value) == self.identity(match, operation.match_value)

    def _search(self, client: IntercomClient, match: Field, identity: str) -> Held | None:
        """The contact with this identity, users before leads; None if there is none."""
        query = {
            "query": {"field": match.name, "operator": "=", "value": identity},
            "pagination": {"per_page": SEARCH_PAGE},
        }
        answer = client.call(Purpose.LOOKUP, "POST", "/contacts/search", json=query)
        contacts = answer.body.get("data")
        if not isinstance(contacts, list):
            raise errors.TABLE.unusable(answer)
        matching = [contact for contact in contacts if self.identity(match, contact.get(match.name)) == identity]
        candidates = [contact for contact in matching if contact.get(ROLE) == USER] or matching
        if len(candidates) > 1:
            raise errors.contacts_ambiguous(match.name, len(candidates), answer.request_id)
        return _held(candidates[0]) if candidates else None

    def check_new_fields(self, fields: Sequence[Field], wanted: Sequence[NewField]) -> Iterator[str]:
        """PURE. Invalid names, collisions with attributes of companies and contacts, types, and the limit of 250."""
        return custom_attributes.obstacles(fields, wanted, CONTACT)

    def new_field(self, wanted: NewField) -> Field:
        """PURE. A custom attribute with the data type that fits the column."""
        return custom_attributes.planned_field(wanted, CONTACT)

    def prepare(self, client: IntercomClient, fields: Sequence[Field], wanted: Sequence[NewField]) -> list[Field]:
        """Creates missing custom attributes, and unarchives archived ones that are wanted."""
        return custom_attributes.prepare(client, fields, wanted, CONTACT)


def _held(contact: Mapping[str, Any]) -> Held:
    values = {**attribute_values(contact, CONTACT), **contact_company.held_values(contact)}
    return Held(str(contact["id"]), values, timestamp(contact.get("created_at")))


def _put(client: IntercomClient, remote_id: str, sent: Mapping[str, Wire]) -> tuple[Outcome, Shown]:
    if not sent:
        return Outcome(Result.ACCEPTED, remote_id), Shown()
    answer = client.send(Purpose.WRITE, "PUT", f"/contacts/{remote_id}", json=request_body(sent, CONTACT))
    if isinstance(answer, Answer):
        return _accepted(answer, sent)
    # Intercom answers 410 for a contact that was merged into a different one.
    if answer.status == 410 or (answer.status == 404 and answer.code in errors.GONE):
        return Outcome(Result.GONE), Shown()
    raise errors.problem(answer)


def _accepted(answer: Answer, sent: Mapping[str, Wire]) -> tuple[Outcome, Shown]:
    contact = answer.body
    if not isinstance(contact.get("id"), str):
        raise errors.TABLE.unusable(answer)
    check_cleared(sent, contact, answer.request_id, CONTACT)
    made_at, names = timestamp(contact.get("created_at")), tuple(sent)
    outcome = Outcome(Result.ACCEPTED, contact["id"], made_at, names, answer.request_id)
    return outcome, contact_company.shown(contact)
