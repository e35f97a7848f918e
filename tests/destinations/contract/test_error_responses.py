"""Unsuccessful responses: which kind of problem they are, and whether to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.errors import Misconfigured, Rejected, Unavailable
from destinations.contract import Result, Verb
from tests.destinations.contract.case import TOKEN, Case

HTML = "<html><body><h1>Bad Gateway</h1></body></html>"


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credential_is_a_misconfiguration(case: Case, status: int) -> None:
    case.respond(status)
    assert isinstance(case.problem(lambda: case.write(1)), Misconfigured)


@pytest.mark.parametrize("status", [400, 422])
def test_rejected_value_affects_only_its_own_record(case: Case, status: int) -> None:
    case.respond(status)
    assert isinstance(case.problem(lambda: case.write(1)), Rejected)
    assert case.write(2).result is Result.ACCEPTED


def test_upsert_answered_404_fails_and_is_not_retried_automatically(case: Case) -> None:
    case.respond(404)
    assert isinstance(case.problem(lambda: case.write(1)), Rejected | Misconfigured)


def test_conflict_affects_only_its_own_record_or_is_temporary(case: Case) -> None:
    case.respond(409)
    assert isinstance(case.problem(lambda: case.write(1)), Rejected | Unavailable)
    assert case.write(1).result is Result.ACCEPTED
    assert len(case.records()) == 1


def test_429_without_headers_is_throttling_without_a_wait_time(case: Case) -> None:
    case.respond(429, headers={})
    problem = case.problem(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert (problem.throttled, problem.ambiguous, problem.retry_after) == (True, False, None)


def test_429_in_the_vendors_format_has_a_wait_time(case: Case) -> None:
    case.respond(429)
    problem = case.problem(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert problem.throttled
    assert problem.retry_after is not None
    assert 0 <= problem.retry_after <= 15


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_parsed_as_seconds_and_as_a_date(case: Case, status: int, form: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True)
    case.respond(status, headers={"Retry-After": "8" if form == "seconds" else date})
    problem = case.problem(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert problem.throttled is (status == 429)
    assert problem.retry_after == pytest.approx(8, abs=0 if form == "seconds" else 2.5)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_is_unavailable_and_ambiguous(case: Case, status: int) -> None:
    case.respond(status)
    problem = case.problem(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert problem.ambiguous
    assert not problem.throttled


@pytest.mark.parametrize(("status", "body"), [(200, HTML), (404, HTML), (502, HTML), (200, ""), (404, ""), (503, "")])
@pytest.mark.parametrize("verb", [Verb.UPSERT, Verb.UPDATE])
def test_html_or_empty_body_is_unavailable_and_never_means_gone(case: Case, verb: Verb, status: int, body: str) -> None:
    known = case.write(1).remote_id
    case.fail("reply", status=status, body=body)
    problem = case.problem(lambda: case.write(1, verb, remote_id=known))
    assert isinstance(problem, Unavailable)
    assert problem.ambiguous
    assert len(case.records()) == 1


@pytest.mark.parametrize("body", [HTML, "", [], {}, {"data": None}, {"data": 1}, "null"])
def test_lookup_with_an_unusable_response_is_unavailable(case: Case, body: object) -> None:
    case.fail("reply", status=200, body=body)
    problem = case.problem(lambda: case.service.find(case.client, case.match_field, [case.identity(1)]))
    assert isinstance(problem, Unavailable)
    assert not problem.ambiguous


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_values_and_token_repeated_by_the_vendor_are_not_quoted(case: Case, status: int) -> None:
    text = " and ".join([case.sample.match.format(n=1), *map(str, case.sample.values.values()), TOKEN])
    case.respond(status, f"We can't accept {text}")
    case.problem(lambda: case.write(1))
