"""Writes one record, with as few requests as Attio allows.

PUT and PATCH differ only in lists: PUT replaces a list with what was sent, PATCH adds to it and never removes anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core.errors import Problem, Unavailable
from destinations.contract import Operation, Outcome, Purpose, Result, Verb, Wire
from destinations.services.attio import compound_parts
from destinations.services.attio.errors import UNREADABLE
from destinations.services.attio.match_lookup import record_identities, records_with_match
from destinations.services.attio.values.reading import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from destinations.services.attio.answer import Answer
    from destinations.services.attio.client import Client


def write(client: Client, object_slug: str, operation: Operation) -> Outcome:
    """Sends the operation's requests. Raises like `Service.write`."""
    whole = compound_parts.with_whole_attributes(client, object_slug, operation)
    outcome = _WRITERS[operation.verb](RecordWriter(client, object_slug, whole))
    return replace(outcome, sent=compound_parts.with_mapped_parts(outcome.sent, operation))


def fields_sent(operation: Operation) -> list[str]:
    """PURE. The fields that the requests of an operation carry. Parts of one attribute are sent together."""
    values = operation.values
    names = operation.changed if operation.verb is Verb.UPDATE else {operation.match_field, *values}
    parts = [group.names for group in compound_parts.group_parts(values)]
    together = {part for group in parts if names.intersection(group) for part in group}
    skipped = values.keys() if operation.verb is Verb.CREATE else operation.add
    nothing = {name for name in skipped if values.get(name) == []} - together
    return [name for name in (operation.match_field, *values) if name in (names | together) - nothing]


def created_by_token_at(client: Client, object_slug: str, record_id: str) -> datetime | None:
    """When an API token created the record; None if anyone else created it, or if it no longer exists."""
    answer = client.send(Purpose.LOOKUP, "GET", f"/objects/{object_slug}/records/{quote(record_id, safe='')}")
    if answer.record_is_gone:
        return None
    data = client.require(answer).body.get("data")
    authors = (
        data["values"].get("created_by") if isinstance(data, dict) and isinstance(data.get("values"), dict) else None
    )
    by_token = isinstance(authors, list) and any(
        author.get("referenced_actor_type") == "api-token" for author in authors
    )
    return parse_time(data.get("created_at")) if by_token else None


def update_requests(operation: Operation) -> Iterator[tuple[str, dict[str, Wire]]]:
    """PURE. The requests of an update, each as method and values.

    The PATCH goes first. It carries a new match value, and Attio rejects that if another record holds it. Sent last, it
    would leave a record whose other fields are already changed.
    """
    patch = _non_empty(operation, operation.add & operation.changed)
    put = {name: operation.values[name] for name in sorted(operation.changed - operation.add - {operation.match_field})}
    if operation.match_field in operation.changed:
        patch = {operation.match_field: operation.match_value, **patch}
    if patch:
        # Single values are sent along, to save the PUT. An empty list is not: PUT clears the attribute with it, but
        # Attio does not document what PATCH does.
        single = {name: wire for name, wire in put.items() if not isinstance(wire, list)}
        patch, put = {**single, **patch}, _without(put, single)
        yield "PATCH", patch
    if put:
        yield "PUT", put


