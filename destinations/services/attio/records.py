"""Finding and writing the records of one Attio object: the base class of every service on this platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from core.errors import Rejected, Unavailable
from destinations.contract import (
    NO_ORIGIN,
    Author,
    Field,
    Held,
    Limits,
    Mode,
    Operation,
    Origin,
    Outcome,
    Plain,
    Purpose,
    Service,
    Wire,
)
from destinations.kit.pages import by_offset
from destinations.services.attio import compound_parts, writing
from destinations.services.attio.client import LOOKUP_SIZE, Client
from destinations.services.attio.errors import UNREADABLE
from destinations.services.attio.fields import discover
from destinations.services.attio.match_lookup import record_identities, stored_identity, stored_value
from destinations.services.attio.values import comparison, conversion, domains, reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

QUERY_LIMIT = 500
"""The maximum number of records in one answer to a query, which is also Attio's default."""

# 100 reads and 25 writes per second: docs.attio.com /rest-api/guides/rate-limiting.
LIMITS = Limits(reads=100, writes=25, shared=False, find_batch=LOOKUP_SIZE)


class Records(Service):
    """One object of Attio."""

    object: ClassVar[str]
    default_mode = Mode.UPSERT
    match_may_change = True
    compares = True
    limits = LIMITS

    def fields(self, client: Client) -> list[Field]:
        return discover(client, self.object)

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        return conversion.convert(field, value, origin)

    def plain(self, field: Field, type_name: str) -> Plain | None:
        return conversion.plain(field, type_name)

    def takes_country(self, field: Field) -> bool:
        return field.type == "phone-number"

    def empty(self, field: Field) -> Wire:
        if field.required:
            raise Rejected(
                "required",
                f"The attribute “{field.name}” is required in Attio and can't be cleared. Add a value in the source.",
                field=field.name,
            )
        return []

    def identity(self, field: Field, wire: Wire) -> str:
        return conversion.identity(field, wire)

    def identities(self, field: Field, wire: Wire) -> Sequence[str]:
        wires = wire if isinstance(wire, list) else [wire]
        names = (conversion.identity(field, item) for item in wires)
        return tuple(dict.fromkeys(name for name in names if name))

    def find(self, client: Client, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        remaining = list(dict.fromkeys(identities))
        found: dict[str, Held] = {}
        while remaining:
            batch = remaining[: client.lookup_batch.size]
            found |= self._find_batch(client, match_field, batch)
            remaining = remaining[len(batch) :]
        return found

    def read(self, client: Client, match_field: Field, remote_id: str) -> Held | None:
        answer = client.send(Purpose.LOOKUP, "GET", f"/objects/{self.object}/records/{quote(remote_id, safe='')}")
        if answer.record_is_gone:
            return None
        record = client.require(answer).body.get("data")
        if not isinstance(record, dict) or not isinstance(record.get("id"), dict):
            raise Unavailable("unusable_answer", UNREADABLE, detail=answer.request_id)
        return _held(record, match_field)

    def same(self, field: Field, wire: Wire, held: Held, *, adds: bool = False) -> bool:
        return comparison.same(field, wire, held.values, adds=adds)

    def shown(self, field: Field, held: Held) -> Any:
        return reading.shown(field, held.values)

    def author(self, field: Field, held: Held) -> Author | None:
        return reading.author(field, held.values)

    def is_empty(self, field: Field, held: Held) -> bool:
        return comparison.is_empty(field, held.values)

    def reads_first(self, names: Collection[str]) -> bool:
        return not all(group.is_complete for group in compound_parts.group_parts(dict.fromkeys(names)))

    def contradictions(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        return compound_parts.contradictions(names)

    def made_at(self, client: Client, remote_id: str) -> datetime | None:
        return writing.created_by_token_at(client, self.object, remote_id)

    def write(self, client: Client, operation: Operation) -> Outcome:
        return writing.write(client, self.object, operation)

    def sends(self, operation: Operation) -> Sequence[str]:
        return writing.fields_sent(operation)

    def _find_batch(self, client: Client, match_field: Field, identities: list[str]) -> dict[str, Held]:
        """One lookup. If Attio rejects it, the batch is halved until only the invalid values are left out.

        Attio rejects a whole query for one invalid value. No record can have that value, and the others must still be
        found: of [a, b, odd, c], first [a, b] and [odd, c] are requested, then [odd] and [c].
        """
        try:
            found = self._query_records(client, match_field, identities)
        except Rejected:
            middle = len(identities) // 2
            halves = (identities[:middle], identities[middle:]) if middle else ()
            return {
                identity: held
                for half in halves
                for identity, held in self._find_batch(client, match_field, half).items()
            }
        except Unavailable as problem:
            client.lookup_batch.record_failure(len(identities), throttled=problem.throttled)
            raise
        client.lookup_batch.record_success()
        return found

    def _query_records(self, client: Client, match_field: Field, identities: list[str]) -> dict[str, Held]:
        """Identity → record. A record with exactly this spelling takes precedence over one with another spelling.

        `acme.com` and `www.acme.com` have the same identity, and may still be two companies in Attio. Then the one that
        is stored as `acme.com` is the match. A record with another spelling is not cached: a write that matches by
        `acme.com` might not reach it.
        """
        wanted = frozenset(identities)
        exact: dict[str, Mapping[str, Any]] = {}
        similar: dict[str, Mapping[str, Any]] = {}
        clauses = [clause for identity in identities for clause in _clauses(match_field, identity)]
        for record in self._query(client, clauses):
            for entry in (record.get("values") or {}).get(match_field.name) or ():
                stored = stored_value(entry)
                identity = stored_identity(match_field, stored)
                if identity in wanted:
                    (exact if identity == stored else similar).setdefault(identity, record)
        for identity in identities:
            if identity in exact or identity not in similar:
                client.lookup_cache.store(identity, exact.get(identity))
        return {identity: _held(record, match_field) for identity, record in {**similar, **exact}.items()}

    def _query(self, client: Client, clauses: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        def fetch(offset: int) -> list[dict[str, Any]]:
            body = {"filter": {"$or": clauses}, "limit": QUERY_LIMIT, "offset": offset}
            page = client.call(Purpose.LOOKUP, "POST", f"/objects/{self.object}/records/query", json=body)
            if not isinstance(records := page.body.get("data"), list):
                raise Unavailable("unusable_answer", UNREADABLE)
            return records

        return by_offset(fetch, QUERY_LIMIT)


def _held(record: Mapping[str, Any], match_field: Field) -> Held:
    return Held(
        record["id"]["record_id"],
        record.get("values") or {},
        reading.parse_time(record.get("created_at")),
        str(record.get("web_url") or ""),
        record_identities(record, match_field.name),
    )


_NUMBERS = ("number", "currency", "rating")


def _clauses(field: Field, identity: str) -> Iterator[dict[str, Any]]:
    """The filters for one identity. Domains do not support $in, so a lookup is an $or of these."""
    if field.type == "domain":
        for spelling in domains.spellings(identity):
            yield {field.name: {"domain": {"$eq": spelling}}}
    elif field.type == "email-address":
        yield {field.name: {"email_address": {"$eq": identity}}}
    else:
        yield {field.name: float(identity) if field.type in _NUMBERS else identity}
