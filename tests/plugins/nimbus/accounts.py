"""Accounts in Nimbus, matched by email address or code, up to 20 in one request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import Problem, Rejected
from destinations.contract import (
    NO_ORIGIN,
    Created,
    Field,
    Held,
    Limits,
    Mode,
    Operation,
    Option,
    Origin,
    Outcome,
    Plain,
    Purpose,
    Result,
    Service,
    Verb,
    Wire,
)
from tests.plugins.nimbus import values
from tests.plugins.nimbus.platform import NIMBUS, TABLE, NimbusClient, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.kit.answer import Answer

RESULTS = {"created": Result.ACCEPTED, "updated": Result.ACCEPTED, "gone": Result.GONE, "exists": Result.EXISTS}


class NimbusAccounts(Service):
    slug = "nimbus.accounts"
    label = "Synchronize accounts"
    record_nouns = ("account", "accounts")
    summary = "Keep accounts in Nimbus up to date."
    platform = NIMBUS
    accepts = ("users", "custom")
    default_mode = Mode.UPSERT
    default_match = "email"
    match_may_change = True
    limits = Limits(reads=50, writes=50, shared=True, find_batch=100, write_batch=20)

    def fields(self, client: NimbusClient) -> list[Field]:
        answer = client.call(Purpose.DISCOVERY, "GET", "/fields")
        entries = answer.entries("fields")
        if entries is None:
            raise TABLE.unusable(answer)
        return [_field(entry) for entry in entries if not entry["archived"]]

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        return values.convert(field, value)

    def plain(self, field: Field, type_name: str) -> Plain | None:
        return values.plain(field, type_name)

    def empty(self, field: Field) -> Wire:
        if field.required:
            raise Rejected("required", f"The field {field.name!r} can't be cleared in Nimbus.", field=field.name)
        return [] if field.multiple else None

    def identity(self, field: Field, wire: Wire) -> str:
        return str(wire)

    def find(self, client: NimbusClient, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        if not identities:
            return {}
        body = {"field": match_field.name, "values": list(identities)}
        answer = client.call(Purpose.LOOKUP, "POST", "/accounts/search", json=body)
        entries = answer.entries("accounts")
        if entries is None:
            raise TABLE.unusable(answer)
        return {self.identity(match_field, entry["match"]): Held(str(entry["id"])) for entry in entries}

    def write(self, client: NimbusClient, operation: Operation) -> Outcome:
        (answer,) = self.write_all(client, [operation])
        if isinstance(answer, Problem):
            raise answer
        return answer

    def write_all(self, client: NimbusClient, operations: Sequence[Operation]) -> Sequence[Outcome | Problem]:
        if not operations:
            return []
        body = {"mode": operations[0].verb.value, "accounts": [_account(operation) for operation in operations]}
        answer = client.exchange(Purpose.WRITE, "POST", "/accounts/batch", json=body)
        if len(operations) == 1 and operations[0].verb is Verb.UPDATE and answer.text("error", "code") == "gone":
            return [Outcome(Result.GONE, request_id=answer.request_id)]
        results = client.require(answer).entries("results")
        if results is None:
            raise TABLE.unusable(answer)
        answered = {
            int(result["place"]): _settled(answer, result, operations[int(result["place"])]) for result in results
        }
        if len(operations) == 1 and not answered:
            raise TABLE.unusable(answer)
        return [answered.get(place, TABLE.unusable(answer)) for place in range(len(operations))]


def _field(entry: Mapping[str, Any]) -> Field:
    return Field(
        name=entry["name"],
        label=entry["label"],
        type=entry["type"],
        writable=entry["writable"],
        required=entry["required"],
        unique=entry["unique"],
        multiple=entry["list"],
        matchable=entry["unique"],
        options=tuple(Option(title, title) for title in entry["options"]),
        read_only_reason="" if entry["writable"] else "Nimbus sets it.",
        custom=entry["custom"],
    )


def _account(operation: Operation) -> dict[str, Any]:
    """One record of a batch. `remove` is what Nimbus calls replacing a list; it adds to lists otherwise."""
    updates = operation.verb is Verb.UPDATE
    names = operation.changed - {operation.match_field} if updates else frozenset(operation.values)
    sent = {name: operation.values[name] for name in sorted(names)}
    if not updates or operation.match_field in operation.changed:
        sent[operation.match_field] = operation.match_value
    key = {"id": operation.remote_id} if updates else {"match": operation.match_field}
    return {**key, "values": sent, "replace": sorted(names - operation.add)}


def _settled(answer: Answer, result: Mapping[str, Any], operation: Operation) -> Outcome | Problem:
    status = str(result.get("status"))
    if status not in RESULTS:
        return TABLE.problem(failure(replace(answer, status=422), result.get("error") or {}))
    return Outcome(
        RESULTS[status],
        str(result.get("id") or ""),
        sent=tuple(_account(operation)["values"]),
        request_id=answer.request_id,
        created=Created.YES if status == "created" else Created.NO,
    )