class RecordWriter:
    """Sends the requests of one operation, and keeps track of the fields that they have carried so far."""

    def __init__(self, client: Client, object_slug: str, operation: Operation) -> None:
        self.client = client
        self.operation = operation
        self.object_slug = object_slug
        self.base = f"/objects/{object_slug}/records"
        self.sent: dict[str, None] = {}

    def send(
        self, method: str, values: Mapping[str, Wire], *, record_id: str = "", params: Mapping[str, str] | None = None
    ) -> Answer:
        path = f"{self.base}/{quote(record_id, safe='')}" if record_id else self.base
        self.sent.update(dict.fromkeys(values))
        answer = self.client.send(Purpose.WRITE, method, path, params=params, json=_body(values))
        if answer.status == 400:
            self.client.fetch_slug(self.object_slug, answer.named_attribute)
        return answer

    def require(self, answer: Answer, values: Mapping[str, Wire]) -> Answer:
        return self.client.require(answer, self._owners(answer, values))

    def accepted(self, answer: Answer) -> Outcome:
        data = answer.body.get("data")
        record_id = _record_id(data)
        if not record_id:
            raise Unavailable("unusable_answer", UNREADABLE, detail=answer.request_id, ambiguous=True)
        return Outcome(
            Result.ACCEPTED,
            record_id,
            parse_time(data.get("created_at")),
            tuple(self.sent),
            answer.request_id,
            str(data.get("web_url") or ""),
            identities=record_identities(data, self.operation.match_field),
        )

    def not_written(self, result: Result, answer: Answer, remote_id: str = "") -> Outcome:
        return Outcome(result, remote_id, None, tuple(self.sent), answer.request_id)

    def match_is_taken(self, answer: Answer) -> bool:
        """Whether another record holds the match value. A conflict of any other unique attribute is a rejection."""
        if answer.status != 400 or answer.code != "uniqueness_conflict":
            return False
        named = self.client.slugs.get(answer.named_attribute, answer.named_attribute)
        return named == self.operation.match_field or named not in self.operation.values

    def _owners(self, answer: Answer, values: Mapping[str, Wire]) -> list[str]:
        """IDs of the records that hold a conflicting match value, looked up if Attio does not name them.

        Empty if the lookup fails: the conflict is reported anyway, only with less detail.
        """
        operation = self.operation
        if answer.code != "uniqueness_conflict" or answer.conflicting_records or operation.match_field not in values:
            return []
        try:
            ids = [_record_id(record) for record in records_with_match(self.client, self.object_slug, operation)]
        except Problem:
            return []
        return [record_id for record_id in ids if record_id and record_id != operation.remote_id]


def _upsert(writer: RecordWriter) -> Outcome:
    """One PUT that creates or updates by the match. It replaces every list, so lists to add to follow in a PATCH."""
    operation = writer.operation
    values = {operation.match_field: operation.match_value, **_without(operation.values, operation.add)}
    answer = writer.send("PUT", values, params={"matching_attribute": operation.match_field})
    outcome = writer.accepted(writer.require(answer, values))
    additions = _non_empty(operation, operation.add)
    if not additions:
        return outcome
    answer = writer.send("PATCH", additions, record_id=outcome.remote_id)
    if answer.record_is_gone:
        raise Unavailable(
            "record_vanished",
            "The record was deleted or merged in Attio during the write. The write will be tried again.",
        )
    return writer.accepted(writer.require(answer, additions))


def _update(writer: RecordWriter) -> Outcome:
    """Only the changed values, by Attio's ID."""
    operation = writer.operation
    outcome = Outcome(Result.ACCEPTED, operation.remote_id)
    for method, values in update_requests(operation):
        answer = writer.send(method, values, record_id=operation.remote_id)
        if answer.record_is_gone:
            return writer.not_written(Result.GONE, answer)
        outcome = writer.accepted(writer.require(answer, values))
    return outcome


def _create(writer: RecordWriter) -> Outcome:
    """A POST, which Attio rejects if the match value is taken. Empty values are left out: there is nothing to clear."""
    operation = writer.operation
    filled = {name: wire for name, wire in operation.values.items() if wire != []}
    values = {operation.match_field: operation.match_value, **filled}
    answer = writer.send("POST", values)
    if writer.match_is_taken(answer):
        owners = answer.conflicting_records
        return writer.not_written(Result.EXISTS, answer, owners[0] if len(owners) == 1 else "")
    return writer.accepted(writer.require(answer, values))


_WRITERS = {Verb.UPSERT: _upsert, Verb.UPDATE: _update, Verb.CREATE: _create}


def _non_empty(operation: Operation, names: Iterable[str]) -> dict[str, Wire]:
    """The values to add to lists, without empty ones, which add nothing."""
    return {name: operation.values[name] for name in sorted(names) if operation.values.get(name)}


def _without(values: Mapping[str, Wire], names: Iterable[str]) -> dict[str, Wire]:
    excluded = set(names)
    return {name: wire for name, wire in values.items() if name not in excluded}


def _body(values: Mapping[str, Wire]) -> dict[str, Any]:
    return {"data": {"values": dict(values)}}


def _record_id(data: Any) -> str:
    identifier = data.get("id") if isinstance(data, dict) else None
    return str(identifier.get("record_id") or "") if isinstance(identifier, dict) else ""
