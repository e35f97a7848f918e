"""Error answers: what happens next, and the content of the message."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.kit.answer import Answer
from destinations.services.intercom import error_answer, errors
from tests.destinations.intercom.answers import error_list

WAIT, CONFIG, RECORD = Unavailable, Misconfigured, Rejected


def problem(status: int, body: Any, call: str = "POST /companies", sent: Any = None) -> Problem:
    """The error for an answer to a request that writes, unless it is a GET."""
    writes, record = not call.startswith("GET "), bool(re.fullmatch(errors.RECORD_WRITE, call))
    answer = Answer(call, status, body, writing=writes, record=record, sent=sent)
    return errors.problem(error_answer.parse(answer))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "parameter_invalid", RECORD),
        (400, "parameter_not_found", RECORD),
        (400, "data_invalid", RECORD),
        (400, "type_mismatch", RECORD),
        (400, "something_new", RECORD),
        (400, "unique_company_constraint", WAIT),
        (400, "scroll_exists", WAIT),
        (400, "intercom_version_invalid", CONFIG),
        (400, "custom_data_limit_reached", CONFIG),
        (401, "unauthorized", CONFIG),
        (401, "token_revoked", CONFIG),
        (401, "token_unauthorized", CONFIG),
        (402, "action_forbidden", CONFIG),
        (403, "api_plan_restricted", CONFIG),
        (403, "forbidden", CONFIG),
        (404, "company_not_found", RECORD),
        (405, "method_not_allowed", CONFIG),
        (406, "media_type_not_acceptable", CONFIG),
        (408, "request_timeout", WAIT),
        (409, "conflict", RECORD),
        (415, "unsupported", CONFIG),
        (422, "unprocessable_entity", RECORD),
        (429, "rate_limit_exceeded", WAIT),
        (429, "too_many_requests", WAIT),
        (500, "server_error", WAIT),
        (500, "parameter_invalid", WAIT),
        (502, "client_error", WAIT),
        (503, "service_unavailable", WAIT),
        (504, "server_timeout", WAIT),
    ],
)
def test_status_and_code_decide_what_happens_next(status: int, code: str, kind: type[Problem]) -> None:
    error = problem(status, error_list(code))
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize(
    ("message", "name"),
    [("bad 'test' parameter", "test"), ("Custom attribute 'isOpenSource' does not exist", "isOpenSource")],
)
def test_error_that_concerns_every_record_is_misconfigured(message: str, name: str) -> None:
    error = problem(400, error_list("parameter_invalid", message))
    assert isinstance(error, Misconfigured)
    assert error.where == name
    assert message in error.message


@pytest.mark.parametrize("status", [400, 402, 403, 404, 408, 422, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [None, [], "text"])
def test_answer_that_is_not_from_intercom_is_unavailable(status: int, body: Any) -> None:
    error = problem(status, body)
    assert isinstance(error, Unavailable)
    assert error.ambiguous
    assert error.code == f"http_{status}"


def test_401_without_a_body_is_still_a_rejected_token() -> None:
    assert isinstance(problem(401, None), Misconfigured)


def test_redirect_is_misconfigured() -> None:
    error = problem(302, None)
    assert isinstance(error, Misconfigured)
    assert "redirect" in error.message


def test_only_writes_are_ambiguous() -> None:
    write, read = problem(500, error_list("server_error")), problem(500, error_list("server_error"), "GET /companies")
    assert isinstance(write, Unavailable)
    assert isinstance(read, Unavailable)
    assert (write.ambiguous, read.ambiguous) == (True, False)


@pytest.mark.parametrize("code", ["unique_company_constraint", "scroll_exists"])
def test_request_that_was_not_processed_is_not_ambiguous(code: str) -> None:
    error = problem(400, error_list(code))
    assert isinstance(error, Unavailable)
    assert not error.ambiguous


def test_error_that_does_not_concern_a_single_record_is_misconfigured() -> None:
    assert isinstance(problem(422, error_list("parameter_invalid"), "GET /data_attributes"), Misconfigured)


def test_rejection_has_code_message_field_and_request_id() -> None:
    error = problem(422, error_list("data_invalid", "size is odd", field="size"))
    assert isinstance(error, Rejected)
    assert (error.code, error.field, error.request_id) == ("data_invalid", "size", "req-1")
    assert "size is odd" in error.message


def test_messages_of_all_errors_are_shown() -> None:
    body = {"errors": [{"code": "data_invalid", "message": "one"}, {"code": "data_invalid", "message": "two"}, "odd"]}
    assert "one two (data_invalid)" in problem(422, body).message


@pytest.mark.parametrize(
    "body", [{}, {"errors": None}, {"errors": [None]}, {"errors": [{"message": None}]}, {"errors": [{"code": 7}]}]
)
def test_incomplete_error_list_is_still_a_rejection(body: Any) -> None:
    error = problem(422, body)
    assert isinstance(error, Rejected)
    assert error.code == "http_422"


def test_values_of_the_record_never_reach_the_message() -> None:
    sent = {
        "company_id": "acme-42",
        "name": "Ada Lovelace Ltd",
        "size": 1234567,
        "custom_attributes": {"tier": "tier", "vip": True},
    }
    message = "ada lovelace ltd (acme-42) has 1234567 in 'tier' and 'size'"
    error = problem(422, error_list("data_invalid", message), sent=sent)
    assert "[value] ([value]) has [value] in 'tier' and 'size'" in error.message


def test_value_that_occurs_in_the_message_does_not_hide_its_meaning() -> None:
    body = error_list("parameter_invalid", "Custom attribute 'seats' does not exist")
    sent = {"name": "Custom attribute", "custom_attributes": {"seats": 3}}
    assert isinstance(problem(400, body, sent=sent), Misconfigured)
