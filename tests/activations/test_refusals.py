"""Every rejection of both vendors in a whole run: the message has the field, the vendor's code, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from activations.delivery import retry
from activations.models import Change
from destinations.sandbox.wire import Fault
from tests.activations.conftest import Shop, run

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

REMEDY = re.compile(
    r"\b(Correct|Map|Remove|Choose|Add|Merge|Ask|Create|Check|Give|Fill|Shorten|Un-archive|Unarchive|Copy|Use|Enter|Take|Archive|"
    r"take it out|"
    r"Create or un-archive)\b"
)
AGAIN = re.compile(r"tried again|sent again|will be retried")
SLUG = 'An invalid value was passed to attribute with slug "description".'

# Attio: status, code, message, what it concerns, and the attribute in our message.
ATTIO: list[tuple[int, str, str, str, str]] = [
    (400, "validation_type", SLUG, "record", "description"),
    (400, "validation_type", "Body payload validation error.", "record", ""),
    (400, "value_not_found", 'Cannot find select option with title "No. 1".', "record", "description"),
    (400, "value_not_found", 'Cannot find attribute with slug/ID "description".', "settings", "description"),
    (400, "value_not_found", 'No attribute was found for matching_attribute slug/ID "domains".', "settings", "domains"),
    (
        400,
        "uniqueness_conflict",
        'A value provided for attribute with slug "name" conflicts with one already there.',
        "record",
        "name",
    ),
    (400, "duplicate_values", SLUG, "record", "description"),
    (400, "multiple_match_results", "Several records match.", "record", ""),
    (400, "multiple_values_for_single_value_attribute", SLUG, "record", "description"),
    (400, "missing_value", 'Required value for attribute with slug "name" was not provided.', "record", "name"),
    (400, "a_code_of_the_future", "Something new.", "record", ""),
    (
        400,
        "matching_attribute_definition_not_unique",
        "The matching attribute specified is not a unique attribute.",
        "settings",
        "",
    ),
    (400, "system_edit_unauthorized", 'The attribute with slug "name" cannot be edited.', "settings", "name"),
    (400, "formula_edit_unauthorized", 'The attribute with slug "name" is a formula.', "settings", "name"),
    (400, "immutable_value", 'The attribute with slug "name" is immutable.', "settings", "name"),
    (400, "filter_error", "Bad filter.", "settings", ""),
    (400, "invalid_filter_field", "Bad filter.", "settings", ""),
    (400, "invalid_filter_operator", "Bad filter.", "settings", ""),
    (400, "unknown_filter_attribute_slug", 'Unknown attribute slug: "x".', "settings", ""),
    (400, "missing_sort_field", "Bad sort.", "settings", ""),
    (400, "standard_object_disabled", "The object is disabled.", "settings", ""),
    (400, "particle_gate_violation", "Not in the plan.", "settings", ""),
    (400, "quota_exceeded", "Too many.", "settings", ""),
    (403, "billing_error", "Pay first.", "settings", ""),
    (401, "unauthorized", "The token is not valid.", "settings", ""),
    (403, "unauthorized", "The token lacks record_permission:read-write.", "settings", ""),
    (404, "not_found", 'Object with slug/ID "companies" not found.', "settings", "companies"),
    (404, "not_found", 'Could not find endpoint "PUT /v2/x".', "settings", ""),
    (409, "slug_conflict", "There is already another select option.", "settings", ""),
    (413, "content_too_large", "Too large.", "record", ""),
    (400, "merge_in_progress", "The record is being merged.", "wait", ""),
    (404, "merge_in_progress", "The record is being merged.", "wait", ""),
    (409, "concurrent_write_conflict", "Changed by another request.", "wait", ""),
    (429, "rate_limit_exceeded", "Rate limit exceeded, please try again later", "wait", ""),
    (408, "request_timeout", "Too slow.", "wait", ""),
    (500, "internal", "Oops.", "wait", ""),
    (503, "", "", "wait", ""),
]

# The same for Intercom.
INTERCOM: list[tuple[int, str, str, str, str]] = [
    (400, "bad_request", "bad 'plan' parameter", "settings", "plan"),
    (400, "parameter_invalid", "Custom attribute 'tier' does not exist", "settings", "tier"),
    (400, "parameter_invalid", "name is too long", "record", "name"),
    (400, "parameter_not_found", "company_id not specified", "record", "company_id"),
    (400, "parameter_missing", "Missing.", "record", ""),
    (400, "missing_parameter", "Missing.", "record", ""),
    (400, "data_invalid", "Custom attribute 'plan' must be no longer than 255 characters", "record", "plan"),
    (400, "type_mismatch", "'plan' is not of type string", "record", "plan"),
    (400, "a_code_of_the_future", "Something new.", "record", ""),
    (400, "unique_company_constraint", "Company already exists.", "wait", ""),
    (400, "scroll_exists", "scroll already exists for this workspace", "wait", ""),
    (400, "intercom_version_invalid", "Requested resource is not available in current API version", "settings", ""),
    (400, "custom_data_limit_reached", "Too many.", "settings", ""),
    (422, "custom_data_limit_reached", "Too many.", "settings", ""),
    *[(401, code, "Access Token Invalid", "settings", "") for code in (
        "unauthorized", "token_not_found", "token_revoked", "token_expired", "token_blocked", "token_suspended",
        "missing_authorization",
    )],
    (401, "token_unauthorized", "Not authorized to access resource", "settings", ""),
    (402, "action_forbidden", "Not in the plan.", "settings", ""),
    (403, "api_plan_restricted", "Active subscription needed.", "settings", ""),
    (403, "forbidden", "Not allowed.", "settings", ""),
    (403, "action_forbidden", "Not allowed.", "settings", ""),
    (404, "company_not_found", "Company Not Found", "record", ""),
    (404, "not_found", "The requested resource was not found", "record", ""),
    (404, "field_not_found", "We couldn't find that data attribute to update", "settings", ""),
    (404, "admin_not_found", "No such admin.", "record", ""),
    (405, "method_not_allowed", "No.", "settings", ""),
    (
        406, "media_type_not_acceptable", "The Accept header should send a media type of application/json",
        "settings", "",
    ),
    (
        415, "media_type_not_supported", "The Content-Type header should send a media type of application/json",
        "settings", "",
    ),
    (408, "request_timeout", "Too slow.", "wait", ""),
    (408, "server_timeout", "Too slow.", "wait", ""),
    (409, "conflict", "Taken.", "record", ""),
    (409, "resource_conflict", "Taken.", "record", ""),
    (422, "unprocessable_entity", "Can't be processed.", "record", ""),
    (422, "data_invalid", "plan is odd", "record", "plan"),
    (422, "parameter_invalid", "plan is odd", "record", "plan"),
    (422, "not_restorable", "Gone for good.", "record", ""),
    (429, "rate_limit_exceeded", "Exceeded rate limit of 167 in 10_seconds", "wait", ""),
    (429, "too_many_requests", "Busy.", "wait", ""),
    *[(status, code, "Server Error", "wait", "") for status, code in (
        (500, "server_error"), (500, "client_error"), (503, "service_unavailable"), (504, "server_timeout"), (502, ""),
    )],
]  # fmt: skip


TABLES = {"attio": ATTIO, "intercom": INTERCOM}


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF_SECONDS", 0.0)


JSON = {"Content-Type": "application/json"}
HTML = "<html>Bad gateway</html>"


def attio_body(status: int, code: str, message: str) -> Any:
    return {"status_code": status, "type": "invalid_request_error", "code": code, "message": message} if code else HTML


def intercom_body(status: int, code: str, message: str) -> Any:
    return {"type": "error.list", "request_id": "q-1", "errors": [{"code": code, "message": message}]} if code else HTML


def add_fault(sandbox: Sandbox, number: int, status: int, code: str, message: str) -> None:
    """Makes the simulator answer every write of company `number` this way; with status 429, only the first one."""
    body = (attio_body if sandbox.label == "Attio" else intercom_body)(status, code, message)
    times = 1 if status == 429 else 99
    path = "(records|companies)$"
    sandbox.faults.append(
        Fault(
            "reply", path=path, body_contains=f'"Company {number}"', times=times, status=status, body=body, headers=JSON
        )
    )


def check_message(text: str, number: int, code: str, field: str, remedy: re.Pattern[str]) -> None:
    """The message names the field and the vendor's code, says what to do, and contains no value."""
    assert field in text, text
    assert f"({code})" in text, text
    assert remedy.search(text), text
    assert f'"No. {number}"' not in text, text
    assert "sandbox-token" not in text, text


