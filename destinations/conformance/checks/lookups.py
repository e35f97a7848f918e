"""What `find` returns, and that identities are equal exactly if the vendor takes two match values for one record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import Problem, Rejected
from destinations.conformance.check import check, require
from destinations.conformance.expectations import expect
from destinations.contract import Purpose, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.subject import Subject

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
    for spelling in _spellings(subject.sample.match.format(n=1)):
        wire = _converted(subject, spelling)
        if wire is None:
            continue
        equal = subject.service.identity(subject.match_field, wire) == subject.identity(1)
        if (one := _stored_as_one(subject, wire)) is not None:
            expect(
                equal is one,
                f"The vendor stores {subject.sample.match.format(n=1)!r} and {spelling!r} as "
                f"{'one record' if one else 'two records'}, but identity() takes them for "
                f"{'one' if equal else 'two'}. Compare match values as the vendor does.",
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
        found = dict(subject.service.find(subject.client, field, [identity]))
        expect(
            found == {identity: outcome.remote_id},
            f"{field.name!r} is matchable, but a record with that value is not found by it: find() returned {found}.",
        )
        subject.start_over()


def _spellings(match: str) -> Iterator[str]:
    yield from (match.upper(), match.capitalize(), f" {match}", f"{match} ", f"www.{match}", f"https://{match}/")


def _converted(subject: Subject, spelling: str) -> Any:
    try:
        return subject.service.convert(subject.match_field, spelling)
    except Rejected:
        return None


def _stored_as_one(subject: Subject, wire: Any) -> bool | None:
    """Whether upserts of record 1 and of this match value leave one record; None if the vendor rejects the latter."""
    subject.start_over()
    subject.write(1)
    try:
        outcome = subject.send(replace(subject.operation(1), match_value=wire))
    except Problem:
        return None
    require(outcome.result is Result.ACCEPTED, "an upsert of an existing record is not accepted")
    return len(subject.ids()) == 1
