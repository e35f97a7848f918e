"""Discovery, lookups and the credential check when the vendor fails: nothing is taken for missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Problem, Unavailable
from destinations.conformance.check import check_each
from destinations.conformance.checks.errors import HTML
from destinations.conformance.expectations import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.conformance.subject import Subject

UNUSABLE: tuple[Any, ...] = (HTML, "", {}, [])
READS: dict[str, Callable[[Subject], Any]] = {
    "find()": lambda subject: subject.find(subject.identity(1)),
    "fields()": lambda subject: subject.discovered(),
    "Platform.check()": lambda subject: subject.service.platform.check(subject.client),
}


@check_each(*((name, status) for name in READS for status in (401, 403)))
def read_with_a_refused_credential_is_a_misconfiguration(subject: Subject, case: tuple[str, int]) -> None:
    name, status = case
    subject.respond(status)
    problem = subject.problem(lambda: READS[name](subject))
    expect(isinstance(problem, Misconfigured), f"{name} was answered with {status} and raised {problem!r}.")


@check_each(*READS)
def throttled_read_can_be_repeated(subject: Subject, name: str) -> None:
    subject.respond(429)
    problem = _unavailable(subject, name, "429")
    expect(problem.throttled, f"{name} was answered with 429, and Unavailable.throttled is false.")


@check_each(*((name, status) for name in READS for status in (500, 503)))
def failed_read_can_be_repeated(subject: Subject, case: tuple[str, int]) -> None:
    name, status = case
    subject.respond(status)
    _unavailable(subject, name, str(status))


@check_each(*((name, body) for name in READS for body in UNUSABLE))
def unusable_response_is_never_taken_for_an_empty_one(subject: Subject, case: tuple[str, Any]) -> None:
    name, body = case
    subject.fail("reply", status=200, body=body)
    _unavailable(subject, name, f"the body {body!r}")


@check_each(*READS)
def interrupted_read_can_be_repeated(subject: Subject, name: str) -> None:
    subject.fail("cut")
    _unavailable(subject, name, "a closed connection")


@check_each("write()", *READS)
def redirect_is_not_followed(subject: Subject, name: str) -> None:
    subject.fail("reply", status=302, headers={"Location": "/elsewhere"})
    call = READS.get(name, lambda subject: subject.write(1))
    problem = subject.problem(lambda: call(subject))
    expect(
        isinstance(problem, Problem) and subject.requests == 1,
        f"{name} was answered with a redirect and sent {subject.requests} requests. The credential must not follow it.",
    )


def _unavailable(subject: Subject, name: str, answer: str) -> Unavailable:
    problem = subject.problem(lambda: READS[name](subject))
    expect(
        isinstance(problem, Unavailable) and not problem.ambiguous,
        f"{name} was answered with {answer} and raised {problem!r}. Raise Unavailable, with ambiguous=False for reads.",
    )
    assert isinstance(problem, Unavailable)
    return problem
