"""What a platform and a service must be. A service folder imports this, `destinations.sandbox`, `core` and nothing else of ours."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.parameters import Parameter

Wire = Any
"""A value as it stands in the request: JSON, nothing else."""


class Mode(StrEnum):
    """What an activation does with records that the destination knows, or doesn't."""

    UPSERT = "upsert"
    UPDATE = "update"
    INSERT = "insert"


class Purpose(StrEnum):
    """Why a request is sent. Each purpose has its own counter on the run; only WRITE changes the destination's records."""

    DISCOVERY = "discovery"
    LOOKUP = "lookup"
    WRITE = "write"


@dataclass(frozen=True)
class Quota:
    """What the vendor's headers said of the budget that a request was taken from.

    `remaining` requests until `reset_at`; `limit` requests a window of `window_seconds`.
    """

    remaining: int
    reset_at: datetime
    limit: int | None = None
    window_seconds: float | None = None


class Gate(Protocol):
    """Stands before every request of a client: waits for its turn, counts it, and learns from the answer."""

    def wait(self, purpose: Purpose) -> None: ...

    def learn(self, purpose: Purpose, quota: Quota) -> None: ...


class OpenGate:
    """A gate that lets everything pass, for forms and single checks."""

    def wait(self, purpose: Purpose) -> None:
        return None

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        return None


@dataclass(frozen=True)
class Workspace:
    """Whose account a credential opens: the vendor's own id and name of it, and what else is worth showing."""

    id: str
    name: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Option:
    """One allowed value of a field."""

    id: str
    title: str


@dataclass(frozen=True)
class Field:
    """One attribute at the destination.

    Args:
        type: the vendor's own word for it.
        multiple: holds a list of values.
        matchable: may be the match of an activation.
        options: the allowed values; empty where any value is allowed.
        read_only_reason: in words, where `writable` is false.
        config: what converting a value needs besides, e.g. the allowed target objects.
    """

    name: str
    label: str
    type: str
    writable: bool = True
    required: bool = False
    unique: bool = False
    multiple: bool = False
    matchable: bool = False
    options: tuple[Option, ...] = ()
    read_only_reason: str = ""
    custom: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewField:
    """A field that an activation wants at the destination: a column's name and its type in our words (see segments)."""

    name: str
    type: str


class Verb(StrEnum):
    """UPSERT: create or update by the match. UPDATE: by the vendor's id, never creates. CREATE: refused where it exists."""

    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


@dataclass(frozen=True)
class Operation:
    """One write of one record.

    Args:
        match_field, match_value: the field that identifies the record, and its wire value.
        values: every mapped field's wire value without the match; UPSERT and CREATE send them all.
        changed: names of `values` that differ from what was last accepted; UPDATE sends only these. It holds
            `match_field` too where the match value itself changed.
        may_create: the activation is in upsert mode, so where an UPDATE by id can't do it, an UPSERT may.
        add: names of multiple fields whose values are added to those already there, instead of replacing them.
        remote_id: the vendor's id; empty unless UPDATE.
    """

    verb: Verb
    match_field: str
    match_value: Wire
    values: Mapping[str, Wire]
    changed: frozenset[str] = frozenset()
    add: frozenset[str] = frozenset()
    remote_id: str = ""
    may_create: bool = False


class Result(StrEnum):
    """ACCEPTED: written. GONE: UPDATE met no such record. EXISTS: CREATE met a record with this match."""

    ACCEPTED = "accepted"
    GONE = "gone"
    EXISTS = "exists"


@dataclass(frozen=True)
class Outcome:
    """What became of an operation that the vendor did not refuse.

    Args:
        remote_id: the vendor's id of the record; of one that EXISTS where the answer holds it.
        created_at: the vendor's own time of creation, where the answer holds it.
        sent: names of the fields that the request held.
        request_id: the vendor's id of the request.
        web_url: the page of the record in the vendor's application, if the answer holds it.
        hidden: the vendor keeps the record, but does not show it to people yet; `Service.hidden_note` says why.
        identities: all that the record is found by now, as `Service.identities`, where the answer says so.
    """

    result: Result
    remote_id: str = ""
    created_at: datetime | None = None
    sent: tuple[str, ...] = ()
    request_id: str = ""
    web_url: str = ""
    hidden: bool = False
    identities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """The starting guess of the vendor's limits, in requests a second; headers correct it.

    Args:
        shared: reads and writes come from one budget of `writes` a second.
        find_batch: how many match values one `find` call may look up.
    """

    reads: float
    writes: float
    shared: bool = False
    find_batch: int = 1


class Client(Protocol):
    """A vendor's API with one credential. Safe for many threads."""

    def close(self) -> None: ...


class Platform(ABC):
    """A vendor: how to connect, and how to check a credential."""

    slug: ClassVar[str]
    label: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    url_variable: ClassVar[str]
    """The environment variable that replaces the API's base address, for sandboxes and tests."""
    sandbox_port: ClassVar[int]
    """The usual port of the platform's simulator."""

    @abstractmethod
    def default_url(self, settings: Mapping[str, Any]) -> str:
        """The vendor's real base address for these settings."""

    @abstractmethod
    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> Any:
        """A client for up to `threads` threads. Sends nothing yet."""

    @abstractmethod
    def check(self, client: Any) -> Workspace:
        """Makes the vendor's real check call.

        Raises:
            Misconfigured: token refused, scope missing (named), wrong region, plan too small.
            Unavailable: no usable answer.
        """

    def url(self, settings: Mapping[str, Any]) -> str:
        """The base address in force, without a trailing slash."""
        return (os.environ.get(self.url_variable, "").strip() or self.default_url(settings)).rstrip("/")


