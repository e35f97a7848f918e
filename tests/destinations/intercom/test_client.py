"""The client: rate limiting, and how it handles answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from core.errors import Misconfigured, Unavailable
from destinations.contract import Purpose
from destinations.services.intercom.client import IntercomClient, read_quota
from tests.destinations.intercom.answers import error_list
from tests.destinations.intercom.conftest import TOKEN, RecordingGate, Vendor

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_quota_includes_the_request_itself_and_ends_on_our_clock() -> None:
    reset = int(NOW.timestamp()) + 7
    headers = {"X-RateLimit-Limit": "167", "X-RateLimit-Remaining": "167", "X-RateLimit-Reset": str(reset)}
    quota = read_quota(headers, NOW)
    assert quota is not None
    assert (quota.limit, quota.remaining, quota.window_seconds) == (167, 166, 10.0)
    assert quota.reset_at == NOW + timedelta(seconds=7)


def test_wrong_local_clock_does_not_change_the_wait() -> None:
    reset = int(NOW.timestamp()) + 7
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "Date": "Sun, 01 Mar 2026 12:00:00 GMT"}
    local = NOW + timedelta(hours=3)
    quota = read_quota(headers, local)
    assert quota is not None
    assert quota.reset_at == local + timedelta(seconds=7)
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
def test_missing_or_broken_limit_headers_give_no_quota(headers: dict[str, str]) -> None:
    assert read_quota(headers, NOW) is None


def test_gate_is_waited_on_before_every_request_and_updated_after_it(
    client: IntercomClient, gate: RecordingGate, vendor: Vendor
) -> None:
    client.me()
    client.find("nobody")
    client.post({"company_id": "1"})
    assert gate.waited == [Purpose.DISCOVERY, Purpose.LOOKUP, Purpose.WRITE]
    assert [purpose for purpose, _ in gate.learned] == gate.waited
    assert {quota.limit for _, quota in gate.learned} == {1666}


def test_failed_requests_update_the_gate_too(client: IntercomClient, gate: RecordingGate, vendor: Vendor) -> None:
    with pytest.raises(Misconfigured):
        client.post({"company_id": "1", "custom_attributes": {"unknown": 1}})
    assert [purpose for purpose, _ in gate.learned] == [Purpose.WRITE]


def test_wait_for_an_exhausted_window_comes_from_the_reset_header(
    client: IntercomClient, gate: RecordingGate, vendor: Vendor
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


def test_only_an_exhausted_window_is_waited_for(client: IntercomClient, vendor: Vendor) -> None:
    headers = {"X-RateLimit-Limit": "1666", "X-RateLimit-Remaining": "1600", "X-RateLimit-Reset": "99999999999"}
    vendor.fail(action="reply", status=400, body=error_list("unique_company_constraint"), headers=headers)
    with pytest.raises(Unavailable) as caught:
        client.post({"company_id": "1"})
    assert caught.value.retry_after is None


def test_retry_after_takes_precedence_over_the_reset(client: IntercomClient, vendor: Vendor) -> None:
    headers = {"Retry-After": "3", "X-RateLimit-Reset": "99999999999", "X-RateLimit-Remaining": "0"}
    vendor.fail(action="reply", status=429, body=error_list("rate_limit_exceeded"), headers=headers)
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert caught.value.retry_after == 3.0


def test_date_in_retry_after_is_read_by_intercoms_clock(client: IntercomClient, vendor: Vendor) -> None:
    client.now = lambda: datetime.now(UTC) - timedelta(hours=1)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)
    vendor.fail(action="reply", status=429, body=error_list("rate_limit_exceeded"), headers={"Retry-After": date})
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert caught.value.retry_after == pytest.approx(7, abs=2)


def test_throttling_without_headers_leaves_the_wait_open(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", status=429, body="")
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert (caught.value.throttled, caught.value.retry_after) == (True, None)


@pytest.mark.parametrize("body", ["", "<html>Bad gateway</html>", [1]])
def test_success_without_json_is_unusable_and_ambiguous_for_writes(
    client: IntercomClient, vendor: Vendor, body: Any
) -> None:
    vendor.fail(action="reply", status=200, body=body, times=2)
    with pytest.raises(Unavailable) as caught:
        client.post({"company_id": "1"})
    assert (caught.value.code, caught.value.ambiguous) == ("unusable_answer", True)
    with pytest.raises(Unavailable) as caught:
        client.me()
    assert not caught.value.ambiguous


def test_success_without_a_company_is_unusable(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", status=200, body={"type": "list", "data": []})
    with pytest.raises(Unavailable):
        client.post({"company_id": "1"})


@pytest.mark.parametrize(("action", "code"), [("cut", "connection_cut"), ("cut_after", "connection_cut")])
def test_closed_connection_is_ambiguous_for_writes_only(
    client: IntercomClient, vendor: Vendor, action: str, code: str
) -> None:
    vendor.fail(action=action, times=2)
    with pytest.raises(Unavailable) as caught:
        client.post({"company_id": "1"})
    assert (caught.value.code, caught.value.ambiguous) == (code, True)
    with pytest.raises(Unavailable) as caught:
        client.find("1")
    assert not caught.value.ambiguous


def test_html_404_does_not_mean_that_the_company_is_gone(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", status=404, body="<html>nginx</html>", times=2)
    with pytest.raises(Unavailable):
        client.find("1")
    with pytest.raises(Unavailable):
        client.put("6762f0761bb69f9f2193bae2", {"name": "x"})


@pytest.mark.parametrize("code", ["company_not_found", "not_found"])
def test_both_codes_for_a_missing_company_are_recognized(client: IntercomClient, vendor: Vendor, code: str) -> None:
    vendor.fail(action="reply", status=404, body=error_list(code, "Company Not Found"), times=2)
    assert client.find("1") is None
    assert client.put("6762f0761bb69f9f2193bae2", {"name": "x"}) is None


def test_token_revoked_during_a_run_is_misconfigured(client: IntercomClient, vendor: Vendor) -> None:
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
def test_missing_permission_is_named(client: IntercomClient, vendor: Vendor, scope: str, call: Any) -> None:
    vendor.switch(missing_scopes=[scope])
    with pytest.raises(Misconfigured, match=scope):
        call(client)
