"""The simulator's lists of companies, and the contacts attached to companies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.destinations.intercom.sandbox.answers import NOT_FOUND, created, error_of

if TYPE_CHECKING:
    from tests.destinations.intercom.conftest import Vendor


class TestLists:
    @pytest.fixture(autouse=True)
    def _filled(self, vendor: Vendor) -> None:
        vendor.switch(
            companies=[
                {"company_id": f"c{number}", "user_count": 1, "last_request_at": number} for number in range(130)
            ]
            + [{"company_id": "hidden"}]
        )

    def test_list_has_pages_of_companies_with_users_latest_first(self, vendor: Vendor) -> None:
        first = vendor.call("POST", "/companies/list", params={"per_page": 60}).json()
        assert [first["data"][0]["company_id"], len(first["data"]), first["total_count"]] == ["c129", 60, 130]
        pages = first["pages"]
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
    def test_list_has_limits(self, vendor: Vendor, params: dict[str, int], text: str) -> None:
        assert error_of(vendor.call("POST", "/companies/list", params=params)) == (400, "parameter_invalid", text)

    def test_scroll_returns_every_company_once(self, vendor: Vendor) -> None:
        first = vendor.call("GET", "/companies/scroll").json()
        assert {key: first[key] for key in ("type", "pages", "total_count")} == {
            "type": "list",
            "pages": None,
            "total_count": None,
        }
        assert len(first["data"]) == 100
        path = f"/companies/scroll?scroll_param={first['scroll_param']}"
        assert [len(vendor.call("GET", path).json()["data"]) for _ in range(2)] == [30, 0]
        assert error_of(vendor.call("GET", path)) == (404, "not_found", "scroll parameter not found")

    def test_only_one_scroll_is_open_and_it_ends_after_a_minute(self, vendor: Vendor) -> None:
        now = 1_700_000_000.0
        vendor.sandbox.clock = lambda: now
        param = vendor.call("GET", "/companies/scroll").json()["scroll_param"]
        again = vendor.call("GET", "/companies/scroll")
        assert error_of(again) == (400, "scroll_exists", "scroll already exists for this workspace")
        now += 61
        late = vendor.call("GET", f"/companies/scroll?scroll_param={param}")
        assert error_of(late) == (404, "not_found", "scroll parameter not found")
        assert vendor.call("GET", "/companies/scroll").status_code == 200

    def test_get_without_a_filter_is_rejected_or_returns_a_list(self, vendor: Vendor) -> None:
        assert error_of(vendor.call("GET", "/companies"))[:2] == (400, "parameter_not_found")
        vendor.switch(list_without_filter=True)
        assert vendor.call("GET", "/companies").json()["total_count"] == 130

    @pytest.mark.parametrize("params", [{"tag_id": "1"}, {"segment_id": "1"}])
    def test_filter_by_tag_or_segment_returns_a_list(self, vendor: Vendor, params: dict[str, str]) -> None:
        assert vendor.call("GET", "/companies", params=params).json()["type"] == "list"


def test_scroll_includes_companies_without_contacts_if_the_switch_is_set(vendor: Vendor) -> None:
    created(vendor)
    assert vendor.call("GET", "/companies/scroll").json()["data"] == []
    vendor.switch(scroll_shows_all=True)
    vendor.sandbox.scroll.param = ""
    assert len(vendor.call("GET", "/companies/scroll").json()["data"]) == 1


class TestMemberships:
    def test_company_becomes_visible_with_its_first_contact(self, vendor: Vendor) -> None:
        company = created(vendor)
        vendor.switch(contacts=["p1"])
        assert vendor.call("POST", "/companies/list").json()["data"] == []
        attached = vendor.call("POST", "/contacts/p1/companies", {"id": company["id"]})
        assert attached.json()["user_count"] == 1
        assert [listed["id"] for listed in vendor.call("POST", "/companies/list").json()["data"]] == [company["id"]]
        assert vendor.call("GET", f"/companies/{company['id']}/contacts").json()["total_count"] == 1
        assert vendor.call("GET", "/contacts/p1/companies").json()["data"][0]["id"] == company["id"]
        assert vendor.call("DELETE", f"/contacts/p1/companies/{company['id']}").json()["user_count"] == 0
        assert vendor.call("GET", f"/companies/{company['id']}/segments").json() == {"type": "list", "data": []}

    def test_invalid_requests_are_rejected(self, vendor: Vendor) -> None:
        company = created(vendor)
        vendor.switch(contacts=["p1"])
        assert error_of(vendor.call("POST", "/contacts/p1/companies")) == (
            400,
            "parameter_not_found",
            "company not specified",
        )
        assert error_of(vendor.call("POST", "/contacts/p1/companies", {"id": "nope"})) == NOT_FOUND
        assert error_of(vendor.call("POST", "/contacts/nobody/companies", {"id": company["id"]})) == (
            404,
            "not_found",
            "User Not Found",
        )
        assert error_of(vendor.call("DELETE", f"/contacts/p1/companies/{company['id']}")) == NOT_FOUND
        vendor.sandbox.memberships.company_ids["p1"] = [str(number) for number in range(1000)]
        full = vendor.call("POST", "/contacts/p1/companies", {"id": company["id"]})
        text = "Contact has reached the maximum of 1000 company associations"
        assert error_of(full) == (400, "contact_company_limit_exceeded", text)
