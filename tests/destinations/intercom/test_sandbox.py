"""The simulator answers as Intercom does: shapes, texts, state, limits, and a switch for each open question."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import requests

from tests.destinations.intercom.conftest import TOKEN, Vendor

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def refusal(response: requests.Response) -> tuple[int, str, str]:
    """Status, code and text, after the envelope was compared with Intercom's."""
    found = response.json()
    assert set(found) == {"type", "request_id", "errors"}
    assert found["type"] == "error.list"
    assert UUID.fullmatch(found["request_id"])
    assert response.headers["X-Request-Id"] == found["request_id"]
    (error,) = found["errors"]
    return response.status_code, error["code"], error["message"]


def made(vendor: Vendor, company_id: Any = "c1", **values: Any) -> dict[str, Any]:
    response = vendor.call("POST", "/companies", {"company_id": company_id, **values})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


NOT_FOUND = (404, "company_not_found", "Company Not Found")


class TestEveryCall:
    @pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
    def test_needs_the_token_and_says_nothing_of_the_limit_without_it(self, vendor: Vendor, value: str) -> None:
        response = vendor.call("GET", "/me", headers={"Authorization": value})
        assert refusal(response) == (401, "unauthorized", "Access Token Invalid")
        assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]

    def test_needs_the_permission(self, vendor: Vendor) -> None:
        vendor.switch(missing_scopes=["Write users and companies"])
        expected = (401, "token_unauthorized", "Not authorized to access resource")
        assert refusal(vendor.call("POST", "/companies", {"company_id": "1"})) == expected
        assert refusal(vendor.call("PUT", "/companies/1", {})) == expected
        assert vendor.call("GET", "/me").status_code == 200

    def test_needs_the_plan(self, vendor: Vendor) -> None:
        vendor.switch(plan_restricted=True)
        assert refusal(vendor.call("GET", "/me")) == (403, "api_plan_restricted", "Active subscription needed.")

    def test_echoes_the_version_and_refuses_an_unknown_one(self, vendor: Vendor) -> None:
        assert vendor.call("GET", "/me", headers={"Intercom-Version": "2.11"}).headers["Intercom-Version"] == "2.11"
        unknown = vendor.call("GET", "/me", headers={"Intercom-Version": "2.99"})
        assert refusal(unknown) == (
            400,
            "intercom_version_invalid",
            "Requested resource is not available in current API version",
        )

    def test_takes_the_version_of_the_app_where_none_is_named(self, vendor: Vendor) -> None:
        vendor.switch(app_version="2.4")
        assert vendor.call("GET", "/me", headers={"Intercom-Version": ""}).headers["Intercom-Version"] == "2.4"

    def test_speaks_json_only(self, vendor: Vendor) -> None:
        odd = vendor.call("GET", "/me", headers={"Accept": "text/html"})
        text = "The Accept header should send a media type of application/json"
        assert refusal(odd) == (406, "media_type_not_acceptable", text)
        sent = requests.post(
            f"{vendor.url}/companies",
            data="a=1",
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"},
            timeout=10,
        )
        assert sent.status_code == 415

    @pytest.mark.parametrize("body", ["{broken", "[]", '"text"'])
    def test_refuses_a_body_that_is_no_json_object(self, vendor: Vendor, body: str) -> None:
        response = vendor.call("POST", "/companies", data=body, headers={"Content-Type": "application/json"})
        assert refusal(response)[:2] == (400, "parameter_invalid")

    @pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/me"), ("PATCH", "/companies/1")])
    def test_does_not_find_unknown_paths_and_methods(self, vendor: Vendor, method: str, path: str) -> None:
        assert refusal(vendor.call(method, path))[:2] == (404, "not_found")

    def test_may_count_searches_apart(self, vendor: Vendor) -> None:
        query = {"query": {"field": "email", "operator": "=", "value": "a@b.com"}}
        vendor.switch(search_limit_per_window=1, window_seconds=3600)
        first, second = (vendor.call("POST", "/contacts/search", query) for _ in range(2))
        assert (first.status_code, first.headers["X-RateLimit-Limit"], refusal(second)[:2]) == (
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
        said = [
            {name: response.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")}
            for response in (first, third)
        ]
        assert said == [
            {"Limit": "2", "Remaining": "2", "Reset": "1700000010"},
            {"Limit": "2", "Remaining": "0", "Reset": "1700000010"},
        ]
        assert second.headers["X-RateLimit-Remaining"] == "1"
        assert refusal(third) == (429, "rate_limit_exceeded", "Exceeded rate limit of 2 in 10_seconds")
        assert "Retry-After" not in third.headers
        now += 7
        assert vendor.call("GET", "/me").status_code == 200

    def test_a_refusal_is_counted_too(self, vendor: Vendor) -> None:
        vendor.sandbox.clock = lambda: 1_700_000_000.0
        vendor.call("GET", "/companies/unknown")
        assert vendor.call("GET", "/me").headers["X-RateLimit-Remaining"] == "1665"

    def test_a_limit_of_zero_is_none(self, vendor: Vendor) -> None:
        vendor.switch(rate_limit_per_window=0)
        remaining = {vendor.call("GET", "/me").headers["X-RateLimit-Remaining"] for _ in range(3)}
        assert remaining == {"1000000"}

    def test_faults_come_before_everything(self, vendor: Vendor) -> None:
        vendor.fail(action="reply", status=404, body="<html>nginx</html>")
        response = vendor.call("GET", "/companies/unknown")
        assert (response.status_code, response.text) == (404, "<html>nginx</html>")


def test_me_is_the_admin_with_the_workspace(vendor: Vendor) -> None:
    vendor.switch(region="AU", timezone="Australia/Sydney")
    found = vendor.call("GET", "/me").json()
    assert set(found) == {"type", "id", "email", "name", "email_verified", "app", "avatar", "has_inbox_seat"}
    assert set(found["app"]) == {
        "type",
        "id_code",
        "name",
        "created_at",
        "secure",
        "identity_verification",
        "timezone",
        "region",
    }
    assert (found["app"]["region"], found["app"]["timezone"]) == ("AU", "Australia/Sydney")


class TestPostCompanies:
    def test_creates_with_the_shape_of_intercom(self, vendor: Vendor) -> None:
        company = made(vendor)
        assert re.fullmatch("[0-9a-f]{24}", company["id"])
        assert company["created_at"] == company["updated_at"]
        assert {key: value for key, value in company.items() if key not in ("id", "created_at", "updated_at")} == {
            "type": "company",
            "company_id": "c1",
            "app_id": "sandbox1",
            "monthly_spend": 0,
            "session_count": 0,
            "user_count": 0,
            "plan": {},
            "tags": {"type": "tag.list", "tags": []},
            "segments": {"type": "segment.list", "segments": []},
            "custom_attributes": {"creation_source": "api"},
        }

    def test_updates_by_company_id_and_leaves_the_rest(self, vendor: Vendor) -> None:
        first = made(vendor, name="A", size=3, plan="Pro")
        second = made(vendor, name="B", plan="Basic")
        assert second["id"] == first["id"]
        assert (second["name"], second["size"], second["plan"]["name"]) == ("B", 3, "Basic")
        assert first["plan"]["id"] != second["plan"]["id"]
        assert made(vendor, "c2", plan="Pro")["plan"] == {"type": "plan", "id": first["plan"]["id"], "name": "Pro"}

    def test_returns_a_number_as_text(self, vendor: Vendor) -> None:
        assert made(vendor, 4)["company_id"] == "4"
        assert made(vendor, "4", name="A")["id"] == made(vendor, 4)["id"]

    @pytest.mark.parametrize("key", ["test", "type", "id", "user_count", "created_at", "tags"])
    def test_refuses_unknown_and_read_only_keys(self, vendor: Vendor, key: str) -> None:
        response = vendor.call("POST", "/companies", {"company_id": "1", key: "x"})
        assert refusal(response) == (400, "bad_request", f"bad '{key}' parameter")
        assert vendor.sandbox.state()["companies"] == []

    @pytest.mark.parametrize("body", [{}, {"company_id": None}, {"company_id": ""}])
    def test_refuses_a_missing_company_id_in_both_ways(self, vendor: Vendor, body: dict[str, Any]) -> None:
        assert refusal(vendor.call("POST", "/companies", body))[:2] == (400, "parameter_not_found")
        vendor.switch(missing_company_id="company_not_found")
        assert refusal(vendor.call("POST", "/companies", body)) == NOT_FOUND

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"plan": {"name": "Pro"}}, "bad_request"),
            ({"custom_attributes": ["a"]}, "bad_request"),
            ({"name": 5}, "type_mismatch"),
            ({"size": "5"}, "type_mismatch"),
            ({"size": True}, "type_mismatch"),
            ({"remote_created_at": "2024-01-31"}, "type_mismatch"),
            ({"update_last_request_at": 1}, "type_mismatch"),
            ({"monthly_spend": "5"}, "type_mismatch"),
            ({"monthly_spend": 2147483648}, "parameter_invalid"),
            ({"company_id": True}, "parameter_invalid"),
        ],
    )
    def test_refuses_values_of_the_wrong_type(self, vendor: Vendor, values: dict[str, Any], code: str) -> None:
        assert refusal(vendor.call("POST", "/companies", {"company_id": "1", **values}))[:2] == (400, code)

    def test_cuts_cents_off_monthly_spend(self, vendor: Vendor) -> None:
        assert made(vendor, monthly_spend=155.98)["monthly_spend"] == 155
        assert made(vendor, monthly_spend=2147483647)["monthly_spend"] == 2147483647

    def test_takes_the_last_seen_flag_from_2_16_on(self, vendor: Vendor) -> None:
        assert made(vendor, update_last_request_at=True)["last_request_at"] == pytest.approx(time.time(), abs=5)
        old = vendor.call(
            "POST",
            "/companies",
            {"company_id": "1", "update_last_request_at": True},
            headers={"Intercom-Version": "2.15"},
        )
        assert refusal(old) == (400, "bad_request", "bad 'update_last_request_at' parameter")

    def test_refuses_an_unknown_or_archived_custom_attribute_and_stores_nothing(self, vendor: Vendor) -> None:
        vendor.switch(data_attributes=[{"name": "gone", "archived": True}, {"name": "theirs", "model": "contact"}])
        for name in ("isOpenSource", "gone", "theirs"):
            response = vendor.call(
                "POST", "/companies", {"company_id": "1", "name": "A", "custom_attributes": {name: "x"}}
            )
            assert refusal(response) == (400, "parameter_invalid", f"Custom attribute '{name}' does not exist")
        assert vendor.sandbox.state()["companies"] == []

    @pytest.mark.parametrize(
        ("kind", "good", "bad"),
        [
            ("string", "x", 5),
            ("integer", 5, "5"),
            ("integer", 5, 5.5),
            ("integer", 5, True),
            ("float", 5.5, "5.5"),
            ("boolean", True, 1),
            ("date", 1706659200, "2024-01-31"),
            ("string", "x", ["x"]),
            ("string", "x", {"x": 1}),
        ],
    )
    def test_checks_custom_values_by_their_type(self, vendor: Vendor, kind: str, good: Any, bad: Any) -> None:
        vendor.switch(data_attributes=[{"name": "thing", "data_type": kind}])
        assert made(vendor, custom_attributes={"thing": good})["custom_attributes"]["thing"] == good
        assert (
            vendor.call("POST", "/companies", {"company_id": "c1", "custom_attributes": {"thing": bad}}).status_code
            == 400
        )
        stored = vendor.company("c1")
        assert stored is not None
        assert stored["custom_attributes"]["thing"] == good

    @pytest.mark.parametrize(
        ("switch", "status", "length"), [("refuse", 422, 0), ("truncate", 200, 255), ("keep", 200, 300)]
    )
    def test_long_texts_are_refused_cut_or_kept(self, vendor: Vendor, switch: str, status: int, length: int) -> None:
        vendor.switch(data_attributes=[{"name": "motto"}], long_strings=switch)
        response = vendor.call("POST", "/companies", {"company_id": "1", "custom_attributes": {"motto": "x" * 300}})
        assert response.status_code == status
        if length:
            assert len(response.json()["custom_attributes"]["motto"]) == length

    @pytest.mark.parametrize(("enforce", "status"), [(True, 400), (False, 200)])
    def test_options_are_enforced_or_not(self, vendor: Vendor, enforce: bool, status: int) -> None:
        vendor.switch(data_attributes=[{"name": "tier", "options": ["a", "b"]}], enforce_options=enforce)
        assert made(vendor, custom_attributes={"tier": "a"})["custom_attributes"]["tier"] == "a"
        assert (
            vendor.call("POST", "/companies", {"company_id": "1", "custom_attributes": {"tier": "c"}}).status_code
            == status
        )

    @pytest.mark.parametrize("clears", [True, False])
    def test_null_clears_or_is_passed_over(self, vendor: Vendor, clears: bool) -> None:
        vendor.switch(data_attributes=[{"name": "motto"}], null_clears=clears)
        made(vendor, name="A", plan="Pro", monthly_spend=5, custom_attributes={"motto": "x"})
        after = made(vendor, name=None, plan=None, monthly_spend=None, custom_attributes={"motto": None})
        held = (
            after.get("name"),
            after["plan"].get("name"),
            after["monthly_spend"],
            after["custom_attributes"]["motto"],
        )
        assert held == ((None, None, 0, None) if clears else ("A", "Pro", 5, "x"))

    def test_a_second_create_within_the_race_is_refused(self, vendor: Vendor) -> None:
        vendor.switch(unique_race_seconds=30)
        made(vendor)
        again = vendor.call("POST", "/companies", {"company_id": "c1"})
        assert refusal(again) == (400, "unique_company_constraint", "Company already exists.")

    def test_the_source_of_creation_can_be_left_off(self, vendor: Vendor) -> None:
        vendor.switch(creation_source=False)
        assert made(vendor)["custom_attributes"] == {}


