"""What a service must provide: which records a platform takes, and how they are written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from core.errors import Problem
from destinations.contract.fields import NO_ORIGIN, Field
from destinations.contract.operations import Mode, Verb
from destinations.contract.reveal import Revealed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from destinations.contract.fields import NewField, Origin, Wire
    from destinations.contract.held import Author, Held
    from destinations.contract.limits import Limits
    from destinations.contract.operations import Operation, Outcome
    from destinations.contract.plain import Plain
    from destinations.contract.platform import Platform
    from destinations.contract.reveal import Candidate, Reveals


class Service(ABC):
    """One kind of destination: which records a platform takes, and how."""

    slug: ClassVar[str]
    """`platform.object`, such as `attio.companies`."""
    label: ClassVar[str]
    record_nouns: ClassVar[tuple[str, str]] = ("record", "records")
    """The words for one record and for several, such as company and companies."""
    summary: ClassVar[str] = ""
    """What a person gets from it, in one sentence."""
    platform: ClassVar[Platform]
    accepts: ClassVar[tuple[str, ...]]
    """The kinds of model that it accepts: users, events, custom."""
    modes: ClassVar[tuple[Mode, ...]] = (Mode.UPSERT, Mode.UPDATE, Mode.INSERT)
    default_mode: ClassVar[Mode]
    limits: ClassVar[Limits]
    default_match: ClassVar[str]
    """The match field that a new activation suggests."""
    match_advice: ClassVar[str] = ""
    """What to do at the vendor if no field can be the match field."""
    match_may_change: ClassVar[bool] = False
    """Whether a known record can get a new match value. If not, a new match value means a different record."""
    several: ClassVar[str] = r"[\s,;|\[]"
    """A regular expression that finds text which may contain several match values.

    Only such text is passed to `identities` to look for more than one, so that most rows of a large source skip it.
    """
    creates_fields: ClassVar[bool] = False
    """Whether `prepare` can create missing fields (custom attributes with the name of the column)."""
    compares: ClassVar[bool] = False
    """Whether `find` returns the values of records, and `same` compares them with what would be sent."""
    links: ClassVar[frozenset[str]] = frozenset()
    """The names of fields that link a record to one of another kind, each by requests after the record's own.

    Further links of the record stay, unless a mapping detaches it from them.
    """
    waits_for: ClassVar[str] = "a value"
    """What a record lacks if `Outcome.waiting` is not empty, after “33 records wait for”."""
    notes: ClassVar[tuple[str, ...]] = ()
    """What users should know in advance, one sentence each."""
    hidden_note: ClassVar[str] = ""
    """Why the vendor stores records that it does not show yet, and what makes them appear."""
    reveals: ClassVar[Reveals | None] = None
    """What `reveal` attaches to hidden records to make them visible; None if it can't."""

    @property
    def compares_by_default(self) -> bool:
        """PURE. Whether reading many records takes few requests, so that comparing them first is worth it."""
        return self.compares and self.limits.find_batch > 1

    @abstractmethod
    def fields(self, client: Any) -> list[Field]:
        """Every attribute at the destination, including read-only ones, in the vendor's order.

        Raises:
            Misconfigured, Unavailable
        """

    @abstractmethod
    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        """PURE. The wire value for a natural Python value that is not empty.

        Args:
            value: str, int, float, Decimal, bool, date, datetime (always with a time zone), list or dict.
            origin: what the source knew of it. Text attributes take its spelling, time attributes its zone.

        Raises:
            Rejected: the value can't be converted. The message names the field and what it accepts, never the value.
        """

    def plain(self, field: Field, type_name: str) -> Plain | None:
        """PURE. Which values of a column of this type can be converted as a whole column; None if no values can.

        Args:
            type_name: the column's type, as `segments` names it.
        """
        return None

    def takes_country(self, field: Field) -> bool:
        """PURE. Whether the field takes phone numbers, so that a mapping can name the country of national ones."""
        return False

    @abstractmethod
    def empty(self, field: Field) -> Wire:
        """PURE. The wire value that clears the field.

        Raises:
            Rejected: the vendor can't clear this field.
        """

    @abstractmethod
    def identity(self, field: Field, wire: Wire) -> str:
        """PURE. The normalized match value. Two rows with the same identity are the same record at the vendor."""

    def identities(self, field: Field, wire: Wire) -> Sequence[str]:
        """PURE. Every identity by which the vendor may find the record, best first, e.g. all domains of a company."""
        return (self.identity(field, wire),)

    @abstractmethod
    def find(self, client: Any, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        """Looks up which identities exist: identity → the record that has it. At most `limits.find_batch` per call.

        Raises:
            Misconfigured, Unavailable
        """

    def read(self, client: Any, match_field: Field, remote_id: str) -> Held | None:
        """Reads one record by the vendor's ID; None if it no longer exists, or if the service can't.

        Raises:
            Misconfigured, Unavailable
        """
        return None

    def complete(self, client: Any, held: Held, names: Collection[str]) -> Held:
        """Reads what a lookup does not show of these fields, if anything, before the record is compared.

        Raises:
            Misconfigured, Unavailable
        """
        return held

    def same(self, field: Field, wire: Wire, held: Held, *, adds: bool = False) -> bool:
        """PURE. Whether a record already holds what would be sent, in the form in which the vendor stores it.

        If in doubt, it doesn't: then the value is sent.

        Args:
            adds: the values are added to a list, so further ones in the record don't matter.
        """
        return False

    def is_empty(self, field: Field, held: Held) -> bool:
        """PURE. Whether a record holds no value for the field. If in doubt, it does."""
        return False

    def shown(self, field: Field, held: Held) -> Any:
        """PURE. What a record holds for the field as people read it: text, a number, a boolean, or a list of these.

        None if it holds nothing.
        """
        return None

    def author(self, field: Field, held: Held) -> Author | None:
        """PURE. Who set the value that a record holds for the field; None if the vendor doesn't say."""
        return None

    @abstractmethod
    def write(self, client: Any, operation: Operation) -> Outcome:
        """Writes one record with as few requests as the vendor allows: one, apart from documented exceptions.

        Raises:
            Rejected: the vendor rejects this record; with its code, message and request ID.
            Misconfigured: the vendor would reject any record.
            Unavailable: no usable response; `throttled` and `ambiguous` tell whether a retry is safe.
        """

    def sends(self, operation: Operation) -> Sequence[str]:
        """PURE. The names of the fields that `write` sends for an operation, which is what a dry run announces."""
        names = (operation.match_field, *operation.values)
        return [name for name in names if operation.verb is not Verb.UPDATE or name in operation.changed]

    def write_all(self, client: Any, operations: Sequence[Operation]) -> Sequence[Outcome | Problem]:
        """Writes up to `limits.write_batch` records: for each of them, in their order, its outcome or its problem.

        No two of them have the same match value, and all have the same verb. A vendor that takes several records in one
        request overrides it.

        Raises:
            Rejected: the vendor refused the whole request because of any of its records. It is sent again in halves.
            Misconfigured, Unavailable: as `write`, for all of them.
        """
        return [_outcome(self, client, operation) for operation in operations]

    def reveal(
        self, client: Any, remote_id: str, candidates: Sequence[Candidate], at_most: int, *, is_hidden: bool
    ) -> Revealed:
        """Attaches up to `at_most` candidates that exist at the vendor to a hidden record, so that it is shown.

        See `contract.reveal` for the arguments.

        Raises:
            Rejected: nothing can be attached to this record. Misconfigured, Unavailable: as `write`.
        """
        return Revealed()

    def made_at(self, client: Any, remote_id: str) -> datetime | None:
        """When an API request created the record; None if a person or the vendor created it, or if that is unknown.

        Raises:
            Misconfigured, Unavailable
        """
        return None

    def reads_first(self, names: Collection[str]) -> bool:
        """PURE. Whether an UPSERT of these fields depends on the current record. If so, records are looked up first."""
        return False

    def contradictions(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """PURE. Which of these fields can't be mapped together, each with a sentence: the reason, and what to do."""
        return iter(())

    def check_new_fields(self, fields: Sequence[Field], wanted: Sequence[NewField]) -> Iterator[str]:
        """PURE. What prevents creating `wanted`, one sentence per problem: names, collisions, types, limits."""
        return iter(())

    def new_field(self, wanted: NewField) -> Field:
        """PURE. The field that `prepare` would create, for a dry run."""
        return Field(wanted.name, wanted.name, wanted.type, custom=True)

    def prepare(self, client: Any, fields: Sequence[Field], wanted: Sequence[NewField]) -> list[Field]:
        """Creates the `wanted` fields that are missing from `fields`, and returns the resulting fields.

        Raises:
            Misconfigured: a field can't be created, or exists with an incompatible type.
        """
        return list(fields)


def _outcome(service: Service, client: Any, operation: Operation) -> Outcome | Problem:
    try:
        return service.write(client, operation)
    except Problem as problem:
        return problem