@pytest.mark.parametrize("kind", ["record", "wait"])
@pytest.mark.parametrize("service", TABLES)
def test_every_rejection_of_a_record_names_the_field_and_says_what_to_do(
    service: str, kind: str, shop: Shop, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BREAKER_FAILURES", 1_000)
    sandbox, activation = request.getfixturevalue(service), request.getfixturevalue(f"to_{service}")
    rejections = dict(enumerate([row for row in TABLES[service] if row[3] == kind], 1))
    shop.fill(len(rejections) + 1)
    for number, (status, code, message, _, _) in rejections.items():
        add_fault(sandbox, number, status, code, message.replace("No. 1", f"No. {number}"))
    done = run(activation)
    changes = {int(change.key): change for change in Change.objects.filter(run=done)}
    assert changes[len(rejections) + 1].outcome == "accepted", "rejected records don't affect the others"
    assert done.throttled == sum(status == 429 for status, *_ in rejections.values())
    for number, (status, code, _, _, field) in rejections.items():
        change = changes[number]
        if status == 429:
            assert change.outcome == "accepted", code
            continue
        assert change.outcome in (("rejected",) if kind == "record" else ("not_sent", "unknown")), code
        assert (change.code, change.field) == (code or f"http_{status}", field)
        check_message(change.message, number, change.code, field, REMEDY if kind == "record" else AGAIN)


@pytest.mark.parametrize("service", TABLES)
def test_every_rejection_because_of_settings_ends_the_run_and_says_what_to_do(
    service: str, shop: Shop, request: pytest.FixtureRequest
) -> None:
    sandbox, activation = request.getfixturevalue(service), request.getfixturevalue(f"to_{service}")
    shop.fill(1)
    for status, code, message, kind, field in TABLES[service]:
        if kind != "settings":
            continue
        sandbox.faults.clear()
        add_fault(sandbox, 1, status, code, message)
        done = run(activation)
        expected_code = "attribute_missing" if code == "value_not_found" else code
        assert (done.state, done.error_code, done.changes.get().outcome) == ("failed", expected_code, "not_sent")
        check_message(done.error_message, 1, code, field, REMEDY)