class TestOneCompany:
    def test_put_updates_by_intercoms_id(self, vendor: Vendor) -> None:
        company = made(vendor, name="A", size=3)
        vendor.sandbox.clock = lambda: company["created_at"] + 60.0
        after = vendor.call("PUT", f"/companies/{company['id']}", {"name": "B"}).json()
        assert after == {**company, "name": "B", "updated_at": company["created_at"] + 60}

    def test_put_never_creates_and_does_not_know_the_callers_id(self, vendor: Vendor) -> None:
        made(vendor)
        assert refusal(vendor.call("PUT", "/companies/c1", {"name": "B"})) == NOT_FOUND
        assert len(vendor.sandbox.state()["companies"]) == 1

    def test_put_takes_no_company_id(self, vendor: Vendor) -> None:
        company = made(vendor)
        response = vendor.call("PUT", f"/companies/{company['id']}", {"company_id": "c2"})
        assert refusal(response) == (400, "bad_request", "bad 'company_id' parameter")

    @pytest.mark.parametrize(("switch", "held"), [("accept", 5), ("ignore", 1), ("refuse", 1)])
    def test_put_with_remote_created_at_is_taken_passed_over_or_refused(
        self, vendor: Vendor, switch: str, held: int
    ) -> None:
        vendor.switch(put_remote_created_at=switch)
        company = made(vendor, remote_created_at=1)
        response = vendor.call("PUT", f"/companies/{company['id']}", {"remote_created_at": 5})
        assert (response.status_code == 400) is (switch == "refuse")
        stored = vendor.company("c1")
        assert stored is not None
        assert stored["remote_created_at"] == held

    def test_get_by_either_id_returns_the_company_itself(self, vendor: Vendor) -> None:
        company = made(vendor, "a b:c")
        assert vendor.call("GET", "/companies", params={"company_id": "a b:c"}).json() == company
        assert vendor.call("GET", f"/companies/{company['id']}").json() == company
        assert refusal(vendor.call("GET", "/companies", params={"company_id": "A B:C"})) == NOT_FOUND
        assert refusal(vendor.call("GET", "/companies/a")) == NOT_FOUND

    def test_a_name_is_found_for_visible_companies_or_never(self, vendor: Vendor) -> None:
        made(vendor, name="Hidden")
        vendor.switch(companies=[{"company_id": "c2", "name": "Shown", "user_count": 1}])
        assert refusal(vendor.call("GET", "/companies?name=Hidden")) == NOT_FOUND
        assert vendor.call("GET", "/companies?name=Shown").json()["company_id"] == "c2"
        vendor.switch(find_by_name="never")
        assert refusal(vendor.call("GET", "/companies?name=Shown")) == NOT_FOUND

    def test_delete_archives_it(self, vendor: Vendor) -> None:
        company = made(vendor)
        vendor.switch(contacts=["p1"])
        vendor.call("POST", "/contacts/p1/companies", {"id": company["id"]})
        assert vendor.call("DELETE", f"/companies/{company['id']}").json() == {
            "id": company["id"],
            "object": "company",
            "deleted": True,
        }
        assert refusal(vendor.call("GET", f"/companies/{company['id']}")) == NOT_FOUND
        assert refusal(vendor.call("GET", "/companies?company_id=c1")) == NOT_FOUND
        assert refusal(vendor.call("DELETE", f"/companies/{company['id']}")) == NOT_FOUND
        assert vendor.call("GET", "/contacts/p1/companies").json()["data"] == []

    @pytest.mark.parametrize(("switch", "same"), [("new", False), ("restore", True)])
    def test_a_deleted_company_comes_back_as_another_or_as_itself(
        self, vendor: Vendor, switch: str, same: bool
    ) -> None:
        vendor.switch(archived_company=switch)
        company = made(vendor)
        vendor.call("DELETE", f"/companies/{company['id']}")
        assert (made(vendor)["id"] == company["id"]) is same


