"""The table from Attio's errors to what happens next, and messages that never contain a value of the record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.services.attio import errors
from destinations.services.attio.answer import Answer

OTHER = "0f1e2d3c-4b5a-4978-8877-665544332211"


def answer(status: int, code: str = "", message: str = "", **kwargs: Any) -> Answer:
    listed = kwargs.pop("errors", None)
    body = {"status_code": status, "type": "invalid_request_error", "code": code, "message": message}
    if listed:
        body["validation_errors"] = listed
    return Answer("PUT /objects/companies/records", status, body, request_id="request-1", **kwargs)


def problem(given: Answer, *, writing: bool, sent: Any = None, **known: Any) -> Problem:
    return errors.problem(replace(given, writing=writing, record=writing, sent=[sent, None, "token"]), **known)


RECORD = [
    "validation_type",
    "uniqueness_conflict",
    "duplicate_values",
    "multiple_match_results",
    "multiple_values_for_single_value_attribute",
    "missing_value",
    "a_code_of_the_future",
]
SETTINGS = [
    "matching_attribute_definition_not_unique",
    "system_edit_unauthorized",
    "formula_edit_unauthorized",
    "immutable_value",
    "filter_error",
    "invalid_filter_field",
    "invalid_filter_operator",
    "unknown_filter_attribute_slug",
    "missing_sort_field",
    "invalid_filter_value",
    "standard_object_disabled",
    "particle_gate_violation",
    "quota_exceeded",
]


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        *((answer(400, code), Rejected, code) for code in RECORD),
        *((answer(400, code), Misconfigured, code) for code in SETTINGS),
        (answer(400, "value_not_found", 'Cannot find select option with title "X".'), Rejected, "value_not_found"),
        (
            answer(400, "value_not_found", 'Cannot find attribute with slug/ID "plan".'),
            Misconfigured,
            "attribute_missing",
        ),
        (
            answer(400, "value_not_found", 'No attribute was found for matching_attribute slug/ID "plan".'),
            Misconfigured,
            "attribute_missing",
        ),
        (answer(401, "unauthorized"), Misconfigured, "unauthorized"),
        (answer(403, "unauthorized"), Misconfigured, "unauthorized"),
        (answer(403, "billing_error"), Misconfigured, "billing_error"),
        (Answer("", 401, None, json=False), Misconfigured, "http_401"),
        (answer(404, "not_found"), Misconfigured, "not_found"),
        (answer(404, "merge_in_progress"), Unavailable, "merge_in_progress"),
        (answer(400, "merge_in_progress"), Unavailable, "merge_in_progress"),
        (answer(409, "concurrent_write_conflict"), Unavailable, "concurrent_write_conflict"),
        (Answer("", 409, None), Unavailable, "http_409"),
        (answer(413, "content_too_large"), Rejected, "content_too_large"),
        (answer(422, "validation_type"), Rejected, "validation_type"),
        (answer(429, "rate_limit_exceeded"), Unavailable, "rate_limit_exceeded"),
        (answer(500, "internal"), Unavailable, "internal"),
        (Answer("", 502, None, json=False), Unavailable, "http_502"),
        (Answer("", 400, None, json=False), Unavailable, "http_400"),
        (Answer("", 302, None, json=False), Misconfigured, "http_302"),
        (Answer("", 403, None, json=False), Unavailable, "http_403"),
        (Answer("", 200, None, json=False), Unavailable, "unusable_answer"),
    ],
)
def test_answer_becomes_the_right_problem(given: Answer, kind: type[Problem], code: str) -> None:
    found = problem(given, writing=True)
    assert type(found) is kind
    assert found.code == code
    assert found.message


@pytest.mark.parametrize(
    ("given", "ambiguous"),
    [
        (answer(500), True),
        (Answer("", 503, None, json=False), True),
        (Answer("", 200, None), True),
        (answer(429), False),
        (answer(409, "concurrent_write_conflict"), False),
        (answer(404, "merge_in_progress"), False),
    ],
)
def test_only_unclear_answers_to_writes_are_ambiguous(given: Answer, ambiguous: bool) -> None:
    found, reading = problem(given, writing=True), problem(given, writing=False)
    assert isinstance(found, Unavailable)
    assert isinstance(reading, Unavailable)
    assert found.ambiguous is ambiguous
    assert not reading.ambiguous
    assert found.throttled is (given.status == 429)


def test_requested_wait_is_passed_on() -> None:
    found = problem(answer(429, retry_after=1.5), writing=True)
    assert isinstance(found, Unavailable)
    assert found.retry_after == 1.5


def test_conflict_names_the_attribute_and_the_other_record_but_not_the_value() -> None:
    messages = [
        'A value provided for attribute with slug "domains" conflicts with one already in the system. '
        f"Conflicting record IDs: {OTHER}",
        'The value "{\\"domain\\":\\"acme.com\\"}" provided for attribute with ID "id-of-domains" conflicts with one '
        f"already there. Conflicting record IDs: {OTHER}",
        'The value "{"domain":"ACME.com"}" provided for attribute with ID "id-of-domains" conflicts. '
        f"Conflicting record IDs: {OTHER}",
    ]
    for message in messages:
        found = problem(
            answer(400, "uniqueness_conflict", message),
            writing=True,
            sent={"domains": ["acme.com"]},
            slugs={"id-of-domains": "domains"},
        )
        assert isinstance(found, Rejected)
        assert found.field == "domains"
        assert found.request_id == "request-1"
        assert OTHER in found.message
        assert "acme" not in found.message.lower()


def test_validation_errors_are_shown_without_values() -> None:
    errors = [{"code": "invalid", "path": ["original_phone_number"], "message": "Invalid phone number +33142685300"}]
    given = answer(400, "validation_type", 'An invalid value was passed to attribute with slug "phone".', errors=errors)
    found = problem(given, writing=True, sent={"data": {"values": {"phone": ["+33142685300"], "note": "slug"}}})
    assert 'slug "phone"' in found.message
    assert "original_phone_number: Invalid phone number …" in found.message
    assert "3314" not in found.message + found.detail


def test_quoted_option_title_is_masked() -> None:
    found = problem(
        answer(400, "value_not_found", 'Cannot find select option with title "Secret Project".'), writing=True
    )
    assert "Secret" not in found.message
    assert "Cannot find select option" in found.message


def test_missing_attribute_is_named() -> None:
    found = problem(answer(400, "value_not_found", 'Cannot find attribute with slug/ID "plan".'), writing=True)
    assert isinstance(found, Misconfigured)
    assert found.where == "plan"
    assert "“plan”" in found.message


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"message": None},
        {"validation_errors": "x"},
        {"validation_errors": [1, {}]},
        {"validation_errors": [{"path": 1, "message": 2}]},
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422, 429, 500])
def test_malformed_answers_never_raise(status: int, body: Any) -> None:
    assert isinstance(problem(Answer("", status, body), writing=True), Problem)


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        (answer(404, "not_found", f'Record with ID "{OTHER}" not found.'), True),
        (answer(404, "not_found", "Not found."), True),
        (answer(404, "not_found", 'Object with slug/ID "companies" not found.'), False),
        (answer(404, "not_found", 'Could not find endpoint "PUT /v2/x".'), False),
        (answer(404, "merge_in_progress", "Merging."), False),
        (Answer("", 404, None, json=False), False),
    ],
)
def test_record_is_gone_only_if_attio_reports_it(given: Answer, gone: bool) -> None:
    assert given.record_is_gone is gone
