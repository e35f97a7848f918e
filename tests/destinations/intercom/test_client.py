"""What the client makes of answers: pace, and errors typed by what happens next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.contract import Purpose
from destinations.services.intercom import error_answer, errors
from destinations.services.intercom.client import IntercomClient, read_quota
from tests.destinations.intercom.conftest import TOKEN, NotingGate, Vendor

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
WAIT, CONFIG, RECORD = Unavailable, Misconfigured, Rejected


def error_list(code: str, message: str = "Told so", **more: Any) -> dict[str, Any]:
    return {"type": "error.list", "request_id": "req-1", "errors": [{"code": code, "message": message, **more}]}


def problem(status: int, body: Any, call: str = "POST /companies") -> Problem:
    return errors.problem(error_answer.parse(call, status, body))


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
def test_every_status_and_code_says_what_happens_next(status: int, code: str, kind: type[Problem]) -> None:
    found = problem(status, error_list(code))
    assert type(found) is kind
    assert found.code == code


@pytest.mark.parametrize(
    ("message", "named"),
    [("bad 'test' parameter", "test"), ("Custom attribute 'isOpenSource' does not exist", "isOpenSource")],
)
def test_what_would_refuse_every_record_is_a_matter_of_configuration(message: str, named: str) -> None:
    found = problem(400, error_list("parameter_invalid", message))
    assert isinstance(found, Misconfigured)
    assert found.where == named
    assert message in found.message


@pytest.mark.parametrize("status", [400, 402, 403, 404, 408, 422, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [None, [], "text"])
def test_an_answer_that_is_not_intercoms_is_waited_out(status: int, body: Any) -> None:
    found = problem(status, body)
    assert isinstance(found, Unavailable)
    assert found.ambiguous
    assert found.code == f"http_{status}"


def test_a_refusal_without_a_body_is_still_a_refused_token() -> None:
    assert isinstance(problem(401, None), Misconfigured)


def test_a_redirect_is_a_matter_of_the_address() -> None:
    found = problem(302, None)
    assert isinstance(found, Misconfigured)
    assert "redirect" in found.message


def test_only_writes_are_ambiguous() -> None:
    write, read = problem(500, error_list("server_error")), problem(500, error_list("server_error"), "GET /companies")
    assert isinstance(write, Unavailable)
    assert isinstance(read, Unavailable)
    assert (write.ambiguous, read.ambiguous) == (True, False)


@pytest.mark.parametrize("code", ["unique_company_constraint", "scroll_exists"])
def test_what_was_refused_unprocessed_is_not_ambiguous(code: str) -> None:
    found = problem(400, error_list(code))
    assert isinstance(found, Unavailable)
    assert not found.ambiguous


def test_a_refusal_of_no_single_company_is_a_matter_of_configuration() -> None:
    assert isinstance(problem(422, error_list("parameter_invalid"), "GET /data_attributes"), Misconfigured)


def test_a_rejection_carries_code_message_field_and_request_id() -> None:
    found = problem(422, error_list("data_invalid", "size is odd", field="size"))
    assert isinstance(found, Rejected)
    assert (found.code, found.field, found.request_id) == ("data_invalid", "size", "req-1")
    assert "size is odd" in found.message


def test_several_errors_are_all_told() -> None:
    body = {"errors": [{"code": "data_invalid", "message": "one"}, {"code": "data_invalid", "message": "two"}, "odd"]}
    assert "one two (data_invalid)" in problem(422, body).message


@pytest.mark.parametrize(
    "body", [{}, {"errors": None}, {"errors": [None]}, {"errors": [{"message": None}]}, {"errors": [{"code": 7}]}]
)
def test_an_incomplete_error_list_still_makes_an_error(body: Any) -> None:
    found = problem(422, body)
    assert isinstance(found, Rejected)
    assert found.code == "http_422"


def test_values_of_the_record_never_reach_the_message() -> None:
    sent = {
        "company_id": "acme-42",
        "name": "Ada Lovelace Ltd",
        "size": 1234567,
        "custom_attributes": {"tier": "tier", "vip": True},
    }
    said = "ada lovelace ltd (acme-42) has 1234567 in 'tier' and 'size'"
    refusal = error_answer.parse("POST /companies", 422, error_list("data_invalid", said), sent=sent)
    assert "[value] ([value]) has [value] in 'tier' and 'size'" in errors.problem(refusal).message


def test_a_value_that_is_a_word_of_the_text_does_not_hide_its_meaning() -> None:
    body = error_list("parameter_invalid", "Custom attribute 'seats' does not exist")
    refusal = error_answer.parse(
        "POST /companies", 400, body, sent={"name": "Custom attribute", "custom_attributes": {"seats": 3}}
    )
    assert isinstance(errors.problem(refusal), Misconfigured)


def test_the_quota_counts_the_request_itself_and_the_window_on_our_clock() -> None:
    reset = int(NOW.timestamp()) + 7
    headers = {"X-RateLimit-Limit": "167", "X-RateLimit-Remaining": "167", "X-RateLimit-Reset": str(reset)}
    quota = read_quota(headers, NOW)
    assert quota is not None
    assert (quota.limit, quota.remaining, quota.window_seconds) == (167, 166, 10.0)
    assert quota.reset_at == NOW + timedelta(seconds=7)


def test_a_wrong_clock_of_ours_does_not_change_how_long_we_wait() -> None:
    reset = int(NOW.timestamp()) + 7
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "Date": "Sun, 01 Mar 2026 12:00:00 GMT"}
    ours = NOW + timedelta(hours=3)
    quota = read_quota(headers, ours)
    assert quota is not None
    assert quota.reset_at == ours + timedelta(seconds=7)
    assert quota.remaining == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Remaining": "5"},
        {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "1"},
        {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "9" * 30},
    ],
)
def test_missing_or_broken_limit_headers_teach_nothing(headers: dict[str, str]) -> None:
    assert read_quota(headers, NOW) is None


def test_the_gate_is_waited_at_before_and_taught_after_every_request(
    client: IntercomClient, gate: NotingGate, vendor: Vendor
) -> None:
    client.me()
    client.find("nobody")
    client.post({"company_id": "1"})
    assert gate.waited == [Purpose.DISCOVERY, Purpose.LOOKUP, Purpose.WRITE]
    assert [purpose for purpose, _ in gate.learned] == gate.waited
    assert {quota.limit for _, quota in gate.learned} == {1666}


def test_refused_requests_teach_the_gate_too(client: IntercomClient, gate: NotingGate, vendor: Vendor) -> None:
    with pytest.raises(Misconfigured):
        client.post({"company_id": "1", "custom_attributes": {"unknown": 1}})
    assert [purpose for purpose, _ in gate.learned] == [Purpose.WRITE]


def test_a_used_up_window_says_how_long_to_wait_from_the_reset_alone(
    client: IntercomClient, gate: NotingGate, vendor: Vendor
) -> None:
    vendor.sandbox.clock = lambda: datetime.now(UTC).timestamp() // 10 * 10 + 4
    vendor.switch(rate_limit_per_window=1)
    client.me()
    with pytest.raises(Unavailable) as caught:
        client.post({"company_id": "1"})
    assert (caught.value.code, caught.value.throttled, caught.value.ambiguous) == ("rate_limit_exceeded", True, False)
    assert caught.value.retry_after is not None
    assert 0 <= caught.value.retry_after <= 10
    assert gate.learned[-1][1].remaining == 0


def test_only_a_used_up_window_is_waited_for(client: IntercomClient, vendor: Vendor) -> None:
    headers = {"X-RateLimit-Limit": "1666", "X-RateLimit-Remaining": "1600", "X-RateLimit-Reset": "99999999999"}
    vendor.fail(action="reply", status=400, body=error_list("unique_company_constraint"), headers=headers)
    with pytest.raises(Unavailable) as caught:
        client.post({"company_id": "1"})
    assert caught.value.retry_after is None


def test_retry_after_wins_over_the_reset(client: IntercomClient, vendor: Vendor) -> None:
    headers = {"Retry-After": "3", "X-RateLimit-Reset": "99999999999", "X-RateLimit-Remaining": "0"}
    vendor.fail(action="reply", status=429, body=error_list("rate_limit_exceeded"), headers=headers)
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert caught.value.retry_after == 3.0


def test_a_date_to_retry_after_is_read_by_intercoms_clock(client: IntercomClient, vendor: Vendor) -> None:
    client.now = lambda: datetime.now(UTC) - timedelta(hours=1)
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)
    vendor.fail(action="reply", status=429, body=error_list("rate_limit_exceeded"), headers={"Retry-After": moment})
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert caught.value.retry_after == pytest.approx(7, abs=2)


def test_throttling_without_any_header_leaves_the_wait_open(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", status=429, body="")
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert (caught.value.throttled, caught.value.retry_after) == (True, None)


@pytest.mark.parametrize("body", ["", "<html>Bad gateway</html>", [1]])
def test_a_success_without_json_is_unusable_and_may_have_written(
    client: IntercomClient, vendor: Vendor, body: Any
) -> None:
    vendor.fail(action="reply", status=200, body=body, times=2)
    with pytest.raises(Unavailable) as caught:
        client.post({"company_id": "1"})
    assert (caught.value.code, caught.value.ambiguous) == ("unusable_answer", True)
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert not caught.value.ambiguous


def test_a_success_that_is_no_company_is_unusable(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", status=200, body={"type": "list", "data": []})
    with pytest.raises(Unavailable):
        client.post({"company_id": "1"})


@pytest.mark.parametrize(("action", "code"), [("cut", "connection_cut"), ("cut_after", "connection_cut")])
def test_a_cut_connection_is_ambiguous_for_writes_only(
    client: IntercomClient, vendor: Vendor, action: str, code: str
) -> None:
    vendor.fail(action=action, times=2)
    with pytest.raises(Unavailable) as caught:
        client.post({"company_id": "1"})
    assert (caught.value.code, caught.value.ambiguous) == (code, True)
    with pytest.raises(Unavailable) as caught:
        client.find("1")
    assert not caught.value.ambiguous


def test_an_html_404_does_not_mean_that_the_company_is_gone(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", status=404, body="<html>nginx</html>", times=2)
    with pytest.raises(Unavailable):
        client.find("1")
    with pytest.raises(Unavailable):
        client.put("6762f0761bb69f9f2193bae2", {"name": "x"})


@pytest.mark.parametrize("code", ["company_not_found", "not_found"])
def test_both_codes_of_a_missing_company_are_understood(client: IntercomClient, vendor: Vendor, code: str) -> None:
    vendor.fail(action="reply", status=404, body=error_list(code, "Company Not Found"), times=2)
    assert client.find("1") is None
    assert client.put("6762f0761bb69f9f2193bae2", {"name": "x"}) is None


def test_a_token_revoked_on_the_way_stops_everything(client: IntercomClient, vendor: Vendor) -> None:
    client.post({"company_id": "1"})
    vendor.switch(token_error="token_revoked")
    with pytest.raises(Misconfigured) as caught:
        client.post({"company_id": "2"})
    assert (caught.value.code, caught.value.where) == ("token_revoked", "token")
    assert TOKEN not in caught.value.message + caught.value.detail


@pytest.mark.parametrize(
    ("scope", "call"),
    [
        ("Write users and companies", lambda client: client.post({"company_id": "1"})),
        ("Write users and companies", lambda client: client.put("6762f0761bb69f9f2193bae2", {"name": "x"})),
        ("Read one user and one company", lambda client: client.find("1")),
        ("Read and list users and companies", lambda client: client.attributes("company")),
        ("Write data attributes", lambda client: client.create_attribute("tier", "string", "company")),
    ],
)
def test_the_permission_that_a_call_lacks_is_named(
    client: IntercomClient, vendor: Vendor, scope: str, call: Any
) -> None:
    vendor.switch(missing_scopes=[scope])
    with pytest.raises(Misconfigured, match=scope):
        call(client)