class TestLists:
    @pytest.fixture(autouse=True)
    def _filled(self, vendor: Vendor) -> None:
        vendor.switch(
            companies=[
                {"company_id": f"c{number}", "user_count": 1, "last_request_at": number} for number in range(130)
            ]
            + [{"company_id": "hidden"}]
        )

    def test_list_shows_pages_of_companies_with_users_latest_first(self, vendor: Vendor) -> None:
        found = vendor.call("POST", "/companies/list", params={"per_page": 60}).json()
        assert [found["data"][0]["company_id"], len(found["data"]), found["total_count"]] == ["c129", 60, 130]
        pages = found["pages"]
        assert (pages["page"], pages["per_page"], pages["total_pages"]) == (1, 60, 3)
        assert pages["next"].startswith("https://")
        last = vendor.call("POST", "/companies/list", params={"per_page": 60, "page": 3, "order": "asc"}).json()
        assert (last["data"][-1]["company_id"], last["pages"]["next"]) == ("c129", None)
        assert vendor.call("POST", "/companies/list").json()["pages"]["per_page"] == 15

    @pytest.mark.parametrize(
        ("params", "text"),
        [
            ({"per_page": 61}, "Per Page is too big"),
            ({"per_page": 60, "page": 167}, "page limit reached, please use scroll API"),
        ],
    )
    def test_list_has_its_limits(self, vendor: Vendor, params: dict[str, int], text: str) -> None:
        assert refusal(vendor.call("POST", "/companies/list", params=params)) == (400, "parameter_invalid", text)

    def test_scroll_goes_through_all_once(self, vendor: Vendor) -> None:
        first = vendor.call("GET", "/companies/scroll").json()
        assert {key: first[key] for key in ("type", "pages", "total_count")} == {
            "type": "list",
            "pages": None,
            "total_count": None,
        }
        assert len(first["data"]) == 100
        path = f"/companies/scroll?scroll_param={first['scroll_param']}"
        assert [len(vendor.call("GET", path).json()["data"]) for _ in range(2)] == [30, 0]
        assert refusal(vendor.call("GET", path)) == (404, "not_found", "scroll parameter not found")

    def test_only_one_scroll_is_open_and_a_minute_ends_it(self, vendor: Vendor) -> None:
        now = 1_700_000_000.0
        vendor.sandbox.clock = lambda: now
        param = vendor.call("GET", "/companies/scroll").json()["scroll_param"]
        again = vendor.call("GET", "/companies/scroll")
        assert refusal(again) == (400, "scroll_exists", "scroll already exists for this workspace")
        now += 61
        late = vendor.call("GET", f"/companies/scroll?scroll_param={param}")
        assert refusal(late) == (404, "not_found", "scroll parameter not found")
        assert vendor.call("GET", "/companies/scroll").status_code == 200

    def test_without_a_filter_it_is_refused_or_lists(self, vendor: Vendor) -> None:
        assert refusal(vendor.call("GET", "/companies"))[:2] == (400, "parameter_not_found")
        vendor.switch(list_without_filter=True)
        assert vendor.call("GET", "/companies").json()["total_count"] == 130

    @pytest.mark.parametrize("params", [{"tag_id": "1"}, {"segment_id": "1"}])
    def test_tags_and_segments_list_companies(self, vendor: Vendor, params: dict[str, str]) -> None:
        assert vendor.call("GET", "/companies", params=params).json()["type"] == "list"


