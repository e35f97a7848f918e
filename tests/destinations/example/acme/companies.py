"""Synchronizes companies to Acme."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import (
    NO_ORIGIN,
    Created,
    Field,
    Held,
    Limits,
    Mode,
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
from destinations.kit.values.decimals import boolean, decimal
from destinations.kit.values.shapes import shape
from destinations.kit.values.text import plain_text, prepared, spelled
from destinations.kit.values.times import day, natural_time
from destinations.services.acme.errors import TABLE
from destinations.services.acme.platform import Acme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.kit.answer import Answer
    from destinations.services.acme.client import AcmeClient

LARGEST, DECIMALS = 10**15, 6


class AcmeCompanies(Service):
    slug = "acme.companies"
    label = "Synchronize companies"
    record_nouns = ("company", "companies")
    summary = "Keep companies in Acme up to date."
    platform = Acme()
    accepts = ("users", "custom")
    default_mode = Mode.UPSERT
    default_match = "external_id"
    limits = Limits(reads=10, writes=10, shared=True)

    def fields(self, client: AcmeClient) -> list[Field]:
        answer = client.call(Purpose.DISCOVERY, "GET", "/companies/attributes")
        entries = answer.entries("attributes")
        if entries is None:
            raise TABLE.unusable(answer)
        return [_field(entry) for entry in entries if not entry["archived"]]

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        value = prepared(field, value, broken=f"The attribute {field.name!r} takes valid text.")
        wire = _wire(field.type, spelled(field, value, origin) if field.type == "text" else value, origin)
        if wire is None:
            raise Rejected(
                f"no_{field.type}",
                f"The attribute {field.name!r} takes a {field.type}; this value is {shape(value)}.",
                field=field.name,
            )
        return wire

    def plain(self, field: Field, type_name: str) -> Plain | None:
        return Plain("boolean") if field.type == type_name == "boolean" else None

    def empty(self, field: Field) -> Wire:
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        return str(wire)

    def find(self, client: AcmeClient, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        found: dict[str, Held] = {}
        for identity in identities:
            answer = client.call(Purpose.LOOKUP, "GET", "/companies", params={match_field.name: identity})
            entries = answer.entries("companies")
            if entries is None:
                raise TABLE.unusable(answer)
            for entry in entries:
                if entry.get(match_field.name) == identity:
                    found[identity] = Held(str(entry["id"]))
        return found

    def write(self, client: AcmeClient, operation: Operation) -> Outcome:
        values = {**operation.values, operation.match_field: operation.match_value}
        if operation.verb is Verb.UPDATE:
            changed = {name: values[name] for name in sorted(operation.changed)}
            path = f"/companies/{operation.remote_id}"
            answer = client.call_or_none(Purpose.WRITE, "PATCH", path, json={"company": changed})
            return _accepted(answer, changed) if answer else Outcome(Result.GONE)
        method = "POST" if operation.verb is Verb.CREATE else "PUT"
        answer = client.exchange(Purpose.WRITE, method, "/companies", json={"company": values})
        if answer.text("error", "code") == "taken" and answer.text("error", "field") == operation.match_field:
            return Outcome(Result.EXISTS)
        return _accepted(client.require(answer), values)


def _wire(kind: str, value: Any, origin: Origin) -> Wire | None:
    match kind:
        case "text":
            return plain_text(value)
        case "number":
            return _number(value)
        case "boolean":
            return boolean(value)
        case "date":
            moment = natural_time(value)
            found = day(moment, origin.zone) if moment else None
            return found.isoformat() if found else None
        case _:
            return None


def _number(value: Any) -> int | float | None:
    number = decimal(value)
    if number is None or abs(number) >= LARGEST or number != round(number, DECIMALS):
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def _field(entry: Mapping[str, Any]) -> Field:
    name = str(entry["name"])
    return Field(
        name,
        name.replace("_", " ").capitalize(),
        str(entry["type"]),
        writable=entry["writable"],
        unique=entry["unique"],
        matchable=entry["unique"],
        read_only_reason="" if entry["writable"] else "Acme sets it.",
        custom=not entry["fixed"],
    )


def _accepted(answer: Answer, sent: Mapping[str, Wire]) -> Outcome:
    company = answer.at("company")
    if not isinstance(company, dict) or not company.get("id"):
        raise TABLE.unusable(answer)
    return Outcome(
        Result.ACCEPTED,
        str(company["id"]),
        datetime.fromisoformat(company["created_at"]),
        tuple(sent),
        answer.request_id,
        created=Created.YES if answer.status == 201 else Created.NO,
    )
