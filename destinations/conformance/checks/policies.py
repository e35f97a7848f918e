"""What write policies depend on: whether a record holds a value for a field, and reading a record by its ID."""

from __future__ import annotations

from typing import TYPE_CHECKING

from destinations.conformance.check import check
from destinations.conformance.checks.updates import written_examples
from destinations.conformance.expectations import expect

if TYPE_CHECKING:
    from destinations.conformance.subject import Subject


@check
def field_with_a_value_is_not_empty(subject: Subject) -> None:
    """Otherwise "only if empty" would overwrite it."""
    for field, wire in written_examples(subject):
        identity = subject.identity(1)
        held = subject.find_held(identity)[identity]
        remote_id = held.remote_id
        if not wire or subject.stored_value(remote_id, field.name) in (None, "", [], {}):
            continue
        expect(
            not subject.service.is_empty(field, held),
            f"{wire!r} was written to {field.name!r}, and is_empty() says that the record holds nothing there.",
        )


@check
def field_without_a_value_is_empty(subject: Subject) -> None:
    """Otherwise "only if empty" would never write it."""
    remote_id = subject.write(1).remote_id
    identity = subject.identity(1)
    held = subject.find_held(identity)[identity]
    for example in subject.sample.examples if subject.service.compares else ():
        field = subject.field(example.field)
        if field.name == subject.service.default_match or subject.stored_value(remote_id, field.name) is not None:
            continue
        expect(
            subject.service.is_empty(field, held),
            f"The record has no {field.name!r}, and is_empty() says that it holds a value there.",
        )


@check
def record_is_read_by_its_id(subject: Subject) -> None:
    """It may have lost the match value that find() needs."""
    known = subject.write(1)
    held = subject.service.read(subject.client, subject.match_field, known.remote_id)
    if held is None:
        return
    identity = subject.identity(1)
    expect(
        held == subject.find_held(identity)[identity],
        "read() and find() return different values for the same record.",
    )
    subject.respond(404)
    expect(
        subject.service.read(subject.client, subject.match_field, known.remote_id) is None,
        "The vendor answered read() with 404 (no such record). Return None.",
    )