class TestContacts:
    def test_a_company_becomes_visible_with_its_first_contact(self, vendor: Vendor) -> None:
        company = made(vendor)
        vendor.switch(contacts=["p1"])
        assert vendor.call("POST", "/companies/list").json()["data"] == []
        attached = vendor.call("POST", "/contacts/p1/companies", {"id": company["id"]})
        assert attached.json()["user_count"] == 1
        assert [found["id"] for found in vendor.call("POST", "/companies/list").json()["data"]] == [company["id"]]
        assert vendor.call("GET", f"/companies/{company['id']}/contacts").json()["total_count"] == 1
        assert vendor.call("GET", "/contacts/p1/companies").json()["data"][0]["id"] == company["id"]
        assert vendor.call("DELETE", f"/contacts/p1/companies/{company['id']}").json()["user_count"] == 0
        assert vendor.call("GET", f"/companies/{company['id']}/segments").json() == {"type": "list", "data": []}

    def test_refusals(self, vendor: Vendor) -> None:
        company = made(vendor)
        vendor.switch(contacts=["p1"])
        assert refusal(vendor.call("POST", "/contacts/p1/companies")) == (
            400,
            "parameter_not_found",
            "company not specified",
        )
        assert refusal(vendor.call("POST", "/contacts/p1/companies", {"id": "nope"})) == NOT_FOUND
        assert refusal(vendor.call("POST", "/contacts/nobody/companies", {"id": company["id"]})) == (
            404,
            "not_found",
            "User Not Found",
        )
        assert refusal(vendor.call("DELETE", f"/contacts/p1/companies/{company['id']}")) == NOT_FOUND
        vendor.sandbox.memberships.company_ids["p1"] = [str(number) for number in range(1000)]
        full = vendor.call("POST", "/contacts/p1/companies", {"id": company["id"]})
        text = "Contact has reached the maximum of 1000 company associations"
        assert refusal(full) == (400, "contact_company_limit_exceeded", text)


