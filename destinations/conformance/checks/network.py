"""Connections that break or slow down: no record is lost, and none is duplicated."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

from core import http
from core.errors import Problem, Unavailable
from destinations.conformance.check import check, check_each
from destinations.conformance.expectations import expect, same
from destinations.contract import Result, Verb

if TYPE_CHECKING:
    from destinations.conformance.subject import Subject

VERBS = (Verb.UPSERT, Verb.CREATE)
PATIENCE_SECONDS, SLOWNESS_SECONDS = 0.4, 0.8


@check_each(*((verb, action) for verb in VERBS for action in ("cut", "cut_after")))
def write_repeated_after_a_closed_connection_leaves_one_record(subject: Subject, case: tuple[Verb, str]) -> None:
    verb, action = case
    subject.fail(action)
    problem = subject.problem(lambda: subject.write(1, verb))
    expect(len(subject.ids()) == (action == "cut_after"), "The client sent a write again after its connection closed.")
    _expect_ambiguous(problem)
    _repeat(subject, verb)


@check_each(*VERBS)
def write_repeated_after_a_timeout_leaves_one_record(subject: Subject, verb: Verb) -> None:
    subject.fail("delay_after", seconds=SLOWNESS_SECONDS)
    with mock.patch.object(http, "READ_SECONDS", PATIENCE_SECONDS):
        problem = subject.problem(lambda: subject.write(1, verb))
    _expect_ambiguous(problem)
    _repeat(subject, verb)


@check
def update_repeated_after_a_closed_connection_changes_the_same_record(subject: Subject) -> None:
    known = subject.write(1).remote_id
    subject.fail("cut_after")
    _expect_ambiguous(subject.problem(lambda: subject.write_text(1, "Changed", Verb.UPDATE, remote_id=known)))
    outcome = subject.write_text(1, "Changed", Verb.UPDATE, remote_id=known)
    expect(outcome.result is Result.ACCEPTED, f"An UPDATE that was repeated has the result {outcome.result}.")
    expect(same(subject.stored_value(known, subject.sample.text), "Changed"), "A repeated UPDATE did not arrive.")


@check
def slow_response_is_accepted(subject: Subject) -> None:
    subject.sandbox.latency_seconds = 0.2
    expect(subject.write(1).result is Result.ACCEPTED, "A response after 0.2 seconds must be accepted.")


@check
def interrupted_lookup_is_not_ambiguous(subject: Subject) -> None:
    subject.fail("cut")
    problem = subject.problem(lambda: subject.find(subject.identity(1)))
    expect(
        isinstance(problem, Unavailable) and not problem.ambiguous,
        f"A lookup whose connection closed raised {problem!r}. Raise Unavailable with ambiguous=False: reads can "
        "always be repeated.",
    )


def _expect_ambiguous(problem: Problem) -> None:
    expect(
        isinstance(problem, Unavailable) and problem.ambiguous and not problem.throttled,
        f"A write got no response and raised {problem!r}. The vendor may have stored the record: raise Unavailable "
        "with ambiguous=True, as core.http.send does.",
    )


def _repeat(subject: Subject, verb: Verb) -> None:
    result = subject.write(1, verb).result
    expect(result in (Result.ACCEPTED, Result.EXISTS), f"A write that was repeated has the result {result}.")
    expect(len(subject.ids()) == 1, f"A write that was repeated left {len(subject.ids())} records.")
