"""Unsuccessful responses: which kind of problem they are, and how long to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.conformance.check import check, check_each
from destinations.conformance.expectations import expect
from destinations.conformance.subject import TOKEN
from destinations.contract import Result, Verb

if TYPE_CHECKING:
    from destinations.conformance.sample import Then, VendorError
    from destinations.conformance.subject import Subject

HTML = "<html><body><h1>Bad Gateway</h1></body></html>"
UNUSABLE: tuple[Any, ...] = (HTML, "", [], {}, {"data": None}, {"data": 1}, "null")
HOURS = 6
KINDS: dict[Then, type[Problem]] = {
    "record": Rejected,
    "settings": Misconfigured,
    "wait": Unavailable,
    "throttle": Unavailable,
    "daily": Unavailable,
}


@check
def sample_lists_the_errors_of_every_kind(subject: Subject) -> None:
    listed = {error.then for error in subject.sample.errors}
    missing = [then for then in ("record", "settings", "throttle") if then not in listed]
    expect(
        not missing,
        f"The sample's `errors` has none with then={' or '.join(map(repr, missing))}. Add a VendorError for every "
        "error that the vendor documents for a write, with the body as documented.",
    )


@check
def every_documented_error_has_its_consequence(subject: Subject) -> None:
    for error in subject.sample.errors:
        subject.fail("reply", status=error.status, body=error.body, headers=dict(error.headers))
        problem = subject.problem(lambda: subject.write(1))
        _verify(error, problem)
        expect(not subject.sandbox.faults[-1].times, "The write sent no request.")


@check_each(401, 403)
def refused_credential_is_a_misconfiguration(subject: Subject, status: int) -> None:
    subject.respond(status)
    _expect_kind(subject.problem(lambda: subject.write(1)), Misconfigured, f"a {status}, which refuses the credential")


@check_each(400, 422)
def rejected_value_affects_only_its_own_record(subject: Subject, status: int) -> None:
    subject.respond(status)
    _expect_kind(subject.problem(lambda: subject.write(1)), Rejected, f"a {status}, which refuses a value")
    expect(subject.write(2).result is Result.ACCEPTED, "After a rejected record, the next one was not accepted.")


@check_each(400, 422)
def rejection_repeats_what_the_vendor_says(subject: Subject, status: int) -> None:
    subject.respond(status, "Zebra crossings are not allowed")
    problem = subject.problem(lambda: subject.write(1))
    expect(
        "Zebra crossings are not allowed" in problem.message,
        f"The vendor explained a rejection, and the user reads only: {problem.message} Add the vendor's own words, "
        "without the values of the request.",
    )


@check
def upsert_answered_404_fails_and_is_not_retried_automatically(subject: Subject) -> None:
    subject.respond(404)
    problem = subject.problem(lambda: subject.write(1))
    expect(isinstance(problem, Rejected | Misconfigured), f"An UPSERT answered with 404 raised {problem!r}.")


@check
def conflict_affects_only_its_own_record_or_is_temporary(subject: Subject) -> None:
    subject.respond(409)
    problem = subject.problem(lambda: subject.write(1))
    expect(isinstance(problem, Rejected | Unavailable), f"A write answered with 409 raised {problem!r}.")
    expect(subject.write(1).result is Result.ACCEPTED, "After a conflict, the same record was not accepted.")
    expect(len(subject.ids()) == 1, "A write that was repeated after a conflict left two records.")


@check
def throttle_without_headers_has_no_wait_time(subject: Subject) -> None:
    subject.respond(429, headers={})
    problem = _throttled(subject)
    expect(problem.retry_after is None, f"A 429 without headers has retry_after={problem.retry_after}. Leave it None.")


@check
def throttle_in_the_vendors_format_has_a_wait_time(subject: Subject) -> None:
    subject.respond(429)
    problem = _throttled(subject)
    expect(
        problem.retry_after is not None and 0 <= problem.retry_after <= 15,
        f"A 429 as the simulator's error_reply returns it has retry_after={problem.retry_after}. Take the wait from "
        "its headers.",
    )


@check_each(*((status, form) for status in (429, 503) for form in ("seconds", "date")))
def retry_after_is_parsed_as_seconds_and_as_a_date(subject: Subject, case: tuple[int, str]) -> None:
    status, form = case
    subject.respond(status, headers={"Retry-After": _retry_after(8, form)})
    problem = subject.problem(lambda: subject.write(1))
    expect(
        isinstance(problem, Unavailable) and problem.throttled is (status == 429) and _about(problem.retry_after, 8),
        f"A {status} with Retry-After in 8 seconds, as {form}, raised {vars(problem)}. Pass core.http.retry_after to "
        "Unavailable; `throttled` is for 429 only.",
    )


@check_each("seconds", "date")
def limit_of_hours_is_not_a_short_throttle(subject: Subject, form: str) -> None:
    subject.respond(429, headers={"Retry-After": _retry_after(HOURS * 3600, form)})
    _expect_hours(subject.problem(lambda: subject.write(1)))


@check_each(500, 502, 503, 504)
def server_error_is_unavailable_and_ambiguous(subject: Subject, status: int) -> None:
    subject.respond(status)
    _expect_unclear(subject.problem(lambda: subject.write(1)), f"a {status}")


@check_each(
    *(
        (verb, status, body)
        for verb in (Verb.UPSERT, Verb.UPDATE)
        for status, body in ((200, HTML), (404, HTML), (502, HTML), (200, ""), (404, ""), (503, ""))
    )
)
def page_or_empty_body_never_means_gone(subject: Subject, case: tuple[Verb, int, str]) -> None:
    verb, status, body = case
    known = subject.write(1).remote_id
    subject.fail("reply", status=status, body=body)
    _expect_unclear(subject.problem(lambda: subject.write(1, verb, remote_id=known)), f"a {status} without JSON")
    expect(len(subject.ids()) == 1, "A write with an unusable response left two records.")


@check_each({}, {"data": None}, {"data": {}}, [], "null")
def success_without_the_record_is_not_counted_as_written(subject: Subject, body: Any) -> None:
    subject.fail("reply", status=200, body=body)
    _expect_unclear(subject.problem(lambda: subject.write(1)), f"a 200 with the body {body!r}")


@check_each(*UNUSABLE)
def lookup_with_an_unusable_response_is_unavailable(subject: Subject, body: Any) -> None:
    subject.fail("reply", status=200, body=body)
    problem = subject.problem(lambda: subject.find(subject.identity(1)))
    expect(
        isinstance(problem, Unavailable) and not problem.ambiguous,
        f"A lookup was answered with the body {body!r} and raised {problem!r}. Raise Unavailable: taking it for "
        "“not found” would create duplicates.",
    )


@check_each(400, 401, 403, 404, 409, 422, 429, 500)
def values_and_token_repeated_by_the_vendor_are_not_quoted(subject: Subject, status: int) -> None:
    text = " and ".join([subject.sample.match.format(n=1), *map(str, subject.sample.values.values()), TOKEN])
    subject.respond(status, f"We can't accept {text}")
    subject.problem(lambda: subject.write(1))


def _verify(error: VendorError, problem: Problem) -> None:
    code = f"the documented error {error.status} {error.body!r} (then={error.then!r})"
    _expect_kind(problem, KINDS[error.then], code)
    if isinstance(problem, Unavailable):
        throttled = error.then in ("throttle", "daily")
        expect(
            problem.throttled is throttled and not (throttled and problem.ambiguous),
            f"The vendor answered with {code}, and Unavailable has throttled={problem.throttled} and "
            f"ambiguous={problem.ambiguous}. Throttled requests were not processed.",
        )
    if error.then == "daily":
        _expect_hours(problem)
    if isinstance(problem, Unavailable) and error.then == "throttle":
        expect(
            problem.not_before is None, f"The vendor answered with {code}, and `not_before` is set. Use retry_after."
        )


def _expect_kind(problem: Problem, kind: type[Problem], answer: str) -> None:
    expect(
        isinstance(problem, kind),
        f"The vendor answered with {answer}, and the service raised {type(problem).__name__} ({problem.code}). "
        f"Raise {kind.__name__}: {_WHY[kind]}.",
    )


_WHY: dict[type[Problem], str] = {
    Rejected: "other records can still be written",
    Misconfigured: "every record would get the same error until a person changes something",
    Unavailable: "the same request may work later",
}


def _throttled(subject: Subject) -> Unavailable:
    problem = subject.problem(lambda: subject.write(1))
    expect(
        isinstance(problem, Unavailable) and problem.throttled and not problem.ambiguous,
        f"A 429 raised {problem!r} with {vars(problem)}. Raise Unavailable with throttled=True and ambiguous=False.",
    )
    assert isinstance(problem, Unavailable)
    return problem


def _expect_hours(problem: Problem) -> None:
    expect(isinstance(problem, Unavailable), f"A 429 raised {problem!r}. Raise Unavailable.")
    assert isinstance(problem, Unavailable)
    now = datetime.now(UTC)
    ends_at = problem.not_before or now + timedelta(seconds=problem.retry_after or 0)
    expect(
        ends_at.tzinfo is not None and ends_at - now > timedelta(hours=1) and problem.throttled,
        f"The vendor accepts no request for hours, and Unavailable has not_before={problem.not_before}, retry_after="
        f"{problem.retry_after} and throttled={problem.throttled}. Set not_before to the time at which the limit ends.",
    )


def _expect_unclear(problem: Problem, answer: str) -> None:
    expect(
        isinstance(problem, Unavailable) and problem.ambiguous and not problem.throttled,
        f"A write was answered with {answer}, and the service raised {problem!r}. The vendor may have stored the "
        "record or not: raise Unavailable with ambiguous=True.",
    )


def _retry_after(seconds: int, form: str) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return str(seconds) if form == "seconds" else format_datetime(moment, usegmt=True)


def _about(seconds: float | None, expected: float) -> bool:
    return seconds is not None and abs(seconds - expected) <= 2.5
