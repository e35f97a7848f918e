"""Synchronizes contacts to Intercom: users and leads, found by email or external id, known ones updated by Intercom's own id.

A create that meets a contact is answered 409 with that contact's id: https://developers.intercom.com/docs/references/rest-api/errors
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import (
    Field,
    Limits,
    Mode,
    NewField,
    Operation,
    Outcome,
    Plain,
    Purpose,
    Result,
    Service,
    Verb,
    Wire,
)
from destinations.services.intercom import custom_attributes, errors
from destinations.services.intercom import fields as attributes
from destinations.services.intercom.bodies import body, check_cleared, moment
from destinations.services.intercom.client import Answer, IntercomClient
from destinations.services.intercom.fields import CONTACT
from destinations.services.intercom.platform import PLATFORM
from destinations.services.intercom.values import conversion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EMAIL, ROLE, USER = "email", "role", "user"
SHOWN_AT_MOST = 50
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_TAKEN = re.compile(
    r"(?P<archived>archived )?contact matching those details already exists with id=(?P<id>\w+)", re.IGNORECASE
)


class IntercomContacts(Service):
    """Contacts of a workspace, with their custom attributes."""

    slug = "intercom.contacts"
    label = "Synchronize contacts"
    platform = PLATFORM
    accepts = ("users", "custom")
    default_mode = Mode.UPDATE
    limits = Limits(reads=166, writes=166, shared=True, find_batch=1)
    default_match = "external_id"
    match_may_change = True
    creates_fields = True
    notes = (
        "A contact is a user or a lead. New ones become users, unless the attribute role is mapped.",
        "Several contacts may have one email address: a user is then preferred to leads, and where several users have it, the record "
        "is refused. The external id is unique.",
        "Intercom's search finds a new contact only some moments after it was created.",
        "Custom attributes are created in Intercom with the type of their column. Their names are unique across companies and contacts.",
    )

    def fields(self, client: IntercomClient) -> list[Field]:
        """Standard and custom attributes; see `attributes` for how archived ones and those of companies are listed."""
        return attributes.fields(client.attributes("contact"), client.attributes("company"), CONTACT)

    def convert(self, field: Field, value: Any) -> Wire:
        """PURE. See the table in `values`; an email address without the space around it."""
        wire = conversion.convert(field, value)
        if field.name != EMAIL or field.custom:
            return wire
        if not _ADDRESS.fullmatch(wire.strip()):
            raise Rejected(
                "email_invalid", f"The attribute {EMAIL!r} takes one email address; this value is none.", field=EMAIL
            )
        return wire.strip()

    def plain(self, field: Field, type_name: str) -> Plain | None:
        """PURE. See `values`; email addresses are looked at one by one."""
        return None if field.name == EMAIL and not field.custom else conversion.plain(field, type_name)

    def empty(self, field: Field) -> Wire:
        """PURE. Null; whether Intercom followed is checked in its answer."""
        if field.name == ROLE and not field.custom:
            raise Rejected("role_empty", "Every contact is a user or a lead, so the role can't be cleared.", field=ROLE)
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        """PURE. Email addresses are compared without case, external ids as they are."""
        return str(wire).casefold() if field.name == EMAIL else str(wire)

    def find(self, client: IntercomClient, match_field: Field, identities: Sequence[str]) -> Mapping[str, str]:
        """Searches each contact by its email or external id.

        Raises:
            Rejected: several users have the email address, so that any choice would be a guess.
        """
        found = {identity: self._found(client, match_field, identity) for identity in identities}
        return {identity: remote_id for identity, remote_id in found.items() if remote_id}

    def write(self, client: IntercomClient, operation: Operation) -> Outcome:
        """Writes one contact with one request; an upsert that meets an existing contact reads it and updates it by its id.

        Raises:
            Rejected: also where the details belong to another contact, which is named, or to an archived one.
        """
        if operation.verb is Verb.UPDATE:
            known = {operation.match_field: operation.match_value, **operation.values}
            sent = {name: value for name, value in known.items() if name in operation.changed}
            return _put(client, operation.remote_id, sent) if sent else Outcome(Result.ACCEPTED, operation.remote_id)
        return self._create(client, operation, {operation.match_field: operation.match_value, **operation.values})

    def _create(self, client: IntercomClient, operation: Operation, sent: Mapping[str, Wire]) -> Outcome:
        answer = client.send(Purpose.WRITE, "POST", "/contacts", json=body({ROLE: USER, **sent}, CONTACT))
        if isinstance(answer, Answer):
            return _accepted(answer, sent, "POST /contacts")
        taken = _TAKEN.search(answer.message) if answer.status == 409 else None
        if taken and taken["archived"]:
            raise _archived(taken["id"], answer.request_id)
        if taken is None or not self._is_meant(client, operation, taken["id"]):
            raise errors.problem(answer)
        if operation.verb is Verb.CREATE:
            return Outcome(Result.EXISTS, taken["id"])
        rest = {name: value for name, value in sent.items() if name != operation.match_field}
        return _put(client, taken["id"], rest) if rest else Outcome(Result.ACCEPTED, taken["id"])

    def _is_meant(self, client: IntercomClient, operation: Operation, remote_id: str) -> bool:
        """Whether the contact that a create met is the one that the match means, and not the owner of another detail."""
        match = Field(operation.match_field, operation.match_field, "string")
        answer = client.call_or_gone(Purpose.LOOKUP, "GET", f"/contacts/{remote_id}")
        value = answer.body.get(match.name) if answer else None
        return value is not None and self.identity(match, value) == self.identity(match, operation.match_value)

    def _found(self, client: IntercomClient, match: Field, identity: str) -> str:
        query = {
            "query": {"field": match.name, "operator": "=", "value": identity},
            "pagination": {"per_page": SHOWN_AT_MOST},
        }
        answer = client.call(Purpose.LOOKUP, "POST", "/contacts/search", json=query)
        listed = answer.body.get("data")
        if not isinstance(listed, list):
            raise errors.unusable("POST /contacts/search", answer.request_id)
        same = [contact for contact in listed if self.identity(match, contact.get(match.name)) == identity]
        chosen = [contact for contact in same if contact.get(ROLE) == USER] or same
        if len(chosen) > 1:
            raise _ambiguous(match.name, len(chosen), answer.request_id)
        return str(chosen[0]["id"]) if chosen else ""

    def check_new_fields(self, fields: Sequence[Field], wanted: Sequence[NewField]) -> Iterator[str]:
        """PURE. Names, collisions with companies and contacts, types, and the limit of 250."""
        return custom_attributes.refusals(fields, wanted, CONTACT)

    def new_field(self, wanted: NewField) -> Field:
        """PURE. A custom attribute of the data type that fits the column."""
        return custom_attributes.planned(wanted, CONTACT)

    def prepare(self, client: IntercomClient, fields: Sequence[Field], wanted: Sequence[NewField]) -> list[Field]:
        """Creates missing custom attributes and un-archives archived ones that are wanted."""
        return custom_attributes.prepare(client, fields, wanted, CONTACT)


def _put(client: IntercomClient, remote_id: str, sent: Mapping[str, Wire]) -> Outcome:
    answer = client.send(Purpose.WRITE, "PUT", f"/contacts/{remote_id}", json=body(sent, CONTACT))
    if isinstance(answer, Answer):
        return _accepted(answer, sent, "PUT /contacts")
    # A contact that was merged into another one is answered 410.
    if answer.status == 410 or (answer.status == 404 and answer.code in errors.GONE):
        return Outcome(Result.GONE)
    raise errors.problem(answer)


def _accepted(answer: Answer, sent: Mapping[str, Wire], call: str) -> Outcome:
    contact = answer.body
    if not isinstance(contact.get("id"), str):
        raise errors.unusable(call, answer.request_id)
    check_cleared(sent, contact, answer.request_id, CONTACT)
    return Outcome(Result.ACCEPTED, contact["id"], moment(contact.get("created_at")), tuple(sent), answer.request_id)


def _archived(remote_id: str, request_id: str) -> Rejected:
    return Rejected(
        "contact_archived",
        f"Intercom has archived the contact with these details (id {remote_id}), and takes no other one. Un-archive it in Intercom.",
        request_id=request_id,
    )


def _ambiguous(name: str, count: int, request_id: str) -> Rejected:
    return Rejected(
        "match_ambiguous",
        f"Intercom has {count} contacts with this {name}, so any choice would be a guess. Merge them in Intercom, or match by external_id.",
        field=name,
        request_id=request_id,
    )
