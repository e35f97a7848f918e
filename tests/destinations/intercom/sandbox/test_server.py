"""The simulator in general: tokens, permissions, versions, limits, `GET /me` and its control endpoints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from tests.destinations.intercom.conftest import TOKEN
from tests.destinations.intercom.sandbox.answers import created, error_of

if TYPE_CHECKING:
    from tests.destinations.intercom.conftest import Vendor


class TestEveryCall:
    @pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
    def test_requires_the_token_and_hides_the_limit_without_it(self, vendor: Vendor, value: str) -> None:
        response = vendor.call("GET", "/me", headers={"Authorization": value})
        assert error_of(response) == (401, "unauthorized", "Access Token Invalid")
        assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]

    def test_requires_the_permission(self, vendor: Vendor) -> None:
        vendor.switch(missing_scopes=["Write users and companies"])
        expected = (401, "token_unauthorized", "Not authorized to access resource")
        assert error_of(vendor.call("POST", "/companies", {"company_id": "1"})) == expected
        assert error_of(vendor.call("PUT", "/companies/1", {})) == expected
        assert vendor.call("GET", "/me").status_code == 200

    def test_requires_the_plan(self, vendor: Vendor) -> None:
        vendor.switch(plan_restricted=True)
        assert error_of(vendor.call("GET", "/me")) == (403, "api_plan_restricted", "Active subscription needed.")

    def test_returns_the_version_and_rejects_an_unknown_one(self, vendor: Vendor) -> None:
        assert vendor.call("GET", "/me", headers={"Intercom-Version": "2.11"}).headers["Intercom-Version"] == "2.11"
        unknown = vendor.call("GET", "/me", headers={"Intercom-Version": "2.99"})
        assert error_of(unknown) == (
            400,
            "intercom_version_invalid",
            "Requested resource is not available in current API version",
        )

    def test_uses_the_version_of_the_app_if_none_is_given(self, vendor: Vendor) -> None:
        vendor.switch(app_version="2.4")
        assert vendor.call("GET", "/me", headers={"Intercom-Version": ""}).headers["Intercom-Version"] == "2.4"

    def test_accepts_and_returns_only_json(self, vendor: Vendor) -> None:
        html = vendor.call("GET", "/me", headers={"Accept": "text/html"})
        text = "The Accept header should send a media type of application/json"
        assert error_of(html) == (406, "media_type_not_acceptable", text)
        sent = requests.post(
            f"{vendor.url}/companies",
            data="a=1",
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"},
            timeout=10,
        )
        assert sent.status_code == 415

    @pytest.mark.parametrize("body", ["{broken", "[]", '"text"'])
    def test_rejects_a_body_that_is_not_a_json_object(self, vendor: Vendor, body: str) -> None:
        response = vendor.call("POST", "/companies", data=body, headers={"Content-Type": "application/json"})
        assert error_of(response)[:2] == (400, "parameter_invalid")

    @pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/me"), ("PATCH", "/companies/1")])
    def test_answers_404_for_unknown_paths_and_methods(self, vendor: Vendor, method: str, path: str) -> None:
        assert error_of(vendor.call(method, path))[:2] == (404, "not_found")

    def test_can_count_searches_separately(self, vendor: Vendor) -> None:
        query = {"query": {"field": "email", "operator": "=", "value": "a@b.com"}}
        vendor.switch(search_limit_per_window=1, window_seconds=3600)
        first, second = (vendor.call("POST", "/contacts/search", query) for _ in range(2))
        assert (first.status_code, first.headers["X-RateLimit-Limit"], error_of(second)[:2]) == (
            200,
            "1",
            (429, "rate_limit_exceeded"),
        )
        assert vendor.call("GET", "/me").headers["X-RateLimit-Limit"] == "1666"

    def test_counts_in_windows_of_ten_seconds(self, vendor: Vendor) -> None:
        now = 1_700_000_003.5
        vendor.sandbox.clock = lambda: now
        vendor.switch(rate_limit_per_window=2)
        first, second, third = (vendor.call("GET", "/me") for _ in range(3))
        headers = [
            {name: response.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")}
            for response in (first, third)
        ]
        assert headers == [
            {"Limit": "2", "Remaining": "2", "Reset": "1700000010"},
            {"Limit": "2", "Remaining": "0", "Reset": "1700000010"},
        ]
        assert second.headers["X-RateLimit-Remaining"] == "1"
        assert error_of(third) == (429, "rate_limit_exceeded", "Exceeded rate limit of 2 in 10_seconds")
        assert "Retry-After" not in third.headers
        now += 7
        assert vendor.call("GET", "/me").status_code == 200

    def test_counts_requests_that_fail(self, vendor: Vendor) -> None:
        vendor.sandbox.clock = lambda: 1_700_000_000.0
        vendor.call("GET", "/companies/unknown")
        assert vendor.call("GET", "/me").headers["X-RateLimit-Remaining"] == "1665"

    def test_has_no_limit_if_it_is_set_to_zero(self, vendor: Vendor) -> None:
        vendor.switch(rate_limit_per_window=0)
        remaining = {vendor.call("GET", "/me").headers["X-RateLimit-Remaining"] for _ in range(3)}
        assert remaining == {"1000000"}

    def test_applies_faults_first(self, vendor: Vendor) -> None:
        vendor.fail(action="reply", status=404, body="<html>nginx</html>")
        response = vendor.call("GET", "/companies/unknown")
        assert (response.status_code, response.text) == (404, "<html>nginx</html>")


def test_me_returns_the_admin_and_the_workspace(vendor: Vendor) -> None:
    vendor.switch(region="AU", timezone="Australia/Sydney")
    admin = vendor.call("GET", "/me").json()
    assert set(admin) == {"type", "id", "email", "name", "email_verified", "app", "avatar", "has_inbox_seat"}
    assert set(admin["app"]) == {
        "type",
        "id_code",
        "name",
        "created_at",
        "secure",
        "identity_verification",
        "timezone",
        "region",
    }
    assert (admin["app"]["region"], admin["app"]["timezone"]) == ("AU", "Australia/Sydney")


class TestControl:
    def test_switches_preload_records_that_state_returns(self, vendor: Vendor) -> None:
        vendor.switch(companies=[{"company_id": "c1", "name": "A", "plan": "Pro"}], data_attributes=[{"name": "seats"}])
        vendor.switch(companies=[{"company_id": "c1", "name": "B"}])
        state = requests.get(f"{vendor.url}/_sandbox/state", timeout=10).json()
        assert set(state) == {"companies", "contacts", "data_attributes"}
        assert [(company["name"], company["plan"]["name"]) for company in state["companies"]] == [("B", "Pro")]
        assert [attribute["name"] for attribute in state["data_attributes"]] == ["seats"]

    def test_reset_empties_the_workspace_and_keeps_the_switches(self, vendor: Vendor) -> None:
        created(vendor)
        vendor.switch(region="EU")
        requests.post(f"{vendor.url}/_sandbox/reset", timeout=10)
        assert vendor.sandbox.state() == {"companies": [], "contacts": [], "data_attributes": []}
        assert vendor.call("GET", "/me").json()["app"]["region"] == "EU"

    def test_lookups_stay_fast_with_twenty_thousand_companies(self, vendor: Vendor) -> None:
        vendor.switch(companies=[{"company_id": f"p{number}", "name": f"Company {number}"} for number in range(20_000)])
        companies = vendor.sandbox.companies
        start = time.perf_counter()
        for number in range(5_000):
            company = companies.find(f"p{number}")
            assert company is not None
            companies.save(f"p{number}", {"name": "New"}, 1_700_000_000)
            companies.apply(companies.get(company["id"]), {"size": 1}, 1_700_000_000)
        # With linear searches, this would take more than a minute.
        assert time.perf_counter() - start < 5
        assert len(vendor.sandbox.state()["companies"]) == 20_000
