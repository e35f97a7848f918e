"""Services that write several records in one request: each record has its own outcome, and it is the right one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import Problem, Rejected, Unavailable
from destinations.conformance.check import check, check_each, require
from destinations.conformance.expectations import expect
from destinations.contract import Outcome, Purpose, Result, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from destinations.conformance.subject import Subject
    from destinations.contract import Operation

SMALL = 5


@check
def records_written_together_are_all_written(subject: Subject) -> None:
    """Also of services that write one by one."""
    operations = [subject.operation(number) for number in range(1, SMALL + 1)]
    for answer, number in zip(_write(subject, operations), range(1, SMALL + 1), strict=True):
        expect(isinstance(answer, Outcome) and answer.result is Result.ACCEPTED, f"Record {number} got {answer!r}.")
    _expect_order(subject, operations)


@check_each(*Verb)
def largest_batch_is_accepted_in_one_request(subject: Subject, verb: Verb) -> None:
    size = _batch_size(subject)
    operations = [subject.operation(number, verb) for number in range(1, size + 1)]
    if verb is Verb.UPDATE:
        ids = [subject.write(number).remote_id for number in range(1, size + 1)]
        operations = [replace(one, remote_id=known) for one, known in zip(operations, ids, strict=True)]
    subject.gate.clear()
    answers = _write(subject, operations)
    failed = [answer for answer in answers if not isinstance(answer, Outcome) or answer.result is not Result.ACCEPTED]
    expect(
        not failed,
        f"limits.write_batch is {size}, and of a batch of that size the vendor rejected {len(failed)} records, such as "
        f"{failed[:1]!r}. Is it what the vendor accepts in one request?",
    )
    expect(
        subject.gate.purposes() == [Purpose.WRITE],
        f"A batch of {size} records took {subject.requests} requests. limits.write_batch is what one request carries.",
    )


@check
def answers_are_in_the_order_of_the_operations(subject: Subject) -> None:
    _batch_size(subject)
    numbers = [3, 1, 5, 2, 4]
    operations = [subject.operation(number, changed={subject.sample.text: f"Text {number}"}) for number in numbers]
    _write(subject, operations)
    _expect_order(subject, operations)


@check
def each_record_of_a_batch_has_its_own_outcome(subject: Subject) -> None:
    """One record has a value that the vendor rejects. The others are written, or the whole batch is rejected."""
    _batch_size(subject)
    operations = [subject.operation(1), subject.bad(2), subject.operation(3)]
    try:
        answers = _write(subject, operations)
    except Rejected:
        expect(not subject.ids(), "write_all() raised Rejected for the whole batch, but some of it was stored.")
        return
    _expect_truth(subject, operations, answers)
    expect(
        isinstance(answers[1], Rejected),
        f"The vendor rejected a value of one record in a batch, and its answer is {answers[1]!r}. Return a Rejected.",
    )


@check
def record_that_the_answer_leaves_out_is_not_counted_as_written(subject: Subject) -> None:
    _batch_size(subject)
    expect(
        subject.sample.skips,
        "limits.write_batch is above 1, so the sample needs `skips`: switches that make the simulator leave records "
        "out of its answer to a batch, without writing them.",
    )
    subject.switch(subject.sample.skips)
    operations = [subject.operation(number) for number in range(1, SMALL + 1)]
    answers = _write(subject, operations)
    expect(
        len(subject.ids()) < SMALL, "With the switches in the sample's `skips`, the simulator wrote the whole batch."
    )
    _expect_truth(subject, operations, answers)
    for answer in answers:
        expect(
            isinstance(answer, Outcome | Unavailable),
            f"A record that the vendor's answer leaves out got {answer!r}. Return Unavailable: it can be sent again.",
        )


@check
def batch_that_got_no_response_is_ambiguous(subject: Subject) -> None:
    _batch_size(subject)
    subject.fail("cut_after")
    operations = [subject.operation(number) for number in range(1, SMALL + 1)]
    problem = subject.problem(lambda: _write(subject, operations))
    expect(isinstance(problem, Unavailable) and problem.ambiguous, f"A batch without a response raised {problem!r}.")
    _write(subject, operations)
    expect(len(subject.ids()) == SMALL, f"A batch that was repeated left {len(subject.ids())} records of {SMALL}.")


@check
def throttled_batch_is_throttled_as_a_whole(subject: Subject) -> None:
    _batch_size(subject)
    subject.respond(429)
    problem = subject.problem(lambda: _write(subject, [subject.operation(1), subject.operation(2)]))
    expect(isinstance(problem, Unavailable) and problem.throttled, f"A batch answered with 429 raised {problem!r}.")


@check
def empty_batch_of_writes_sends_nothing(subject: Subject) -> None:
    expect(_write(subject, []) == [] and not subject.requests, "write_all() of no records sent a request.")


def _batch_size(subject: Subject) -> int:
    size = subject.service.limits.write_batch
    require(size > 1, "the service writes one record a request")
    return size


def _write(subject: Subject, operations: Sequence[Operation]) -> list[Outcome | Problem]:
    answers = list(subject.service.write_all(subject.client, operations))
    expect(
        len(answers) == len(operations),
        f"write_all() got {len(operations)} records and returned {len(answers)} answers. Return one for each.",
    )
    return answers


def _expect_truth(subject: Subject, operations: Sequence[Operation], answers: Sequence[Outcome | Problem]) -> None:
    """Exactly the accepted records are stored."""
    stored = set(subject.ids())
    identities = [subject.service.identity(subject.match_field, operation.match_value) for operation in operations]
    found = {identity: known for identity in identities for known in subject.find(identity).values()}
    for identity, answer in zip(identities, answers, strict=True):
        accepted = isinstance(answer, Outcome) and answer.result is Result.ACCEPTED
        expect(
            accepted is (identity in found),
            f"In a batch, the record {identity!r} got the answer {answer!r}, and at the vendor it is "
            f"{'stored' if identity in found else 'not stored'}. Match the vendor's answer to each record.",
        )
        if isinstance(answer, Outcome) and accepted:
            expect(answer.remote_id in stored and answer.remote_id == found[identity], "A record has another one's ID.")


def _expect_order(subject: Subject, operations: Sequence[Operation]) -> None:
    answers = _write(subject, operations)
    for operation, answer in zip(operations, answers, strict=True):
        identity = subject.service.identity(subject.match_field, operation.match_value)
        expected = subject.find(identity).get(identity)
        got = getattr(answer, "remote_id", "")
        expect(
            got == expected,
            f"In a batch, the answer for {identity!r} has the remote_id {got!r} instead of {expected!r}. Return the "
            "answers in the order of the operations.",
        )
        text = subject.stored_value(str(got), subject.sample.text)
        expect(text == operation.values[subject.sample.text], "In a batch, a record got the values of another one.")
