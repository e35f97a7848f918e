"""What the contract suite needs to know of a service; each service declares one as `SAMPLES` of its platform's folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.contract import Wire


@dataclass(frozen=True)
class Sample:
    """One record as a source would give it, and what its vendor does with it.

    Args:
        slug: of the service.
        kind: the collection of the platform's sandbox that holds the records.
        match: the match value of record number `{n}`.
        values: natural values of a record by field, with everything that names a person or a company in them.
        text: a field of `values` that takes any text.
        custom: a field of `values` that `arrange` adds, and that can be archived.
        bad: a field and a wire value of the right shape that the vendor refuses.
        settings: of the connection, besides the token.
        arrange: switches of the sandbox before every test: no rate limit, and the custom field.
        revoke: switches after which the token is refused.
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