class TestDataAttributes:
    def create(self, vendor: Vendor, **wanted: Any) -> requests.Response:
        return vendor.call(
            "POST", "/data_attributes", {"name": "tier", "model": "company", "data_type": "string", **wanted}
        )

    def test_the_sixteen_standard_ones_have_no_id(self, vendor: Vendor) -> None:
        found = vendor.call("GET", "/data_attributes?model=company").json()
        assert (found["type"], len(found["data"])) == ("list", 16)
        assert not any("id" in entry or entry["custom"] for entry in found["data"])
        writable = {entry["full_name"] for entry in found["data"] if entry["api_writable"]}
        assert writable == {"name", "remote_created_at", "monthly_spend", "size", "industry", "website"}
        assert {entry["full_name"] for entry in found["data"]} > {"plan.name", "plan.id", "user_count"}

    def test_a_new_one_has_the_shape_of_intercom(self, vendor: Vendor) -> None:
        found = self.create(vendor, name="The One Ring", description="precious").json()
        assert isinstance(found.pop("id"), int)
        assert found.pop("created_at") == found.pop("updated_at")
        assert found == {
            "type": "data_attribute",
            "name": "The One Ring",
            "full_name": "custom_attributes.The One Ring",
            "label": "The One Ring",
            "description": "precious",
            "data_type": "string",
            "api_writable": True,
            "ui_writable": False,
            "messenger_writable": False,
            "custom": True,
            "archived": False,
            "admin_id": "991267459",
            "model": "company",
        }

    @pytest.mark.parametrize(
        ("sent", "read"), [("integer", "integer"), ("datetime", "date"), ("float", "float"), ("boolean", "boolean")]
    )
    def test_types_read_back_as_intercom_reads_them(self, vendor: Vendor, sent: str, read: str) -> None:
        assert self.create(vendor, data_type=sent).json()["data_type"] == read

    @pytest.mark.parametrize("kind", ["options", "string"])
    def test_a_list_reads_back_as_text_with_options(self, vendor: Vendor, kind: str) -> None:
        found = self.create(vendor, data_type=kind, options=[{"value": "a"}, {"value": "b"}]).json()
        assert (found["data_type"], found["options"]) == ("string", ["a", "b"])

    @pytest.mark.parametrize(
        ("wanted", "text"),
        [
            (
                {"name": "a.b"},
                "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens",
            ),
            (
                {"name": None},
                "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens",
            ),
            ({"data_type": "number"}, "Data Type isn't an option"),
            ({"data_type": "options"}, "You must have at least two options on a list type data attribute"),
            ({"options": [{"value": "one"}]}, "You must have at least two options on a list type data attribute"),
            ({"model": "deal"}, "The Data Attribute model field must be either contact or company"),
            (
                {"name": "taken"},
                "You already have 'taken' in your company data. To save this as new company data, use a different name.",
            ),
            (
                {"name": "taken", "model": "contact"},
                "You already have 'taken' in your company data. To save this as new people data, use a different name.",
            ),
            (
                {"name": "theirs"},
                "You already have 'theirs' in your people data. To save this as new company data, use a different name.",
            ),
            (
                {"name": "name", "model": "contact"},
                "'name' is one of our standard attributes for your people data. To save this as new people data, use a different name.",
            ),
        ],
    )
    def test_refuses_in_intercoms_words(self, vendor: Vendor, wanted: dict[str, Any], text: str) -> None:
        vendor.switch(data_attributes=[{"name": "taken"}, {"name": "theirs", "model": "contact"}])
        assert refusal(self.create(vendor, **wanted)) == (400, "parameter_invalid", text)
        assert len(vendor.sandbox.state()["data_attributes"]) == 2

    @pytest.mark.parametrize(
        ("form", "status", "code"), [("code", 400, "attribute_already_exists"), ("conflict", 409, "conflict")]
    )
    def test_a_taken_name_has_other_forms(self, vendor: Vendor, form: str, status: int, code: str) -> None:
        vendor.switch(attribute_exists=form)
        self.create(vendor)
        assert refusal(self.create(vendor))[:2] == (status, code)

    def test_the_limit_leaves_archived_ones_out_or_counts_them(self, vendor: Vendor) -> None:
        vendor.switch(attribute_limit=1, data_attributes=[{"name": "old", "archived": True}])
        vendor.switch(archived_count=True)
        assert refusal(self.create(vendor))[:2] == (400, "custom_data_limit_reached")
        vendor.switch(archived_count=False)
        assert self.create(vendor).status_code == 200
        assert refusal(self.create(vendor, name="more"))[:2] == (400, "custom_data_limit_reached")
        assert refusal(vendor.call("PUT", "/data_attributes/34", {"archived": False}))[:2] == (
            400,
            "custom_data_limit_reached",
        )

    def test_archived_ones_are_listed_on_request_and_come_back(self, vendor: Vendor) -> None:
        number = self.create(vendor).json()["id"]
        assert vendor.call("PUT", f"/data_attributes/{number}", {"archived": True}).json()["archived"] is True
        assert len(vendor.call("GET", "/data_attributes?model=company").json()["data"]) == 16
        assert len(vendor.call("GET", "/data_attributes?model=company&include_archived=true").json()["data"]) == 17
        assert (
            refusal(vendor.call("POST", "/companies", {"company_id": "1", "custom_attributes": {"tier": "a"}}))[0]
            == 400
        )
        vendor.call("PUT", f"/data_attributes/{number}", {"archived": False})
        assert made(vendor, custom_attributes={"tier": "a"})["custom_attributes"]["tier"] == "a"

    def test_changes_have_their_refusals(self, vendor: Vendor) -> None:
        number = self.create(vendor).json()["id"]
        vendor.switch(dependent_attributes=["tier"])
        unknown = vendor.call("PUT", "/data_attributes/999", {"archived": True})
        assert refusal(unknown) == (404, "field_not_found", "We couldn't find that data attribute to update")
        dependent = vendor.call("PUT", f"/data_attributes/{number}", {"archived": True})
        text = "The Data Attribute you are trying to archive has a dependant object"
        assert refusal(dependent) == (422, "data_invalid", text)
        assert (
            refusal(vendor.call("PUT", f"/data_attributes/{number}", {"options": "a"}))[2] == "Options isn't an array"
        )
        assert refusal(vendor.call("PUT", f"/data_attributes/{number}", {"data_type": "date"}))[1] == "bad_request"

    def test_conversations_have_no_attributes_from_2_16_on(self, vendor: Vendor) -> None:
        assert refusal(vendor.call("GET", "/data_attributes?model=conversation"))[:2] == (422, "parameter_invalid")
        assert (
            vendor.call("GET", "/data_attributes?model=conversation", headers={"Intercom-Version": "2.15"}).json()[
                "data"
            ]
            == []
        )


