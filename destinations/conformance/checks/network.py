"""Connections that break or slow down: no record is lost or duplicated. What is kept of requests has no credential."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from unittest import mock

from core import http
from core.errors import Problem, Unavailable
from core.network.observers import Observer, Sending, observed
from destinations.conformance.check import check, check_each
from destinations.conformance.expectations import expect, same
from destinations.conformance.subject import TOKEN
from destinations.contract import Result, Verb
from destinations.kit.exchanges import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class _Shown(Observer):
    """Collects every request and response as they are kept."""

    def __init__(self) -> None:
        self.secrets = Secrets([TOKEN])
        self.texts: list[str] = []

    def answered(self, request: Sending, status: int | None, body: bytes) -> None:
        self.texts += [self.secrets.url(request.url), self.secrets.body(request.body), self.secrets.body(body)]


@check
def kept_exchanges_contain_no_credential(subject: Subject) -> None:
    shown = _Shown()
    with observed(shown):
        known = subject.write(1)
        subject.write_text(1, "Changed", Verb.UPDATE, remote_id=known.remote_id)
        subject.find(subject.identity(1))
        subject.respond(401, f"The token {TOKEN} is not valid.")
        subject.problem(lambda: subject.write(2))
    expect(
        shown.texts,
        "No request passed core.http.send, so nothing can be shown to people. Send every request through it.",
    )
    for text in shown.texts:
        for spelling in _spellings(TOKEN):
            expect(
                spelling not in text,
                f"A request that is kept for people contains the credential: {text} Send it in a header.",
            )


def _spellings(token: str) -> Iterator[str]:
    """The credential as it is, and in Base64, alone or as a password without a user name."""
    yield token
    for sent in (token, f"{token}:", f":{token}"):
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(sent.encode()).decode().rstrip("=")


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
