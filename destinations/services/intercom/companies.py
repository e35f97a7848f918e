"""Synchronizes companies to Intercom: created and updated by `company_id`, known ones updated by Intercom's own id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Rejected, Unavailable
from destinations.contract import Field, Limits, Mode, NewField, Operation, Outcome, Plain, Result, Service, Verb, Wire
from destinations.services.intercom import custom_attributes, errors
from destinations.services.intercom import fields as attributes
from destinations.services.intercom.bodies import body, check_cleared, moment
from destinations.services.intercom.fields import MATCH
from destinations.services.intercom.platform import PLATFORM
from destinations.services.intercom.values import conversion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from destinations.services.intercom.client import Answer, IntercomClient

CREATED_AT = "remote_created_at"


class IntercomCompanies(Service):
    """Companies of a workspace, with their custom attributes."""

    slug = "intercom.companies"
    label = "Synchronize companies"
    platform = PLATFORM
    accepts = ("custom",)
    default_mode = Mode.UPDATE
    # 10,000 requests a minute are documented for an app; many workspaces have less, which the first answer tells.
    limits = Limits(reads=166, writes=166, shared=True, find_batch=1)
    default_match = MATCH
    creates_fields = True
    hidden_note = "Intercom does not show a company before a contact is attached to it. Until then it is found by its company_id in the API alone."
    notes = (
        "Intercom does not show a company before a contact is attached to it. Companies without contacts are stored all the same, "
        "and appear in its lists as soon as they have one.",
        "Companies are identified by company_id alone, which never changes: a row with another company_id is another company.",
        "A company that was deleted in Intercom is created again when its row is sent in upsert mode.",
        "Where Intercom refuses to change remote_created_at, upsert mode sends the whole record again. Update mode then refuses a record "
        "whose value differs: there, this attribute can't be kept up to date.",
        "Custom attributes are created in Intercom with the type of their column, and archived ones that are chosen are brought back. "
        "Their names and types can't be changed afterwards, and are unique across companies and contacts.",
        "Nothing is shortened or rounded: texts over 255 characters, monthly spend with cents, and lists are refused with a reason.",
    )

    def fields(self, client: IntercomClient) -> list[Field]:
        """Standard and custom attributes; see `attributes` for how archived ones and those of contacts are listed."""
        return attributes.fields(client.attributes("company"), client.attributes("contact"))

    def convert(self, field: Field, value: Any) -> Wire:
        """PURE. See the table in `values`."""
        return conversion.convert(field, value)

    def plain(self, field: Field, type_name: str) -> Plain | None:
        """PURE. See `values`."""
        return conversion.plain(field, type_name)

    def empty(self, field: Field) -> Wire:
        """PURE. Null; whether Intercom followed is checked in its answer."""
        if field.name == MATCH:
            raise Rejected("match_empty", "The company_id identifies the company and can't be cleared.", field=MATCH)
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        """PURE. The company_id as it is: Intercom compares it as given."""
        return str(wire)

    def find(self, client: IntercomClient, match_field: Field, identities: Sequence[str]) -> Mapping[str, str]:
        """Looks up each company by its company_id: the only way that also finds companies without contacts."""
        found = {identity: _found(client.find(identity), identity) for identity in identities}
        return {identity: remote_id for identity, remote_id in found.items() if remote_id}

    def made_at(self, client: IntercomClient, remote_id: str) -> datetime | None:
        """Intercom marks companies that its API made, where it marks them at all."""
        answer = client.get(remote_id)
        marked = (answer.body.get("custom_attributes") or {}).get("creation_source") == "api" if answer else False
        return moment(answer.body.get("created_at")) if answer and marked else None

    def write(self, client: IntercomClient, operation: Operation) -> Outcome:
        """Writes one company with one request; with two only where Intercom refuses to change `remote_created_at`.

        Raises:
            Rejected: also where Intercom kept a value that was to be cleared.
        """
        if operation.verb is Verb.UPDATE:
            return _update(client, operation)
        try:
            answer = client.post({MATCH: str(operation.match_value), **body(operation.values)})
        except Unavailable as problem:
            if operation.verb is Verb.CREATE and problem.code == errors.ALREADY_EXISTS:
                return Outcome(Result.EXISTS)
            raise
        return _accepted(answer, operation.values, (MATCH, *operation.values))

    def check_new_fields(self, fields: Sequence[Field], wanted: Sequence[NewField]) -> Iterator[str]:
        """PURE. Names, collisions with companies and contacts, types, and the limit of 250."""
        return custom_attributes.refusals(fields, wanted)

    def new_field(self, wanted: NewField) -> Field:
        """PURE. A custom attribute of the data type that fits the column."""
        return custom_attributes.planned(wanted)

    def prepare(self, client: IntercomClient, fields: Sequence[Field], wanted: Sequence[NewField]) -> list[Field]:
        """Creates missing custom attributes and un-archives archived ones that are wanted."""
        return custom_attributes.prepare(client, fields, wanted)


def _update(client: IntercomClient, operation: Operation) -> Outcome:
    """By Intercom's id; `remote_created_at`, of which no document says that it can be changed there, has a way of its own."""
    sent = {name: value for name, value in operation.values.items() if name in operation.changed}
    if not sent:
        return Outcome(Result.ACCEPTED, operation.remote_id)
    if CREATED_AT in sent and not client.changes_created_at:
        return _update_created_at(client, operation, sent)
    try:
        answer = client.put(operation.remote_id, body(sent))
    except (Misconfigured, Rejected) as problem:
        if CREATED_AT not in sent or CREATED_AT not in (getattr(problem, "where", ""), getattr(problem, "field", "")):
            raise
        client.changes_created_at = False
        return _update_created_at(client, operation, sent)
    if answer is None:
        return Outcome(Result.GONE)
    if _took_created_at(sent, answer):
        return _accepted(answer, sent, tuple(sent))
    client.changes_created_at = False
    if operation.may_create:
        return _whole(client, operation)
    raise _fixed(answer.request_id)