class TestControl:
    def test_state_and_preloading(self, vendor: Vendor) -> None:
        vendor.switch(companies=[{"company_id": "c1", "name": "A", "plan": "Pro"}], data_attributes=[{"name": "seats"}])
        vendor.switch(companies=[{"company_id": "c1", "name": "B"}])
        state = requests.get(f"{vendor.url}/_sandbox/state", timeout=10).json()
        assert set(state) == {"companies", "contacts", "data_attributes"}
        assert [(company["name"], company["plan"]["name"]) for company in state["companies"]] == [("B", "Pro")]
        assert [attribute["name"] for attribute in state["data_attributes"]] == ["seats"]

    def test_reset_empties_the_workspace_and_keeps_the_switches(self, vendor: Vendor) -> None:
        made(vendor)
        vendor.switch(region="EU")
        requests.post(f"{vendor.url}/_sandbox/reset", timeout=10)
        assert vendor.sandbox.state() == {"companies": [], "contacts": [], "data_attributes": []}
        assert vendor.call("GET", "/me").json()["app"]["region"] == "EU"

    def test_twenty_thousand_companies_do_not_slow_it_down(self, vendor: Vendor) -> None:
        vendor.switch(companies=[{"company_id": f"p{number}", "name": f"Company {number}"} for number in range(20_000)])
        companies = vendor.sandbox.companies
        start = time.perf_counter()
        for number in range(5_000):
            company = companies.find(f"p{number}")
            assert company is not None
            companies.save(f"p{number}", {"name": "New"}, 1_700_000_000)
            companies.apply(companies.get(company["id"]), {"size": 1}, 1_700_000_000)
        # A search through all of them takes more than a minute.
        assert time.perf_counter() - start < 5
        assert len(vendor.sandbox.state()["companies"]) == 20_000


