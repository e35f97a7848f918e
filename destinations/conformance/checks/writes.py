"""Records arrive exactly once, complete, and independently of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import Problem, Rejected
from destinations.conformance.check import check, check_each
from destinations.conformance.expectations import expect, same
from destinations.contract import Created, Purpose, Result, Verb

if TYPE_CHECKING:
    from destinations.conformance.subject import Subject
    from destinations.contract import Outcome

UNUSUAL = "Zoë e\u0301 株式会社 🥐 \u05e9\u05dc\u05d5\u05dd <b>&amp;</b> ' \" \\ %s"


@check
def record_is_written_with_one_request(subject: Subject) -> None:
    outcome = subject.write(1)
    expect(
        subject.requests == 1,
        f"write() sent {subject.requests} requests for one new record. Send one, apart from documented exceptions.",
    )
    expect(subject.gate.purposes() == [Purpose.WRITE], "A write waits for the purpose write.")
    expect(outcome.result is Result.ACCEPTED, f"A new record was written with the result {outcome.result}.")
    expect(
        subject.ids() == [outcome.remote_id],
        f"The simulator has the records {subject.ids()}, and the outcome's remote_id is {outcome.remote_id!r}. Return "
        "the vendor's ID of the record from its answer.",
    )


@check
def outcome_names_every_field_that_was_sent(subject: Subject) -> None:
    sent = set(subject.write(1).sent)
    missing = set(subject.sample.values) - sent
    expect(not missing, f"Outcome.sent lacks {sorted(missing)}, although the request of a new record carries them.")


@check
def outcome_says_whether_the_record_was_created(subject: Subject) -> None:
    first = subject.write(1)
    expect(
        first.created is Created.YES or first.created_at is not None,
        "The outcome of a new record has neither created=Created.YES nor created_at. Take one of them from the answer.",
    )
    second = subject.write(1)
    expect(first.created is not Created.NO, "The outcome of a new record says that it was not created.")
    expect(second.created is not Created.YES, "The outcome says that a record which already existed was created.")


@check
def every_value_of_the_record_is_stored(subject: Subject) -> None:
    outcome = subject.write(1)
    for name in subject.sample.values:
        expect(
            subject.stored_value(outcome.remote_id, name) not in (None, "", []),
            f"write() was accepted, but the simulator stores nothing for {name!r}. Send every value in "
            "operation.values, and let the simulator's Collection.values return them by the service's field names.",
        )


@check
def second_upsert_changes_the_same_record(subject: Subject) -> None:
    first, second = subject.write(1), subject.write_text(1, "Changed")
    expect(
        first.remote_id == second.remote_id and len(subject.ids()) == 1,
        f"Two upserts with one match value left {len(subject.ids())} records. An UPSERT finds its record by the match.",
    )
    _expect_text(subject, second, "Changed", "An UPSERT of an existing record must change it.")


@check
def second_create_adds_no_record(subject: Subject) -> None:
    subject.write(1, Verb.CREATE)
    try:
        result = subject.write(1, Verb.CREATE).result
    except Problem as problem:
        raise AssertionError(
            f"A CREATE of a record that exists raised {problem.code}. Return Outcome(Result.EXISTS) instead."
        ) from None
    expect(result in (Result.EXISTS, Result.ACCEPTED), f"A CREATE of a record that exists returned {result}.")
    expect(len(subject.ids()) == 1, "Two CREATEs with one match value left two records.")


@check
def create_leaves_an_existing_record_as_it_is(subject: Subject) -> None:
    first = subject.write_text(1, "First", Verb.CREATE)
    second = subject.write_text(1, "Second", Verb.CREATE)
    expect(second.result is Result.EXISTS, f"A CREATE of a record that exists returned {second.result}, not exists.")
    _expect_text(subject, first, "First", "A CREATE must never change a record that exists.")


@check
def update_changes_only_the_record_with_its_id(subject: Subject) -> None:
    first, second = subject.write(1), subject.write(2)
    before = subject.stored(second.remote_id)
    subject.write_text(1, "Changed", Verb.UPDATE, remote_id=first.remote_id)
    _expect_text(subject, first, "Changed", "An UPDATE must change the record with operation.remote_id.")
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
    _expect_text(
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
def rejected_record_is_not_stored_and_has_a_request_id(subject: Subject) -> None:
    problem = subject.problem(lambda: subject.send(subject.bad(1)))
    expect(
        isinstance(problem, Rejected),
        f"The vendor rejected a value, and the service raised {type(problem).__name__} ({problem.code}). A rejected "
        "value concerns one record: raise Rejected.",
    )
    expect(
        getattr(problem, "request_id", ""),
        "Rejected.request_id is empty. Take the vendor's request ID from its answer.",
    )
    expect(not subject.ids(), "The vendor rejected a record, and it was stored nevertheless.")


@check
def rejected_record_does_not_affect_others(subject: Subject) -> None:
    outcomes = [
        _settled(subject, operation) for operation in (subject.operation(1), subject.bad(2), subject.operation(3))
    ]
    expect(
        outcomes == ["accepted", "Rejected", "accepted"],
        f"Three records were written, of which the second has a value that the vendor rejects: {outcomes}.",
    )
    expect(len(subject.ids()) == 2, f"Two records should be stored, and the simulator has {len(subject.ids())}.")


@check_each(UNUSUAL, "  padded  ", "0", "null", "a\nb\tc", "x" * 200)
def text_arrives_unchanged(subject: Subject, text: str) -> None:
    outcome = subject.write_text(1, text)
    _expect_text(subject, outcome, text, "Text must arrive exactly as it was sent.")


def _settled(subject: Subject, operation: Any) -> str:
    try:
        return str(subject.send(operation).result)
    except Problem as problem:
        return type(problem).__name__


def _expect_text(subject: Subject, outcome: Outcome, text: str, rule: str) -> None:
    stored = subject.stored_value(outcome.remote_id, subject.sample.text)
    expect(same(stored, text), f"{rule} The simulator has {stored!r} for {subject.sample.text!r} instead of {text!r}.")
