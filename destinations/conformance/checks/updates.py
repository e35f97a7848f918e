"""Updates of known records: only what differs is sent, all of it, and only to the record with the ID."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.conformance.check import check
from destinations.conformance.checks.writes import expect_text
from destinations.conformance.expectations import expect, same
from destinations.contract import Result, Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.subject import Subject
    from destinations.contract import Field


@check
def update_changes_only_the_record_with_its_id(subject: Subject) -> None:
    first, second = subject.write(1), subject.write(2)
    before = subject.stored(second.remote_id)
    subject.write_text(1, "Changed", Verb.UPDATE, remote_id=first.remote_id)
    expect_text(subject, first, "Changed", "An UPDATE must change the record with operation.remote_id.")
    expect(same(subject.stored(second.remote_id), before), "An UPDATE of one record changed another record.")
    expect(len(subject.ids()) == 2, "An UPDATE created a record.")


@check
def update_sends_only_what_changed(subject: Subject) -> None:
    """Someone changes a field at the vendor. An update of a different field must leave it alone."""
    others = sorted(set(subject.sample.values) - {subject.sample.text})
    known = subject.write(1)
    subject.write_text(1, "Changed by a person")
    changed = frozenset(others[:1])
    operation = replace(subject.operation(1, Verb.UPDATE, remote_id=known.remote_id), changed=changed)
    subject.gate.clear()
    outcome = subject.send(operation)
    expect_text(
        subject,
        known,
        "Changed by a person",
        f"An UPDATE whose `changed` is {sorted(changed)} must send only that, not all of operation.values.",
    )
    expect(
        set(outcome.sent) == changed,
        f"An UPDATE whose `changed` is {sorted(changed)} has an outcome with sent={outcome.sent}. Name what was sent.",
    )


@check
def update_sends_every_field_that_changed(subject: Subject) -> None:
    known = subject.send(subject.raw(1, {}))
    subject.write(1, Verb.UPDATE, remote_id=known.remote_id)
    for name in subject.sample.values:
        expect(
            subject.stored_value(known.remote_id, name) not in (None, "", []),
            f"An UPDATE whose `changed` contains {name!r} was accepted, but the simulator stores nothing for it.",
        )


@check
def update_of_nothing_changes_nothing(subject: Subject) -> None:
    known = subject.write(1)
    before = subject.stored(known.remote_id)
    other = subject.operation(1, Verb.UPDATE, {subject.sample.text: "Not sent"}, remote_id=known.remote_id)
    outcome = subject.send(replace(other, changed=frozenset()))
    expect(outcome.result is Result.ACCEPTED, "An UPDATE without changed fields must be accepted.")
    expect(
        same({**before, "updated_at": 0}, {**subject.stored(known.remote_id), "updated_at": 0}),
        "An UPDATE without changed fields changed the record.",
    )


@check
def update_of_a_deleted_record_creates_none(subject: Subject) -> None:
    known = subject.write(1)
    subject.respond(404)
    outcome = subject.write(2, Verb.UPDATE, remote_id=known.remote_id)
    expect(
        outcome.result is Result.GONE,
        f"The vendor answered an UPDATE with 404 (no such record), and the result is {outcome.result}. Return "
        "Outcome(Result.GONE).",
    )
    expect(len(subject.ids()) == 1, "An UPDATE of a deleted record created a record.")


@check
def new_match_value_of_a_known_record_arrives(subject: Subject) -> None:
    known = subject.write(1)
    if not subject.service.match_may_change:
        return
    operation = subject.operation(2, Verb.UPDATE, remote_id=known.remote_id)
    subject.send(replace(operation, changed=frozenset({subject.match_field.name})))
    expect(
        subject.find(subject.identity(2)) == {subject.identity(2): known.remote_id},
        "match_may_change is true, but after an UPDATE whose `changed` contains the match field, find() does not find "
        "the record by its new match value.",
    )


@check
def record_holds_what_was_justwritten_examples(subject: Subject) -> None:
    """Otherwise it would be written again although it has not changed."""
    for field, wire in written_examples(subject):
        expect(
            _same(subject, field, wire),
            f"{wire!r} was written to {field.name!r}, and same() takes the record that find() returns for a different "
            "one. Compare in the form in which the vendor stores values.",
        )


@check
def record_with_another_value_is_told_apart(subject: Subject) -> None:
    """Otherwise a change would never be sent."""
    for field, wire in written_examples(subject):
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


def written_examples(subject: Subject) -> Iterator[tuple[Field, Any]]:
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
