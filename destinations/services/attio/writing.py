"""One write of one record, with as few requests as Attio allows.

PUT and PATCH differ only in lists: PUT makes a list what was sent, PATCH adds to it and never removes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core.errors import Problem, Unavailable
from destinations.contract import Operation, Outcome, Purpose, Result, Verb, Wire
from destinations.services.attio import compound_parts
from destinations.services.attio.match_lookup import held, holders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from destinations.services.attio.client import Client
    from destinations.services.attio.errors import Answer


def write(client: Client, object_slug: str, operation: Operation) -> Outcome:
    """Sends the operation's requests. Raises as `Service.write`."""
    outcome = _VERBS[operation.verb](
        Requests(client, object_slug, compound_parts.joined(client, object_slug, operation))
    )
    return replace(outcome, sent=compound_parts.as_mapped(outcome.sent, operation))


def made_at(client: Client, object_slug: str, record_id: str) -> datetime | None:
    """When a record was made by an API token; None where it was not, or is gone."""
    answer = client.send(Purpose.LOOKUP, "GET", f"/objects/{object_slug}/records/{quote(record_id, safe='')}")
    if answer.record_is_gone:
        return None
    data = client.require(answer, Purpose.LOOKUP).body.get("data")
    makers = (
        data["values"].get("created_by") if isinstance(data, dict) and isinstance(data.get("values"), dict) else None
    )
    by_token = isinstance(makers, list) and any(maker.get("referenced_actor_type") == "api-token" for maker in makers)
    return _moment(data.get("created_at")) if by_token else None


def steps(operation: Operation) -> Iterator[tuple[str, dict[str, Wire]]]:
    """PURE. The requests that bring an update: method and values.

    A PATCH goes first, since it may hold a new match value, which is what another record can stand against.
    """
    patch = _added(operation, operation.add & operation.changed)
    put = {name: operation.values[name] for name in sorted(operation.changed - operation.add - {operation.match_field})}
    if operation.match_field in operation.changed:
        patch = {operation.match_field: operation.match_value, **patch}
    if patch:
        # Single values go along. An empty list clears by PUT only; what PATCH makes of it Attio does not say.
        single = {name: wire for name, wire in put.items() if not isinstance(wire, list)}
        patch, put = {**single, **patch}, _without(put, single)
        yield "PATCH", patch
    if put:
        yield "PUT", put


class Requests:
    """The requests of one operation, and which fields they have held so far."""

    def __init__(self, client: Client, object_slug: str, operation: Operation) -> None:
        self.client = client
        self.operation = operation
        self.object_slug = object_slug
        self.base = f"/objects/{object_slug}/records"
        self.sent: dict[str, None] = {}

    def send(
        self, method: str, body: Mapping[str, Wire], *, record_id: str = "", params: Mapping[str, str] | None = None
    ) -> Answer:
        path = f"{self.base}/{quote(record_id, safe='')}" if record_id else self.base
        self.sent.update(dict.fromkeys(body))
        answer = self.client.send(Purpose.WRITE, method, path, params=params, body=_body(body))
        if answer.status == 400:
            self.client.learn_slug(self.object_slug, answer.named_attribute)
        return answer

    def require(self, answer: Answer, body: Mapping[str, Wire]) -> Answer:
        return self.client.require(answer, Purpose.WRITE, _body(body), self._owners(answer, body))

    def _owners(self, answer: Answer, body: Mapping[str, Wire]) -> list[str]:
        """Who holds the match value of a conflict, where Attio does not say it; nobody where it can't be asked now."""
        operation = self.operation
        if answer.code != "uniqueness_conflict" or answer.conflicting_records or operation.match_field not in body:
            return []
        try:
            found = [_record_id(record) for record in holders(self.client, self.object_slug, operation)]
        except Problem:
            return []
        return [record_id for record_id in found if record_id and record_id != operation.remote_id]

    def accepted(self, answer: Answer) -> Outcome:
        data = answer.body.get("data")
        record_id = _record_id(data)
        if not record_id:
            raise Unavailable(
                "unusable_answer",
                "Attio's answer could not be understood. The request is tried again.",
                detail=answer.request_id,
                ambiguous=True,
            )
        return Outcome(
            Result.ACCEPTED,
            record_id,
            _moment(data.get("created_at")),
            tuple(self.sent),
            answer.request_id,
            str(data.get("web_url") or ""),
            identities=held(data, self.operation.match_field),
        )

    def ended(self, result: Result, answer: Answer, remote_id: str = "") -> Outcome:
        return Outcome(result, remote_id, None, tuple(self.sent), answer.request_id)

    def match_is_taken(self, answer: Answer) -> bool:
        """Whether another record holds the match value; a conflict of another unique attribute is a refusal."""
        if answer.status != 400 or answer.code != "uniqueness_conflict":
            return False
        named = self.client.slugs.get(answer.named_attribute, answer.named_attribute)
        return named == self.operation.match_field or named not in self.operation.values


def _upsert(requests: Requests) -> Outcome:
    """One PUT that creates or updates by the match. It would replace lists that are to be added to; those go behind it."""
    operation = requests.operation
    body = {operation.match_field: operation.match_value, **_without(operation.values, operation.add)}
    answer = requests.send("PUT", body, params={"matching_attribute": operation.match_field})
    outcome = requests.accepted(requests.require(answer, body))
    added = _added(operation, operation.add)
    if not added:
        return outcome
    answer = requests.send("PATCH", added, record_id=outcome.remote_id)
    if answer.record_is_gone:
        raise Unavailable(
            "record_vanished", "The record was deleted or merged in Attio at this moment. The write is tried again."
        )
    return requests.accepted(requests.require(answer, added))


def _update(requests: Requests) -> Outcome:
    """Only what changed, by Attio's id."""
    operation = requests.operation
    outcome = Outcome(Result.ACCEPTED, operation.remote_id)
    for method, body in steps(operation):
        answer = requests.send(method, body, record_id=operation.remote_id)
        if answer.record_is_gone:
            return requests.ended(Result.GONE, answer)
        outcome = requests.accepted(requests.require(answer, body))
    return outcome


def _create(requests: Requests) -> Outcome:
    """A POST, which a record with the same match refuses. There is nothing to clear on a new record."""
    operation = requests.operation
    filled = {name: wire for name, wire in operation.values.items() if wire != []}
    body = {operation.match_field: operation.match_value, **filled}
    answer = requests.send("POST", body)
    if requests.match_is_taken(answer):
        owners = answer.conflicting_records
        return requests.ended(Result.EXISTS, answer, owners[0] if len(owners) == 1 else "")
    return requests.accepted(requests.require(answer, body))


_VERBS = {Verb.UPSERT: _upsert, Verb.UPDATE: _update, Verb.CREATE: _create}


def _added(operation: Operation, names: Iterable[str]) -> dict[str, Wire]:
    """The lists to add to; an empty one adds nothing."""
    return {name: operation.values[name] for name in sorted(names) if operation.values.get(name)}


def _without(found: Mapping[str, Wire], names: Iterable[str]) -> dict[str, Wire]:
    left_out = set(names)
    return {name: wire for name, wire in found.items() if name not in left_out}


def _body(found: Mapping[str, Wire]) -> dict[str, Any]:
    return {"data": {"values": dict(found)}}


def _record_id(data: Any) -> str:
    identifier = data.get("id") if isinstance(data, dict) else None
    return str(identifier.get("record_id") or "") if isinstance(identifier, dict) else ""


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
