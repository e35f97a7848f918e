"""Records arrive exactly once, complete, and independently of each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.errors import Problem, Rejected
from destinations.conformance.check import check, check_each, require
from destinations.conformance.expectations import expect, same
from destinations.conformance.subject import THREADS, TOKEN
from destinations.contract import Created, OpenGate, Purpose, Result, Service, Verb

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
    expect(outcome.request_id, "Outcome.request_id is empty. Take the vendor's ID of the request from its answer.")
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
    expect_text(subject, second, "Changed", "An UPSERT of an existing record must change it.")


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
    expect_text(subject, first, "First", "A CREATE must never change a record that exists.")


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
    expect_text(subject, outcome, text, "Text must arrive exactly as it was sent.")


@check_each(250, 300, 1000, 70_000)
def long_text_is_stored_whole_or_rejected(subject: Subject, length: int) -> None:
    for name in (subject.sample.text, subject.sample.custom):
        text = "é" + "x" * (length - 2) + "!"
        try:
            outcome = subject.write(1, changed={name: text})
        except Rejected:
            continue
        stored = subject.stored_value(outcome.remote_id, name)
        expect(stored == text, f"Text of {length} characters was written to {name!r} and arrived with {len(stored)}.")


@check
def times_of_creation_are_times(subject: Subject) -> None:
    outcome = subject.write(1)
    times = {
        "Outcome.created_at": outcome.created_at,
        "made_at()": subject.service.made_at(subject.client, outcome.remote_id),
    }
    for name, time in times.items():
        expect(
            time is None or (time.tzinfo is not None and abs(datetime.now(UTC) - time) < timedelta(hours=1)),
            f"A record was created now, and {name} is {time!r}. Return a time with a zone, or None.",
        )


@check
def creation_by_this_program_is_recognized(subject: Subject) -> None:
    require(type(subject.service).made_at is not Service.made_at, "the service can't tell who created a record")
    known = subject.write(1).remote_id
    expect(
        subject.service.made_at(subject.client, known) is not None,
        "The API created a record, and made_at() returns None, as if a person had.",
    )


@check
def several_threads_can_write(subject: Subject) -> None:
    settings = {"token": TOKEN, **subject.sample.settings}
    client = subject.service.platform.client(settings, OpenGate(), THREADS)
    operations = [subject.operation(number) for number in range(1, 4 * THREADS + 1)]
    with closing(client), ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(lambda operation: subject.service.write(client, operation), operations))
    subject.gate.clear()
    for operation, outcome in zip(operations, outcomes, strict=True):
        identity = subject.service.identity(subject.match_field, operation.match_value)
        expect(subject.find(identity) == {identity: outcome.remote_id}, "Threads mixed up their records.")


def _settled(subject: Subject, operation: Any) -> str:
    try:
        return str(subject.send(operation).result)
    except Problem as problem:
        return type(problem).__name__


def expect_text(subject: Subject, outcome: Outcome, text: str, rule: str) -> None:
    stored = subject.stored_value(outcome.remote_id, subject.sample.text)
    expect(same(stored, text), f"{rule} The simulator has {stored!r} for {subject.sample.text!r} instead of {text!r}.")
