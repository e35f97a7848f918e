"""Values that are cleared: what is stored afterwards, which values can't be, and which fields count as empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.conformance.check import check
from destinations.conformance.checks.updates import written_examples
from destinations.conformance.expectations import expect, same
from destinations.contract import Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.conformance.subject import Subject


@check
def empty_clears_what_is_stored(subject: Subject) -> None:
    """A cleared field is stored like one that was never set."""
    bare = subject.send(subject.raw(9999, {}))
    attributes = subject.attributes()
    for number, example in enumerate(subject.sample.examples, 1):
        field = subject.field(example.field)
        if field.name == subject.service.default_match:
            continue
        try:
            empty = subject.service.empty(field)
        except Rejected as rejected:
            expect(rejected.field == field.name, f"empty() rejects {field.name!r} with field={rejected.field!r}.")
            expect(
                not _is_clearable(attributes.get(field.name, {})),
                f"empty() rejects {field.name!r}, and the simulator marks it neither `required` nor clearable=False.",
            )
            continue
        known = subject.send(subject.raw(number, {field.name: subject.wire(example)})).remote_id
        verb = Verb.UPDATE if number % 2 else Verb.UPSERT
        subject.send(subject.raw(number, {field.name: empty}, verb, remote_id=known if verb is Verb.UPDATE else ""))
        stored, unset = (subject.stored_value(remote_id, field.name) for remote_id in (known, bare.remote_id))
        expect(
            stored in (None, [], {}) or same(stored, unset),
            f"empty() gives {empty!r} for {field.name!r}, and after an {verb.value} the simulator has {stored!r}. "
            f"A record without a value has {unset!r}.",
        )


@check
def fields_that_always_have_a_value_are_not_cleared(subject: Subject) -> None:
    for name, attribute in subject.attributes().items():
        if not _is_clearable(attribute) and name in subject.fields and subject.fields[name].writable:
            try:
                empty = subject.service.empty(subject.fields[name])
            except Rejected:
                continue
            raise AssertionError(
                f"The vendor can't clear {name!r}, and empty() gives {empty!r} for it. Raise Rejected."
            )


def _is_clearable(attribute: Mapping[str, Any]) -> bool:
    return bool(attribute.get("clearable", not attribute.get("required")))


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
