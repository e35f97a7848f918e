"""Sample records for the contract suite. Each platform folder exports one for each of its services as `SAMPLES`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.contract import Wire


@dataclass(frozen=True)
class Sample:
    """One record as a source would supply it, and how the service's sandbox is set up for it.

    Args:
        slug: the service's slug.
        kind: the collection of the platform's sandbox that contains the records.
        match: a template of the match value, with `{n}` for the record's number.
        values: natural values of a record by field, including all that identify a person or a company.
        text: a field in `values` that accepts any text.
        custom: a field in `values` that `arrange` adds, and that can be archived.
        bad: a field, and a well-formed wire value that the vendor rejects.
        settings: settings of the connection besides the token.
        arrange: sandbox switches to apply before every test: no rate limit, and the custom field.
        revoke: sandbox switches that make the vendor refuse the token.
    """

    slug: str
    kind: str
    match: str
    values: Mapping[str, Any]
    text: str
    custom: str
    bad: tuple[str, Wire]
    arrange: Mapping[str, Any]
    revoke: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
