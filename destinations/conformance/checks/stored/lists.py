"""Lists are replaced, or added to if the mapping says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from destinations.conformance.check import check, check_each, require
from destinations.conformance.expectations import expect, same_items
from destinations.contract import Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.subject import Subject
    from destinations.contract import Operation


@check_each("replaced", "added to")
def list_is_updated(subject: Subject, rule: str) -> None:
    for number, (name, first, second) in enumerate(_lists(subject), 1):
        known = subject.send(subject.raw(number, {name: first})).remote_id
        operation = subject.raw(number, {name: second}, Verb.UPDATE, remote_id=known)
        _verify(subject, operation, name, first, second, rule)


@check_each("replaced", "added to")
def list_is_upserted(subject: Subject, rule: str) -> None:
    for number, (name, first, second) in enumerate(_lists(subject), 1):
        subject.send(subject.raw(number, {name: first}))
        _verify(subject, subject.raw(number, {name: second}), name, first, second, rule)


@check_each("replaced", "added to")
def other_values_arrive_with_a_list(subject: Subject, rule: str) -> None:
    """Adding to one list neither loses the other values of the request nor replaces other lists."""
    for number, (name, first, second) in enumerate(_lists(subject), 1):
        text = subject.service.convert(subject.field(subject.sample.text), "With a list")
        known = subject.send(subject.raw(number, {name: first})).remote_id
        wires = {name: second, subject.sample.text: text}
        operation = subject.raw(number, wires, Verb.UPDATE, remote_id=known)
        outcome = _verify(subject, operation, name, first, second, rule)
        stored = subject.stored_value(outcome, subject.sample.text)
        expect(stored == "With a list", f"A write that {rule} {name!r} lost the value of {subject.sample.text!r}.")


@check_each("replaced", "added to")
def list_of_a_new_record_is_stored(subject: Subject, rule: str) -> None:
    for number, (name, first, _) in enumerate(_lists(subject), 1):
        add = frozenset({name}) if rule == "added to" else frozenset[str]()
        outcome = subject.send(replace(subject.raw(number, {name: first}, Verb.CREATE), add=add))
        stored = subject.stored_value(outcome.remote_id, name)
        expect(same_items(stored, first), f"A new record has {stored!r} for the list {name!r} instead of {first!r}.")


@check
def one_list_is_added_to_while_another_is_replaced(subject: Subject) -> None:
    lists = list(_lists(subject))
    require(len(lists) > 1, "the service has one list field")
    (one, first, second), (other, old, new) = lists[:2]
    known = subject.send(subject.raw(1, {one: first, other: old})).remote_id
    operation = subject.raw(1, {one: second, other: new}, Verb.UPDATE, remote_id=known)
    subject.send(replace(operation, add=frozenset({one})))
    added, replaced = subject.stored_value(known, one), subject.stored_value(known, other)
    expect(
        same_items(added, [*first, *second]) and same_items(replaced, new),
        f"One UPDATE adds {second!r} to {one!r} and replaces {other!r} by {new!r}: the simulator has {added!r} and "
        f"{replaced!r}.",
    )


@check
def adding_nothing_leaves_a_list_as_it_is(subject: Subject) -> None:
    for number, (name, first, _) in enumerate(_lists(subject), 1):
        known = subject.send(subject.raw(number, {name: first})).remote_id
        for verb in (Verb.UPDATE, Verb.UPSERT):
            operation = subject.raw(number, {name: []}, verb, remote_id=known if verb is Verb.UPDATE else "")
            subject.send(replace(operation, add=frozenset({name})))
            stored = subject.stored_value(known, name)
            expect(same_items(stored, first), f"Nothing was added to {name!r}, and {first!r} became {stored!r}.")


def _verify(subject: Subject, operation: Operation, name: str, first: list[Any], second: list[Any], rule: str) -> str:
    adds = rule == "added to"
    outcome = subject.send(replace(operation, add=frozenset({name}) if adds else frozenset()))
    stored = subject.stored_value(outcome.remote_id, name)
    expected = [*first, *second] if adds else second
    expect(
        same_items(stored, expected),
        f"{name!r} was {first!r}, and {second!r} had to be {'added to' if adds else 'put in place of'} it by an "
        f"{operation.verb.value}: the simulator has {stored!r}. operation.add names the lists to add to.",
    )
    return outcome.remote_id


def _lists(subject: Subject) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Each list field of the examples with two lists of one wire value."""
    examples = [
        example
        for example in subject.sample.examples
        if isinstance(example.stored, list) and len(example.stored) == 2 and subject.field(example.field).multiple
    ]
    require(examples, "the service has no list fields")
    for example in examples:
        if example.field != subject.service.default_match:
            first, second = subject.wire(example)
            expect(
                same_items([first, second], example.stored),
                f"The suite adds to {example.field!r} the wire values {first!r} and {second!r}, and compares them with "
                "what is stored: use an Example whose stored values are spelled like its wire values.",
            )
            yield example.field, [first], [second]