def _update_created_at(client: IntercomClient, operation: Operation, sent: Mapping[str, Wire]) -> Outcome:
    """Where an update refuses `remote_created_at`: the whole record in upsert mode; else the rest, if the value is right already."""
    if operation.may_create:
        return _whole(client, operation)
    rest = {name: value for name, value in sent.items() if name != CREATED_AT}
    answer = client.put(operation.remote_id, body(rest)) if rest else client.get(operation.remote_id)
    if answer is None:
        return Outcome(Result.GONE)
    if not _took_created_at(sent, answer):
        raise _fixed(answer.request_id)
    return _accepted(answer, rest, tuple(rest))


def _whole(client: IntercomClient, operation: Operation) -> Outcome:
    answer = client.post({MATCH: str(operation.match_value), **body(operation.values)})
    if not _took_created_at(operation.values, answer):
        raise _fixed(answer.request_id)
    return _accepted(answer, operation.values, (MATCH, *operation.values))


def _took_created_at(sent: Mapping[str, Wire], answer: Answer) -> bool:
    """Whether Intercom's answer holds the `remote_created_at` that was sent; a cleared one is looked at with the others."""
    return sent.get(CREATED_AT) is None or answer.body.get(CREATED_AT) == sent[CREATED_AT]


def _fixed(request_id: str) -> Rejected:
    return Rejected(
        "remote_created_at_fixed",
        "Intercom did not change remote_created_at of this company, which it already has: this attribute can be set when a company "
        "is created, and can't be kept up to date afterwards. Take it out of the mapping, or correct it in Intercom.",
        field=CREATED_AT,
        request_id=request_id,
    )


def _accepted(answer: Answer, sent: Mapping[str, Wire], names: tuple[str, ...]) -> Outcome:
    company = answer.body
    check_cleared(sent, company, answer.request_id)
    return Outcome(
        Result.ACCEPTED,
        remote_id=str(company["id"]),
        created_at=moment(company.get("created_at")),
        sent=names,
        request_id=answer.request_id,
        hidden=company.get("user_count") == 0,
    )


def _found(answer: Answer | None, company_id: str) -> str:
    """Intercom's id out of one company or a list of companies; nothing where none has exactly this company_id."""
    companies = _companies(answer) if answer else ()
    return next(
        (str(company["id"]) for company in companies if str(company.get(MATCH)) == company_id and company.get("id")), ""
    )


def _companies(answer: Answer) -> Iterable[Mapping[str, Any]]:
    listed = answer.body.get("data", answer.body.get("companies"))
    if isinstance(listed, list):
        return [company for company in listed if isinstance(company, dict)]
    if not isinstance(answer.body.get("id"), str):
        raise errors.unusable("GET /companies", answer.request_id)
    return [answer.body]
