"""A service that accepts everything, for tests that do not depend on a vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from core.errors import Rejected
from destinations.contract import (
    NO_ORIGIN,
    Field,
    Held,
    Limits,
    Mode,
    Operation,
    Origin,
    Outcome,
    Platform,
    Result,
    Service,
    Wire,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Dummy(Service):
    """Sends text unchanged. Only the text "bad" can't be converted."""

    slug = "dummy.things"
    label = "Things"
    platform: ClassVar[Platform]
    accepts = ("custom",)
    default_mode = Mode.UPSERT
    limits = Limits(reads=1000, writes=1000)
    default_match = "key"
    match_may_change = True

    def fields(self, client: Any) -> list[Field]:
        return [Field("key", "Key", "text", matchable=True), Field("a", "A", "text"), Field("b", "B", "text")]

    def convert(self, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
        if value == "bad":
            raise Rejected("not_good", f"{field.name} takes good values.", field=field.name)
        return value

    def empty(self, field: Field) -> Wire:
        return None

    def identity(self, field: Field, wire: Wire) -> str:
        return str(wire).lower()

    def find(self, client: Any, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        return {}

    def write(self, client: Any, operation: Operation) -> Outcome:
        return Outcome(Result.ACCEPTED, "1")


class Immovable(Dummy):
    """The same, but a different match value means a different record."""

    match_may_change = False
