"""Synchronizes companies to Intercom: created by `company_id`, known ones updated by their Intercom ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected, Unavailable
from destinations.contract import (
    NO_ORIGIN,
    Candidate,
    Field,
    Held,
    Limits,
    Mode,
    NewField,
    Operation,
    Origin,
    Outcome,
    Plain,
    Result,
    Revealed,
    Service,
    Verb,
    Wire,
)
from destinations.services.intercom import custom_attributes, errors
from destinations.services.intercom.attributes import MATCH, to_fields
from destinations.services.intercom.bodies import (
    attribute_values,
    company_in,
    holds,
    holds_nothing,
    request_body,
    shown,
    timestamp,
)
from destinations.services.intercom.company_updates import accepted, update
from destinations.services.intercom.platform import PLATFORM
from destinations.services.intercom.reveal import REVEALS, reveal
from destinations.services.intercom.values import conversion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from destinations.kit.answer import Answer
    from destinations.services.intercom.client import IntercomClient


class IntercomCompanies(Service):
    """The companies of a workspace, with their custom attributes."""

    slug = "intercom.companies"
    label = "Synchronize companies"
    record_nouns = ("company", "companies")
    summary = "Show plan, revenue and custom attributes next to every conversation."
    platform = PLATFORM
    accepts = ("custom",)
    default_mode = Mode.UPDATE
    # Intercom documents 10,000 requests per minute and app. Many workspaces have less, as the first answer shows.
    limits = Limits(reads=166, writes=166, shared=True, find_batch=1)
    default_match = MATCH
    creates_fields = True
    compares = True
    hidden_note = (
        "Intercom does not show a company until a contact is attached to it. "
        "Until then, only the API can find it, by its company_id."
    )
    reveals = REVEALS
    notes = (
        "Intercom does not show a company until a contact is attached to it. Companies without contacts are "
        "stored anyway, and appear in Intercom's lists as soon as they have one.",
        "Companies are identified by company_id alone, which never changes. A row with a different company_id is a "
        "different company.",
        "In upsert mode, a company that was deleted in Intercom is created again when its row is sent.",
        "If Intercom does not accept a change to remote_created_at, upsert mode sends the whole record again. In "
        "update mode, records whose value differs are rejected, so this attribute can't be kept up to date.",
        "Custom attributes are created in Intercom with the type of their column, and archived ones that are selected "
        "are unarchived. Their names and types can't be changed later, and names must be unique across companies and "
        "contacts.",
        "Nothing is shortened or rounded. A record is invalid if it has text over 255 characters in a custom "
        "attribute, monthly spend with cents, or a list.",
    )

    def fields(self, client: IntercomClient) -> list[Field]:
        """Standard and custom attributes. See `attributes` for archived ones and those of contacts."""
        return to_fields(client.attributes("company"), client.attributes("contact"))

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        """PURE. See the table in `values.conversion`."""
        return conversion.convert(field, value, origin)

    def plain(self, field: Field, type_name: str) -> Plain | None:
        """PURE. See `values.conversion`."""
        return conversion.plain(field, type_name)

    def empty(self, field: Field) -> Wire:
        """PURE. Null. Whether Intercom really cleared the attribute is checked in its answer."""
        if field.name == MATCH:
            raise Rejected("match_empty", "The company_id identifies the company and can't be cleared.", field=MATCH)
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        """PURE. The company_id unchanged, because Intercom compares it exactly."""
        return str(wire)

    def find(self, client: IntercomClient, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        """Looks up each company by its company_id, which is the only lookup that finds companies without contacts."""
        found = {identity: _matching(client.find(identity), identity) for identity in identities}
        return {identity: held for identity, held in found.items() if held}

    def read(self, client: IntercomClient, match_field: Field, remote_id: str) -> Held | None:
        answer = client.get(remote_id)
        return _held(answer.body) if answer else None

    def same(self, field: Field, wire: Wire, held: Held, *, adds: bool = False) -> bool:
        """PURE. See `bodies.holds`."""
        return holds(field.name, wire, held.values)

    def shown(self, field: Field, held: Held) -> Any:
        """PURE. See `bodies.shown`. Intercom returns no author of a value."""
        return shown(field, held.values)

    def is_empty(self, field: Field, held: Held) -> bool:
        """PURE. See `bodies.holds_nothing`."""
        return holds_nothing(field.name, held.values)

    def reveal(
        self, client: IntercomClient, remote_id: str, candidates: Sequence[Candidate], at_most: int, *, is_hidden: bool
    ) -> Revealed:
        """Attaches contacts that Intercom has. See `reveal`."""
        return reveal(client, remote_id, candidates, at_most, is_hidden=is_hidden)

    def made_at(self, client: IntercomClient, remote_id: str) -> datetime | None:
        """The creation time, if Intercom marks the company as created by its API. Not every workspace does."""
        answer = client.get(remote_id)
        from_api = (answer.body.get("custom_attributes") or {}).get("creation_source") == "api" if answer else False
        return timestamp(answer.body.get("created_at")) if answer and from_api else None

    def write(self, client: IntercomClient, operation: Operation) -> Outcome:
        """Writes one company with one request, or with two if Intercom does not accept a change to `remote_created_at`.

        Raises:
            Rejected: among other reasons, because Intercom kept a value that should have been cleared.
        """
        if operation.verb is Verb.UPDATE:
            return update(client, operation)
        try:
            answer = client.post({MATCH: str(operation.match_value), **request_body(operation.values)})
        except Unavailable as problem:
            if operation.verb is Verb.CREATE and problem.code == errors.ALREADY_EXISTS:
                return Outcome(Result.EXISTS)
            raise
        return accepted(answer, operation.values, (MATCH, *operation.values))

    def check_new_fields(self, fields: Sequence[Field], wanted: Sequence[NewField]) -> Iterator[str]:
        """PURE. Invalid names, collisions with attributes of companies and contacts, types, and the limit of 250."""
        return custom_attributes.obstacles(fields, wanted)

    def new_field(self, wanted: NewField) -> Field:
        """PURE. A custom attribute with the data type that fits the column."""
        return custom_attributes.planned_field(wanted)

    def prepare(self, client: IntercomClient, fields: Sequence[Field], wanted: Sequence[NewField]) -> list[Field]:
        """Creates missing custom attributes, and unarchives archived ones that are wanted."""
        return custom_attributes.prepare(client, fields, wanted)


def _matching(answer: Answer | None, company_id: str) -> Held | None:
    """The company with exactly this company_id; None if the answer has no such company."""
    company = company_in(answer, company_id)
    return _held(company) if company else None


def _held(company: Mapping[str, Any]) -> Held:
    created_at, is_hidden = timestamp(company.get("created_at")), company.get("user_count") == 0
    return Held(str(company["id"]), attribute_values(company), created_at, hidden=is_hidden)
