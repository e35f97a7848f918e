"""Bulk: a vendor that takes up to 20 records in a request, and refuses all of them if it refuses one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from core import http
from core.errors import Misconfigured, Problem, Rejected, Unavailable
from core.parameters import Parameter
from destinations.contract import (
    NO_ORIGIN,
    Created,
    Field,
    Gate,
    Held,
    Limits,
    Mode,
    Operation,
    Origin,
    Outcome,
    Platform,
    Purpose,
    Result,
    Service,
    Verb,
    Wire,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PLATFORMS", "SERVICES"]

BATCH = 20
ATTRIBUTES = ("name", "category", "seats")


class Client:
    """One access token."""

    def __init__(self, url: str, token: str, gate: Gate, threads: int) -> None:
        self.url, self.gate, self.http = url, gate, http.session(threads)
        self.headers = {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        self.http.close()

    def call(self, purpose: Purpose, path: str, body: Any = None) -> Any:
        """Sends one request that must succeed. Raises Rejected if the vendor refuses its records."""
        self.gate.wait(purpose)
        writing = purpose is Purpose.WRITE
        method = "POST" if writing else "GET"
        try:
            response = http.send(self.http, method, self.url + path, headers=self.headers, json=body)
        except Unavailable as problem:
            problem.ambiguous = problem.ambiguous and writing
            raise
        if response.status_code == 200:
            return http.body(response)
        if response.status_code == 400:
            raise Rejected("refused", "Bulk refused a record of this request.")
        if response.status_code == 429:
            raise Unavailable("throttled", "Bulk is busy.", retry_after=1.0, throttled=True)
        if response.status_code >= 500:
            raise Unavailable("broken", "Bulk has an internal error.", ambiguous=writing)
        raise Misconfigured("unexpected", f"Bulk answered {response.status_code}.")


class Bulk(Platform):
    """The account."""

    slug = "bulk"
    label = "Bulk"
    parameters = (Parameter("token", "Access token", "secret"),)
    url_variable = "BULK_API_URL"
    sandbox_port = 8799

    def default_url(self, settings: Mapping[str, Any]) -> str:
        return "https://bulk.invalid"

    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> Client:
        return Client(self.url(settings), settings["token"], gate, threads)

    def check(self, client: Client) -> Workspace:
        return Workspace(client.call(Purpose.DISCOVERY, "/me")["id"], "Bulk workspace")


class Companies(Service):
    """Companies, matched by our ID."""

    slug = "bulk.companies"
    label = "Bulk companies"
    platform: ClassVar[Platform]
    accepts = ("custom",)
    default_mode = Mode.UPSERT
    limits = Limits(reads=20, writes=5, find_batch=BATCH, write_batch=BATCH)
    default_match = "number"

    def fields(self, client: Client) -> list[Field]:
        return [Field("number", "Number", "text", matchable=True), *(Field(name, name, "text") for name in ATTRIBUTES)]

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        return str(value)

    def empty(self, field: Field) -> Wire:
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        return str(wire)

    def find(self, client: Client, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        found = client.call(Purpose.LOOKUP, f"/lookup/{','.join(identities)}")
        return {identity: Held(remote_id) for identity, remote_id in found.items()}

    def write(self, client: Client, operation: Operation) -> Outcome:
        (result,) = self.write_all(client, [operation])
        if isinstance(result, Problem):
            raise result
        return result

    def write_all(self, client: Client, operations: Sequence[Operation]) -> Sequence[Outcome | Problem]:
        body = {"records": [_record(operation) for operation in operations]}
        results = client.call(Purpose.WRITE, "/records", body)["results"]
        return [_outcome(operation, result) for operation, result in zip(operations, results, strict=True)]


def _record(operation: Operation) -> dict[str, Any]:
    if operation.verb is Verb.UPDATE:
        values = {name: value for name, value in operation.values.items() if name in operation.changed}
        return {"id": operation.remote_id, "values": values}
    return {"number": operation.match_value, "values": dict(operation.values)}


def _outcome(operation: Operation, result: Mapping[str, Any]) -> Outcome:
    if result.get("gone"):
        return Outcome(Result.GONE)
    sent = tuple(_record(operation)["values"])
    created = Created.YES if result["created"] else Created.NO
    return Outcome(Result.ACCEPTED, result["id"], sent=sent, created=created)


PLATFORMS = [Bulk()]
Companies.platform = PLATFORMS[0]
SERVICES = [Companies()]
