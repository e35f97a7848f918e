"""Answers that are no success: whose fault it is, and whether to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.errors import Misconfigured, Rejected, Unavailable
from destinations.contract import Result, Verb
from tests.destinations.contract.case import TOKEN, Case

HTML = "<html><body><h1>Bad Gateway</h1></body></html>"


@pytest.mark.parametrize("status", [401, 403])
def test_a_credential_that_is_refused_is_a_setting_to_mend(case: Case, status: int) -> None:
    case.answer(status)
    assert isinstance(case.refused(lambda: case.write(1)), Misconfigured)


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_value_concerns_this_record_alone(case: Case, status: int) -> None:
    case.answer(status)
    assert isinstance(case.refused(lambda: case.write(1)), Rejected)
    assert case.write(2).result is Result.ACCEPTED


def test_an_upsert_that_is_answered_404_is_no_success_and_may_not_be_repeated_blindly(case: Case) -> None:
    case.answer(404)
    assert isinstance(case.refused(lambda: case.write(1)), Rejected | Misconfigured)


def test_a_conflict_concerns_the_record_or_passes_and_stops_nobody_else(case: Case) -> None:
    case.answer(409)
    assert isinstance(case.refused(lambda: case.write(1)), Rejected | Unavailable)
    assert case.write(1).result is Result.ACCEPTED
    assert len(case.records()) == 1


def test_too_many_requests_without_headers_is_a_wait(case: Case) -> None:
    case.answer(429, headers={})
    problem = case.refused(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert (problem.throttled, problem.ambiguous, problem.retry_after) == (True, False, None)


def test_too_many_requests_in_the_vendors_own_way_says_how_long(case: Case) -> None:
    case.answer(429)
    problem = case.refused(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert problem.throttled
    assert problem.retry_after is not None
    assert 0 <= problem.retry_after <= 15


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_read_as_seconds_and_as_a_date(case: Case, status: int, form: str) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True)
    case.answer(status, headers={"Retry-After": "8" if form == "seconds" else moment})
    problem = case.refused(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert problem.throttled is (status == 429)
    assert problem.retry_after == pytest.approx(8, abs=0 if form == "seconds" else 2.5)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_of_the_vendor_is_a_wait_that_leaves_open_what_was_stored(case: Case, status: int) -> None:
    case.answer(status)
    problem = case.refused(lambda: case.write(1))
    assert isinstance(problem, Unavailable)
    assert problem.ambiguous
    assert not problem.throttled


@pytest.mark.parametrize(("status", "body"), [(200, HTML), (404, HTML), (502, HTML), (200, ""), (404, ""), (503, "")])
@pytest.mark.parametrize("verb", [Verb.UPSERT, Verb.UPDATE])
def test_a_page_or_nothing_instead_of_json_is_a_wait_and_never_means_gone(
    case: Case, verb: Verb, status: int, body: str
) -> None:
    known = case.write(1).remote_id
    case.fail("reply", status=status, body=body)
    problem = case.refused(lambda: case.write(1, verb, remote_id=known))
    assert isinstance(problem, Unavailable)
    assert problem.ambiguous
    assert len(case.records()) == 1


@pytest.mark.parametrize("body", [HTML, "", [], {}, {"data": None}, {"data": 1}, "null"])
def test_a_look_up_whose_answer_says_nothing_finds_nothing_out(case: Case, body: object) -> None:
    case.fail("reply", status=200, body=body)
    problem = case.refused(lambda: case.service.find(case.client, case.match_field, [case.identity(1)]))
    assert isinstance(problem, Unavailable)
    assert not problem.ambiguous


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_a_vendor_that_repeats_values_and_the_token_is_not_quoted(case: Case, status: int) -> None:
    text = " and ".join([case.sample.match.format(n=1), *map(str, case.sample.values.values()), TOKEN])
    case.answer(status, f"We do not like {text}, sorry")
    case.refused(lambda: case.write(1))
