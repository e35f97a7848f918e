"""A vendor in memory whose records have several match values and never lose one, as Attio does with domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import NO_ORIGIN, Field, Operation, Origin, Outcome, Result, Verb, Wire
from tests.activations.vendor import ATTRIBUTES, MATCH, Client, Movable, Vendor, sent_by

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class ListVendor(Vendor):
    """The vendor's records. Each match value belongs to at most one of them."""

    def holder(self, identity: str) -> str:
        return next((remote_id for remote_id, record in self.records.items() if identity in record[MATCH]), "")

    def answer(self, operation: Operation) -> Outcome:
        with self.lock:
            sent = sent_by(operation)
            owners = dict.fromkeys(filter(None, map(self.holder, sent.get(MATCH, ()))))
            if operation.verb is Verb.UPDATE and operation.remote_id not in self.records:
                return Outcome(Result.GONE)
            if operation.verb is Verb.CREATE and owners:
                return Outcome(Result.EXISTS)
            if len({*owners, operation.remote_id} - {""}) > 1:
                raise Rejected("taken", "A different record has one of these match values.", field=MATCH)
            remote_id = operation.remote_id or next(iter(owners), "") or self.add("", {MATCH: []})
            record = self.records[remote_id]
            matches = [*dict.fromkeys([*(record[MATCH] or ()), *sent.pop(MATCH, ())])]
            record.update({**sent, MATCH: matches})
            return Outcome(Result.ACCEPTED, remote_id, sent=tuple(sent), identities=tuple(matches))


class Listed(Movable):
    """Things with several keys, separated by spaces."""

    slug = "memory.listed"
    label = "Things with several keys"

    def fields(self, client: Client) -> list[Field]:
        return [
            Field(MATCH, "Key", "text", matchable=True, multiple=True),
            *(Field(name, name, "text") for name in ATTRIBUTES),
        ]

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        return str(value).split() if field.name == MATCH else super().convert(field, value, origin)

    def identity(self, field: Field, wire: Wire) -> str:
        return str(wire[0])

    def identities(self, field: Field, wire: Wire) -> Sequence[str]:
        return tuple(wire)
