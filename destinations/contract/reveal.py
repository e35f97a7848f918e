"""How a vendor's hidden records are made visible: by attaching records of a different kind that it has already.

`Service.reveal` takes the vendor's ID of the hidden record, and what may find the records to attach, in the order in
which they are tried. It never creates one, attaches only exact matches, and does no harm if it is repeated. `is_hidden`
says that the vendor has just reported the record as hidden. If it has not, the record may have become visible, and is
left as it is then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.errors import Rejected
    from destinations.contract.fields import Field, Wire

Candidate = dict[str, "Wire"]
"""What may find a record to attach: wire values by attribute. Attributes without a value are left out."""


@dataclass(frozen=True)
class Reveals:
    """What makes hidden records visible, e.g. contacts that are attached to a company.

    Args:
        nouns: the words for one of the records that are attached, and for several.
        found_by: the attributes that find them, the most reliable one first.
    """

    nouns: tuple[str, str]
    found_by: Sequence[Field]


@dataclass(frozen=True)
class Revealed:
    """What became of a hidden record.

    Args:
        attached: the vendor's IDs of the records that were attached to it.
        refusals: why others were not attached although they exist, or can't be told apart.
        was_visible: it had become visible in the meantime, so nothing was sent.
        request_id: the vendor's ID of the last request.
    """

    attached: tuple[str, ...] = ()
    refusals: tuple[Rejected, ...] = ()
    was_visible: bool = False
    request_id: str = ""
