"""What a record holds at the vendor, as a lookup returns it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from destinations.contract.operations import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Writer(StrEnum):
    """What kind of writer set a value at the vendor.

    OURS is the token that this application uses, and any other that the vendor can't tell from it.
    """

    OURS = "ours"
    PERSON = "person"
    INTEGRATION = "integration"
    VENDOR = "vendor"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Author:
    """Who set a value at the vendor, and when.

    Args:
        id: the vendor's ID of the person or integration; "" if the vendor doesn't say.
        at: when the value was set; None if the vendor doesn't say.
    """

    writer: Writer
    id: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Held:
    """A record at the vendor.

    Args:
        remote_id: the vendor's ID.
        values: its values in the vendor's own form, which only `Service.same` interprets.
        created_at, web_url, identities, hidden: as in `Outcome`, if the response contains them.
    """

    remote_id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    web_url: str = ""
    identities: tuple[str, ...] = ()
    hidden: bool = False

    def accepted(self, sent: tuple[str, ...] = ()) -> Outcome:
        """The outcome of a write that turned out to be processed, or not to be needed.

        Args:
            sent: names of the fields that were sent.
        """
        facts = (self.web_url, self.hidden, self.identities)
        return Outcome(Result.ACCEPTED, self.remote_id, self.created_at, sent, "", *facts)


def records(found: Mapping[str, Held | str]) -> dict[str, Held]:
    """What `Service.find` returned. Plug-ins for earlier versions return the vendor's IDs."""
    return {identity: Held(held) if isinstance(held, str) else held for identity, held in found.items()}