class TestContactRecords:
    def test_a_user_needs_an_email_or_an_external_id(self, vendor: Vendor) -> None:
        assert refusal(vendor.call("POST", "/contacts", {"name": "A"}))[:2] == (400, "parameter_not_found")
        assert vendor.call("POST", "/contacts", {"role": "lead", "name": "A"}).json()["role"] == "lead"

    def test_details_that_another_has_are_a_conflict(self, vendor: Vendor) -> None:
        vendor.switch(
            contacts=[
                {"id": "p1", "email": "a@b.c", "external_id": "x1"},
                {"id": "p2", "email": "d@e.f", "archived": True},
            ]
        )
        taken = "A contact matching those details already exists with id=p1"
        for details in ({"email": "A@B.c"}, {"external_id": "x1"}):
            assert refusal(vendor.call("POST", "/contacts", details)) == (409, "conflict", taken)
        assert refusal(vendor.call("POST", "/contacts", {"email": "d@e.f"}))[2].startswith(
            "An archived contact matching"
        )
        assert vendor.call("POST", "/contacts", {"email": "a@b.c", "external_id": "x2"}).status_code == 200

    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            ({"email": "a@b.c", "id": "1"}, (400, "bad_request", "bad 'id' parameter")),
            (
                {"email": "a@b.c", "custom_attributes": {"x": 1}},
                (400, "parameter_invalid", "Custom attribute 'x' does not exist"),
            ),
            ({"email": "a@b.c", "owner_id": "1"}, (400, "type_mismatch", "'owner_id' is not of type int")),
            ({"email": "nobody"}, (422, "parameter_invalid", "email is not a valid email")),
        ],
    )
    def test_refuses_what_does_not_fit(
        self, vendor: Vendor, sent: dict[str, Any], expected: tuple[int, str, str]
    ) -> None:
        assert refusal(vendor.call("POST", "/contacts", sent)) == expected

    def test_are_found_by_search_after_a_while_and_by_external_id_at_once(self, vendor: Vendor) -> None:
        vendor.call("POST", "/contacts", {"external_id": "x1"})
        query = {"query": {"field": "external_id", "operator": "=", "value": "x1"}}
        assert vendor.call("POST", "/contacts/search", query).json()["total_count"] == 1
        vendor.switch(search_delay_seconds=60)
        assert vendor.call("POST", "/contacts/search", query).json()["total_count"] == 0
        assert vendor.call("GET", "/contacts/find_by_external_id/x1").json()["external_id"] == "x1"
        assert refusal(vendor.call("GET", "/contacts/find_by_external_id/x2")) == (404, "not_found", "User Not Found")

    def test_a_merged_one_is_gone(self, vendor: Vendor) -> None:
        vendor.switch(merged_contacts=["p1"])
        assert refusal(vendor.call("PUT", "/contacts/p1", {"name": "A"}))[:2] == (410, "contact_merged")


def test_the_scroll_shows_companies_without_contacts_where_the_switch_says_so(vendor: Vendor) -> None:
    made(vendor)
    assert vendor.call("GET", "/companies/scroll").json()["data"] == []
    vendor.switch(scroll_shows_all=True)
    vendor.sandbox.scroll.param = ""
    assert len(vendor.call("GET", "/companies/scroll").json()["data"]) == 1
