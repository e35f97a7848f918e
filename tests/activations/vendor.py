"""A vendor in memory. It can reject values, time out before or after a write, limit the rate, or be down."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from core.errors import Problem, Rejected, Unavailable
from destinations.contract import (
    NO_ORIGIN,
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

MATCH = "key"
ATTRIBUTES = ("a", "b", "c", "d")
UNREADABLE = "bad"

LOST_BEFORE, LOST_AFTER, THROTTLED, UNREACHABLE, KILLED_BEFORE, KILLED_AFTER = (
    "lost before", "lost after", "throttled", "unreachable", "killed before", "killed after",
)  # fmt: skip


class Killed(BaseException):
    """The worker dies here. No code of ours may handle this."""


@dataclass(frozen=True)
class Request:
    """One write request as the vendor received it, and its result."""

    verb: Verb
    identity: str
    values: Mapping[str, Wire]
    remote_id: str
    result: str


@dataclass
class Vendor:
    """The vendor's records. Each request takes one of the `faults` of the identity that it is about."""

    records: dict[str, dict[str, Wire]] = field(default_factory=dict)
    rejected: set[Wire] = field(default_factory=set)
    faults: dict[str, list[str]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    lookups: int = 0
    down: bool = False
    down_after: int | None = None
    refusal: Unavailable | None = None
    """The answer to every write, instead of any other."""
    created: int = 0
    batches: list[int] = field(default_factory=list)
    """How many records each write request was about."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def holder(self, identity: str) -> str:
        """The ID of the record with this match value, or ""."""
        return next(
            (remote_id for remote_id, record in self.records.items() if identity_of(record[MATCH]) == identity), ""
        )

    def add(self, match: str, values: Mapping[str, Wire]) -> str:
        """Creates a record, on behalf of us or of someone else."""
        self.created += 1
        remote_id = f"r{self.created}"
        self.records[remote_id] = {**dict.fromkeys(ATTRIBUTES), **values, MATCH: match}
        return remote_id

    def answer(self, operation: Operation) -> Outcome:
        """Processes one write.

        Raises:
            Rejected, Unavailable: according to `rejected` and `faults`.
            Killed: the worker dies before or after the write.
        """
        (result,) = self.answer_all([operation])
        if isinstance(result, Problem):
            raise result
        return result

    def answer_all(self, operations: Sequence[Operation], *, whole: bool = False) -> list[Outcome | Problem]:
        """Processes one request with several writes. At most one fault of their identities applies to all of them.

        Args:
            whole: if one of several writes is rejected, so are all of them.

        Raises:
            Rejected, Unavailable, Killed: as `answer`, for the whole request.
        """
        with self.lock:
            self.batches.append(len(operations))
            if self.refusal:
                raise self.refusal
            fault = self._fault([identity_of(operation.match_value) for operation in operations])
            if fault == UNREACHABLE:
                raise Unavailable("unreachable", "The vendor can't be reached.")
            if fault == THROTTLED:
                raise Unavailable("throttled", "Too many requests.", retry_after=0.0, throttled=True)
            if fault == LOST_BEFORE:
                for operation in operations:
                    self._note(operation, identity_of(operation.match_value), "lost")
                raise Unavailable("timeout", "No answer.", ambiguous=True)
            if fault == KILLED_BEFORE:
                raise Killed
            results = self._write_all(operations, whole)
            if fault == LOST_AFTER:
                raise Unavailable("timeout", "No answer.", ambiguous=True)
            if fault == KILLED_AFTER:
                raise Killed
            return results

    def _fault(self, identities: Sequence[str]) -> str:
        if self.down_after is not None:
            self.down_after -= 1
            if self.down_after < 0:
                return UNREACHABLE
        waiting = next((self.faults[identity] for identity in identities if self.faults.get(identity)), None)
        return waiting.pop(0) if waiting else ""

    def _write_all(self, operations: Sequence[Operation], whole: bool) -> list[Outcome | Problem]:
        records, created = {name: dict(record) for name, record in self.records.items()}, self.created
        noted = len(self.requests)
        results: list[Outcome | Problem] = []
        for operation in operations:
            try:
                results.append(self._write(operation, identity_of(operation.match_value)))
            except Rejected as rejection:
                if whole and len(operations) > 1:
                    self.records, self.created = records, created
                    del self.requests[noted:]
                    raise
                results.append(rejection)
        return results

    def _write(self, operation: Operation, identity: str) -> Outcome:
        sent = sent_by(operation)
        owner = self.holder(identity)
        if operation.verb is Verb.UPDATE and operation.remote_id not in self.records:
            self._note(operation, identity, "gone")
            return Outcome(Result.GONE)
        if operation.verb is Verb.CREATE and owner:
            self._note(operation, identity, "exists")
            return Outcome(Result.EXISTS)
        if self.rejected & set(sent.values()):
            self._note(operation, identity, "rejected")
            raise Rejected("refused", "This value is not accepted.", request_id="q1")
        if operation.verb is Verb.UPDATE and MATCH in sent and owner not in ("", operation.remote_id):
            self._note(operation, identity, "rejected")
            raise Rejected("taken", "A different record has this match.", field=MATCH)
        remote_id = operation.remote_id if operation.verb is Verb.UPDATE else owner
        if remote_id:
            self.records[remote_id].update(
                {name: value for name, value in sent.items() if name != MATCH or operation.verb is Verb.UPDATE}
            )
        else:
            remote_id = self.add(sent[MATCH], {name: value for name, value in sent.items() if name != MATCH})
        self._note(operation, identity, "written", remote_id)
        return Outcome(Result.ACCEPTED, remote_id, sent=tuple(sent))

    def _note(self, operation: Operation, identity: str, result: str, remote_id: str = "") -> None:
        self.requests.append(
            Request(operation.verb, identity, sent_by(operation), remote_id or operation.remote_id, result)
        )


class Client:
    """A client with the rate limiter of one run."""

    def __init__(self, vendor: Vendor, gate: Gate) -> None:
        self.vendor = vendor
        self.gate = gate

    def close(self) -> None:
        return None


class Memory(Platform):
    """The account: one vendor in memory."""

    slug = "memory"
    label = "Memory"
    parameters = ()
    url_variable = "MEMORY_API_URL"
    sandbox_port = 0

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor

    def default_url(self, settings: Mapping[str, Any]) -> str:
        return "memory:"

    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> Client:
        return Client(self.vendor, gate)

    def check(self, client: Client) -> Workspace:
        if self.vendor.down:
            raise Unavailable("unreachable", "The vendor can't be reached.")
        return Workspace("w1", "Workspace")

    def sandbox(self, token: str) -> Any:
        raise NotImplementedError


class Movable(Service):
    """Records whose match value may change. The match value of a different record is rejected."""

    slug = "memory.movable"
    label = "Movable things"
    platform: ClassVar[Platform]
    accepts = ("custom",)
    default_mode = Mode.UPSERT
    limits = Limits(reads=10_000, writes=10_000, find_batch=2)
    default_match = MATCH
    match_may_change = True

    def __init__(self, platform: Memory) -> None:
        self.platform = platform  # type: ignore[misc]

    def fields(self, client: Client) -> list[Field]:
        return [Field(MATCH, "Key", "text", matchable=True), *(Field(name, name, "text") for name in ATTRIBUTES)]

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        if value == UNREADABLE:
            raise Rejected("not_good", f"{field.name} takes good values.", field=field.name)
        return value

    def empty(self, field: Field) -> Wire:
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        return identity_of(wire)

    def find(self, client: Client, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        client.gate.wait(Purpose.LOOKUP)
        client.vendor.lookups += 1
        holders = {identity: client.vendor.holder(identity) for identity in identities}
        return {identity: self.held(client, remote_id) for identity, remote_id in holders.items() if remote_id}

    def held(self, client: Client, remote_id: str) -> Held:
        return Held(remote_id, client.vendor.records[remote_id])

    def write(self, client: Client, operation: Operation) -> Outcome:
        client.gate.wait(Purpose.WRITE)
        return client.vendor.answer(operation)


class Immovable(Movable):
    """The same, but a different match value means a different record."""

    slug = "memory.immovable"
    match_may_change = False


class Batching(Movable):
    """Takes several records in a request, and answers for each of them."""

    slug = "memory.batching"
    limits = replace(Movable.limits, write_batch=3)

    def write_all(self, client: Client, operations: Sequence[Operation]) -> Sequence[Outcome | Problem]:
        client.gate.wait(Purpose.WRITE)
        return client.vendor.answer_all(operations)


class AllOrNothing(Immovable):
    """Takes several records in a request, and refuses all of them if it refuses one."""

    slug = "memory.all_or_nothing"
    limits = replace(Movable.limits, write_batch=3)

    def write_all(self, client: Client, operations: Sequence[Operation]) -> Sequence[Outcome | Problem]:
        client.gate.wait(Purpose.WRITE)
        return client.vendor.answer_all(operations, whole=True)


def identity_of(match: Wire) -> str:
    """What match values are compared by. Case makes no difference."""
    return str(match).lower()


def sent_by(operation: Operation) -> dict[str, Wire]:
    """The values in a request of this operation: what changed, or everything with the match value."""
    if operation.verb is Verb.UPDATE:
        everything = {**operation.values, MATCH: operation.match_value}
        return {name: everything[name] for name in operation.changed}
    return {**operation.values, MATCH: operation.match_value}


def request_counts(requests: Sequence[Request]) -> Counter[tuple[str, Verb, str]]:
    """Counts requests by identity, verb and values."""
    return Counter((request.identity, request.verb, repr(sorted(request.values.items()))) for request in requests)
