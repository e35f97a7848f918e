"""What `find` returns, and that identities are equal exactly if the vendor takes two match values for one record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import Problem, Rejected
from destinations.conformance.check import check
from destinations.conformance.expectations import expect
from destinations.contract import Purpose, Result, Verb, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.subject import Subject
    from destinations.contract import Field

MOST_IDENTITIES = 25


@check
def lookup_finds_only_existing_records(subject: Subject) -> None:
    outcome = subject.write(1)
    subject.gate.clear()
    ids: dict[str, str] = {}
    for number in (1, 2):
        ids |= subject.find(subject.identity(number))
    expect(
        ids == {subject.identity(1): outcome.remote_id},
        f"Record 1 exists and record 2 does not, and find() returned {ids} for them. Return a mapping from exactly the "
        f"given identities to the vendor's IDs; the identity of record 1 is {subject.identity(1)!r}.",
    )
    expect(set(subject.gate.purposes()) == {Purpose.LOOKUP}, "find() waits for the purpose lookup only.")


@check
def batch_of_lookups_finds_every_record(subject: Subject) -> None:
    batch = subject.service.limits.find_batch
    size = min(batch, MOST_IDENTITIES)
    expected = {subject.identity(number): subject.write(number).remote_id for number in range(1, size + 1)}
    missing = [subject.identity(number) for number in range(size + 1, batch + 1)]
    found = subject.find(*expected, *missing)
    expect(
        found == expected,
        f"find() got {len(expected) + len(missing)} identities, of which {len(expected)} exist, and returned "
        f"{len(found)}. limits.find_batch is {batch}: is that what one lookup can do?",
    )


@check
def empty_batch_sends_no_request(subject: Subject) -> None:
    expect(subject.find() == {}, "find() with no identities must return an empty mapping.")
    known = list(subject.fields.values())
    expect(
        subject.service.prepare(subject.client, known, []) == known, "prepare() with nothing wanted changes nothing."
    )
    expect(not subject.requests, "find() or prepare() sent a request although there was nothing to do.")


@check
def repeated_identity_is_found(subject: Subject) -> None:
    outcome = subject.write(1)
    if subject.service.limits.find_batch > 1:
        found = subject.find(subject.identity(1), subject.identity(1))
        expect(found == {subject.identity(1): outcome.remote_id}, f"find() of one identity twice returned {found}.")


@check
def outcome_lists_the_identities_of_the_record(subject: Subject) -> None:
    identities = subject.write(1).identities
    expect(
        not identities or subject.identity(1) in identities,
        f"Outcome.identities is {identities}, and lacks the identity of the match value, {subject.identity(1)!r}.",
    )


@check
def first_identity_is_the_one_that_is_looked_up(subject: Subject) -> None:
    every = tuple(subject.service.identities(subject.match_field, subject.match(1)))
    expect(
        subject.identity(1) in every and all(every),
        f"identities() returns {every}, and identity() returns {subject.identity(1)!r}, which must be one of them.",
    )


@check
def identities_agree_with_the_vendor(subject: Subject) -> None:
    """Two spellings of a match value have the same identity exactly if the vendor stores them as one record."""
    for field, match in _matches(subject):
        for spelling in _spellings(match):
            wire, other = (_converted(subject, field, value) for value in (match, spelling))
            if wire is None or other is None or (one := _stored_as_one(subject, field, wire, other)) is None:
                continue
            equal = subject.service.identity(field, wire) == subject.service.identity(field, other)
            stored = "one record" if one else "two records"
            expect(
                equal is one,
                f"The vendor stores {match!r} and {spelling!r} in {field.name!r} as {stored}, but identity() takes "
                f"them for {'one' if equal else 'two'}. Compare as the vendor does.",
            )


@check
def every_identity_of_a_record_finds_it(subject: Subject) -> None:
    for example in subject.sample.examples:
        field = subject.field(example.field)
        if field.name == subject.service.default_match and isinstance(example.value, list):
            wire = subject.wire(example)
            known = subject.send(replace(subject.raw(1, {}), match_value=wire)).remote_id
            identities = subject.service.identities(field, wire)
            expect(len(identities) == len(example.value), f"identities() of {example.value!r} are {identities}.")
            found = {identity: subject.find(identity) for identity in identities}
            expect(
                found == {identity: {identity: known} for identity in identities},
                f"A record with the match values {example.value!r} is found as {found}. Each identity must find it.",
            )


@check
def every_matchable_field_finds_records(subject: Subject) -> None:
    """A field is matchable only if a record can be found by its value."""
    for field in subject.fields.values():
        value = {example.field: example.value for example in subject.sample.examples}.get(field.name)
        if not field.matchable or field.name == subject.service.default_match or value is None:
            continue
        wire = subject.service.convert(field, value)
        outcome = subject.send(replace(subject.raw(1, {}), match_field=field.name, match_value=wire))
        identity = subject.service.identity(field, wire)
        held = records(subject.service.find(subject.client, field, [identity]))
        found = {name: record.remote_id for name, record in held.items()}
        expect(
            found == {identity: outcome.remote_id},
            f"{field.name!r} is matchable, but a record with that value is not found by it: find() returned {found}.",
        )
        subject.start_over()


@check
def value_of_another_record_is_no_match(subject: Subject) -> None:
    """Two records share a unique value that is not the match: the second is rejected, not taken for the first."""
    for example in subject.sample.examples:
        field = subject.field(example.field)
        if not field.matchable or field.name == subject.service.default_match or not isinstance(example.value, str):
            continue
        subject.start_over()
        shared = {field.name: subject.wire(example)}
        first = subject.send(subject.raw(1, shared, Verb.CREATE)).remote_id
        try:
            outcome = subject.send(subject.raw(2, shared, Verb.CREATE))
        except Rejected:
            continue
        expect(
            outcome.result is Result.ACCEPTED and outcome.remote_id != first,
            f"A CREATE whose {field.name!r} belongs to a record with a different match value returned "
            f"{outcome.result}. Raise Rejected: it is not the same record.",
        )


def _spellings(match: str) -> Iterator[str]:
    yield from (match.upper(), match.capitalize(), f" {match}", f"{match} ", f"www.{match}", f"https://{match}/")


def _matches(subject: Subject) -> Iterator[tuple[Field, str]]:
    """The match field and the other matchable fields, each with a match value."""
    yield subject.match_field, subject.sample.match.format(n=1)
    for example in subject.sample.examples:
        field = subject.field(example.field)
        if field.matchable and field.name != subject.service.default_match and isinstance(example.value, str):
            yield field, example.value


def _converted(subject: Subject, field: Field, spelling: str) -> Any:
    try:
        return subject.service.convert(field, spelling)
    except Rejected:
        return None


def _stored_as_one(subject: Subject, field: Field, wire: Any, other: Any) -> bool | None:
    """Whether upserts with these match values leave one record; None if the vendor rejects the latter on its own.

    If it only rejects the latter after the former, it takes the two for one.
    """
    for first in ([wire], []):
        subject.start_over()
        for match_value in first:
            subject.send(replace(subject.raw(1, {}), match_field=field.name, match_value=match_value))
        try:
            subject.send(replace(subject.raw(1, {}), match_field=field.name, match_value=other))
        except Problem:
            continue
        return len(subject.ids()) == 1
    return None