@dataclass(frozen=True)
class Plain:
    """Which values a field takes just as they are, so that whole columns of them are converted at once.

    It only saves time: for each value that meets it, the wire value and the identity are those that `convert` and `identity`
    give. Everything else goes through `convert`, value by value.

    Args:
        form: how a value goes out. `text`: itself, a whole number as its digits. `number`: itself. `boolean`. `day`:
            YYYY-MM-DD. `moment`: ISO 8601 in UTC with a Z and as many decimals of a second as there are, six or none.
            `seconds`: unix time.
        pattern: a regular expression that text must meet as a whole.
        most_characters: of text.
        largest: of numbers, without their sign.
        places: decimals that numbers may have.
        rounds: numbers with more decimals are rounded to `places`, half to even.
        listed: the wire value is a list of that one value.
    """

    form: Literal["text", "number", "boolean", "day", "moment", "seconds"]
    pattern: str = ""
    most_characters: int | None = None
    largest: int = 2**31 - 1
    places: int = 0
    rounds: bool = False
    listed: bool = False


class Service(ABC):
    """One kind of destination: which records a platform takes, and how."""

    slug: ClassVar[str]
    """`platform.object`, e.g. `attio.companies`."""
    label: ClassVar[str]
    platform: ClassVar[Platform]
    accepts: ClassVar[tuple[str, ...]]
    """The model kinds it takes: users, events, custom."""
    modes: ClassVar[tuple[Mode, ...]] = (Mode.UPSERT, Mode.UPDATE, Mode.INSERT)
    default_mode: ClassVar[Mode]
    limits: ClassVar[Limits]
    default_match: ClassVar[str]
    """The match field to propose."""
    match_advice: ClassVar[str] = ""
    """What to do at the vendor where no field can be the match."""
    match_may_change: ClassVar[bool] = False
    """A known record can take a new match value. Where not, a new match value is another record at the vendor."""
    several: ClassVar[str] = r"[\s,;|\[]"
    """A regular expression that a text meets which may hold several match values; only those are looked at for further ones."""
    creates_fields: ClassVar[bool] = False
    """`prepare` can create missing fields (custom attributes under the column's own name)."""
    notes: ClassVar[tuple[str, ...]] = ()
    """What a person should know before using it, one sentence each."""
    hidden_note: ClassVar[str] = ""
    """Why the vendor keeps records that it does not show yet, and what makes them appear."""

    @abstractmethod
    def fields(self, client: Any) -> list[Field]:
        """Every attribute at the destination, also those that can't be written, in the vendor's order.

        Raises:
            Misconfigured, Unavailable
        """

    @abstractmethod
    def convert(self, field: Field, value: Any) -> Wire:
        """PURE. The wire value of a natural Python value that is not empty.

        Args:
            value: str, int, float, Decimal, bool, date, datetime (always with a zone), list or dict.

        Raises:
            Rejected: it can't be converted; the message names the field and what would fit, never the value.
        """

    def plain(self, field: Field, type_name: str) -> Plain | None:
        """PURE. Which values of a column of this type (see segments) the field takes as they are; None for none."""
        return None

    @abstractmethod
    def empty(self, field: Field) -> Wire:
        """PURE. The wire value that clears the field.

        Raises:
            Rejected: the vendor can't clear it.
        """

    @abstractmethod
    def identity(self, field: Field, wire: Wire) -> str:
        """PURE. The normalised match value: two records with one identity are one record at the vendor."""

    def identities(self, field: Field, wire: Wire) -> Sequence[str]:
        """PURE. Everything that a record of this match value may be found by, the best first: several domains of one company."""
        return (self.identity(field, wire),)

    @abstractmethod
    def find(self, client: Any, match_field: Field, identities: Sequence[str]) -> Mapping[str, str]:
        """Looks up which identities exist: identity → the vendor's id. At most `limits.find_batch` at once.

        Raises:
            Misconfigured, Unavailable
        """

    @abstractmethod
    def write(self, client: Any, operation: Operation) -> Outcome:
        """Writes one record with as few requests as the vendor allows (one, but for documented exceptions).

        Raises:
            Rejected: the vendor refuses this record; with its code, message and request id.
            Misconfigured: it would refuse any record.
            Unavailable: no usable answer; `throttled` and `ambiguous` say what may be repeated.
        """

    def made_at(self, client: Any, remote_id: str) -> datetime | None:
        """When a record was made, if an API made it; None where a person or the vendor did, or nobody can say.

        Raises:
            Misconfigured, Unavailable
        """
        return None

    def reads_first(self, names: Collection[str]) -> bool:
        """PURE. Whether an UPSERT with these fields must know what is there already: it is looked up in batches then."""
        return False

    def contradictions(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """PURE. Which of these fields can't be mapped together: a field, and why in a sentence that says what to do."""
        return iter(())

    def check_new_fields(self, fields: Sequence[Field], wanted: Sequence[NewField]) -> Iterator[str]:
        """PURE. What stands against creating `wanted`, a sentence each: names, collisions, types, limits."""
        return iter(())

    def new_field(self, wanted: NewField) -> Field:
        """PURE. The field as `prepare` would create it, for a dry run."""
        return Field(wanted.name, wanted.name, wanted.type, custom=True)

    def prepare(self, client: Any, fields: Sequence[Field], wanted: Sequence[NewField]) -> list[Field]:
        """Creates those of `wanted` that `fields` lacks, and returns the fields as they are then.

        Raises:
            Misconfigured: a field can't be created, or exists with a type that doesn't fit.
        """
        return list(fields)
