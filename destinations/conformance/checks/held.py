"""What a lookup returns of a record, compared with what would be sent: `find` and `same`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.conformance.check import check
from destinations.conformance.expectations import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.subject import Subject
    from destinations.contract import Field


@check
def record_holds_what_was_just_written(subject: Subject) -> None:
    """Otherwise it would be written again although it has not changed."""
    for field, wire in _written(subject):
        expect(
            _same(subject, field, wire),
            f"{wire!r} was written to {field.name!r}, and same() takes the record that find() returns for a different "
            "one. Compare in the form in which the vendor stores values.",
        )


@check
def record_with_another_value_is_told_apart(subject: Subject) -> None:
    """Otherwise a change would never be sent."""
    for field, wire in _written(subject):
        for value in _others(subject, field, wire):
            expect(
                not _same(subject, field, value),
                f"same() takes {value!r} in {field.name!r} for what the record holds, which is a different value.",
            )


@check
def record_without_a_value_is_told_apart(subject: Subject) -> None:
    remote_id = subject.write(1).remote_id
    for example in subject.sample.examples if subject.service.compares else ():
        field = subject.field(example.field)
        if field.name == subject.service.default_match or subject.stored_value(remote_id, field.name) is not None:
            continue
        expect(
            not _same(subject, field, subject.wire(example)),
            f"The record has no {field.name!r}, and same() takes {example.value!r} for what it holds.",
        )
        for wire in _empty(subject, field):
            expect(
                _same(subject, field, wire), f"The record has no {field.name!r}, and clearing it counts as a change."
            )


def _empty(subject: Subject, field: Field) -> list[Any]:
    """The wire value that clears the field; none if it can't be cleared."""
    try:
        return [subject.service.empty(field)]
    except Rejected:
        return []


def _written(subject: Subject) -> Iterator[tuple[Field, Any]]:
    """Each example that the vendor stores in a known form, once it was written to record 1."""
    for example in subject.sample.examples if subject.service.compares else ():
        field = subject.field(example.field)
        if example.stored is ... or field.name == subject.service.default_match:
            continue
        subject.start_over()
        wire = subject.wire(example)
        subject.send(subject.raw(1, {field.name: wire}))
        yield field, wire


def _others(subject: Subject, field: Field, wire: Any) -> Iterator[Any]:
    """What could be sent to the field instead: other examples of its type, and clearing it."""
    for example in subject.sample.examples:
        other = subject.field(example.field)
        is_alike = (other.type, other.multiple, other.config) == (field.type, field.multiple, field.config)
        if is_alike and (instead := subject.wire(example)) != wire:
            yield instead
    yield from _empty(subject, field)


def _same(subject: Subject, field: Field, wire: Any) -> bool:
    identity = subject.identity(1)
    return subject.service.same(field, wire, subject.find_held(identity)[identity])
