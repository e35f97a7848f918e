"""Finding and writing the records of one Attio object: what every service of this platform has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from core.errors import Rejected, Unavailable
from destinations.contract import Field, Limits, Mode, Operation, Outcome, Plain, Purpose, Service, Wire
from destinations.services.attio import compound_parts, writing
from destinations.services.attio.client import LOOKUP_SIZE, Client
from destinations.services.attio.fields import discover
from destinations.services.attio.match_lookup import identity_of, kept_as
from destinations.services.attio.values import conversion, domains

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

QUERY_LIMIT = 500
"""Records in an answer of a query: Attio's default, and what everyone uses."""

# 100 reads and 25 writes a second: docs.attio.com /rest-api/guides/rate-limiting.
LIMITS = Limits(reads=100, writes=25, shared=False, find_batch=LOOKUP_SIZE)


class Records(Service):
    """One object of Attio."""

    object: ClassVar[str]
    default_mode = Mode.UPSERT
    match_may_change = True
    limits = LIMITS

    def fields(self, client: Client) -> list[Field]:
        return discover(client, self.object)

    def convert(self, field: Field, value: Any) -> Wire:
        return conversion.convert(field, value)

    def plain(self, field: Field, type_name: str) -> Plain | None:
        return conversion.plain(field, type_name)

    def empty(self, field: Field) -> Wire:
        if field.required:
            raise Rejected(
                "required", f"The attribute {field.name!r} is required in Attio and can't be cleared.", field=field.name
            )
        return []

    def identity(self, field: Field, wire: Wire) -> str:
        return conversion.identity(field, wire)

    def identities(self, field: Field, wire: Wire) -> Sequence[str]:
        found = (conversion.identity(field, item) for item in (wire if isinstance(wire, list) else [wire]))
        return tuple(dict.fromkeys(name for name in found if name))

    def find(self, client: Client, match_field: Field, identities: Sequence[str]) -> Mapping[str, str]:
        wanted = list(dict.fromkeys(identities))
        found: dict[str, str] = {}
        while wanted:
            batch = wanted[: client.lookup.size]
            found |= self._batch(client, match_field, batch)
            wanted = wanted[len(batch) :]
        return found

    def reads_first(self, names: Collection[str]) -> bool:
        return not all(group.is_complete for group in compound_parts.shared(dict.fromkeys(names)))

    def contradictions(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        return compound_parts.contradictions(names)

    def made_at(self, client: Client, remote_id: str) -> datetime | None:
        return writing.made_at(client, self.object, remote_id)

    def write(self, client: Client, operation: Operation) -> Outcome:
        return writing.write(client, self.object, operation)

    def _batch(self, client: Client, match_field: Field, wanted: list[str]) -> dict[str, str]:
        """One look-up. Attio may refuse one of the values: no record can have that one, and the others are asked for without it."""
        try:
            found = self._found(client, match_field, wanted)
        except Rejected:
            half = len(wanted) // 2
            halves = (wanted[:half], wanted[half:]) if half else ()
            return {name: id_ for part in halves for name, id_ in self._batch(client, match_field, part).items()}
        except Unavailable as problem:
            client.lookup.refused(throttled=problem.throttled)
            raise
        client.lookup.answered()
        return found

    def _found(self, client: Client, match_field: Field, wanted: list[str]) -> dict[str, str]:
        exact: dict[str, Mapping[str, Any]] = {}
        alike: dict[str, Mapping[str, Any]] = {}
        clauses = [clause for identity in wanted for clause in _clauses(match_field, identity)]
        for record in self._matching(client, clauses):
            for value in (record.get("values") or {}).get(match_field.name) or ():
                kept = kept_as(value)
                identity = identity_of(match_field, kept)
                if identity in wanted:
                    # Where `acme.com` and `www.acme.com` are two companies in Attio, the one of that very name is meant.
                    (exact if identity == kept else alike).setdefault(identity, record)
        for identity in wanted:
            if identity in exact or identity not in alike:
                client.glances.note(identity, exact.get(identity))
        return {identity: record["id"]["record_id"] for identity, record in {**alike, **exact}.items()}

    def _matching(self, client: Client, clauses: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        path, offset = f"/objects/{self.object}/records/query", 0
        while True:
            body = {"filter": {"$or": clauses}, "limit": QUERY_LIMIT, "offset": offset}
            page = client.call(Purpose.LOOKUP, "POST", path, body=body).body.get("data")
            if not isinstance(page, list):
                raise Unavailable(
                    "unusable_answer", "Attio's answer could not be understood. The request is tried again."
                )
            yield from page
            if len(page) < QUERY_LIMIT:
                return
            offset += len(page)


_NUMBERS = ("number", "currency", "rating")


def _clauses(field: Field, identity: str) -> Iterator[dict[str, Any]]:
    """The filters that meet one identity. Domains can't be asked for with $in, so that look-ups are an $or of these."""
    if field.type == "domain":
        for spelling in domains.spellings(identity):
            yield {field.name: {"domain": {"$eq": spelling}}}
    elif field.type == "email-address":
        yield {field.name: {"email_address": {"$eq": identity}}}
    else:
        yield {field.name: float(identity) if field.type in _NUMBERS else identity}
