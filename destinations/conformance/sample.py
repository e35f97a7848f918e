"""What a service declares so that the suite can test it. Each platform folder exports one `Sample` a service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from destinations.contract import NO_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.contract import Candidate, Origin, Wire

Then = Literal["record", "settings", "wait", "throttle", "daily"]
"""What follows from an error: this record is rejected; a person has to change a setting; the same request may work
later; the request was turned away by a rate limit of seconds or minutes; or by one of hours."""


@dataclass(frozen=True)
class Example:
    """A value as a source would supply it, and what the vendor stores for it.

    Args:
        stored: the value in the simulator's record, as `Collection.values` returns it. `...` if it can't be known in
            advance, such as an ID: then the vendor only has to accept the value.
    """

    field: str
    value: Any
    stored: Any = ...
    origin: Origin = NO_ORIGIN


@dataclass(frozen=True)
class VendorError:
    """An error response to a write that the vendor documents, and what follows from it."""

    then: Then
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Demo:
    """What `make demo` synchronizes to this service.

    Args:
        activation: the activation's name.
        keys: its other keys in the workspace file, except `destination`. `dinmo/demo/data.py` lists the columns of the
            model *Demo companies*; the segment *Paying companies in France and Germany* has some of its rows.
        arrange: sandbox switches to apply first, such as records that exist already.
    """

    activation: str
    keys: Mapping[str, Any]
    arrange: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attachable:
    """What the vendor has already, and can be attached to hidden records to make them visible.

    Args:
        arrange: sandbox switches that create it.
        candidates: what finds each of them, as `Service.reveal` takes it.
        unknown: a value that finds none, whatever the attribute.
    """

    arrange: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    unknown: str


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
        examples: at least one value of every type of attribute that can be written, and a list of two values of every
            type that can be a list.
        errors: the errors that the vendor documents for a write.
        limited: sandbox switches for a rate limit of a few requests per window, if the vendor reports its quota.
        skips: sandbox switches that make the vendor leave records out of its answer to a batch, without writing them.
        attachable: what makes hidden records visible, if the service declares `reveals`.
        waived: checks that the vendor makes impossible, each with the reason.
        demo: the part that the service has in `make demo`, if any.
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
    examples: tuple[Example, ...] = ()
    errors: tuple[VendorError, ...] = ()
    limited: Mapping[str, Any] = field(default_factory=dict)
    skips: Mapping[str, Any] = field(default_factory=dict)
    attachable: Attachable | None = None
    waived: Mapping[str, str] = field(default_factory=dict)
    demo: Demo | None = None
