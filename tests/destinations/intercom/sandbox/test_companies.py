"""The simulator's companies: creating, updating, finding and deleting them as Intercom does."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.intercom.sandbox.answers import NOT_FOUND, created, error_of

if TYPE_CHECKING:
    from tests.destinations.intercom.conftest import Vendor


class TestPostCompanies:
    def test_creates_a_company_in_the_format_of_intercom(self, vendor: Vendor) -> None:
        company = created(vendor)
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

    def test_updates_by_company_id_and_keeps_other_values(self, vendor: Vendor) -> None:
        first = created(vendor, name="A", size=3, plan="Pro")
        second = created(vendor, name="B", plan="Basic")
        assert second["id"] == first["id"]
        assert (second["name"], second["size"], second["plan"]["name"]) == ("B", 3, "Basic")
        assert first["plan"]["id"] != second["plan"]["id"]
        assert created(vendor, "c2", plan="Pro")["plan"] == {"type": "plan", "id": first["plan"]["id"], "name": "Pro"}

    def test_returns_a_numeric_company_id_as_text(self, vendor: Vendor) -> None:
        assert created(vendor, 4)["company_id"] == "4"
        assert created(vendor, "4", name="A")["id"] == created(vendor, 4)["id"]

    @pytest.mark.parametrize("key", ["test", "type", "id", "user_count", "created_at", "tags"])
    def test_rejects_unknown_and_read_only_keys(self, vendor: Vendor, key: str) -> None:
        response = vendor.call("POST", "/companies", {"company_id": "1", key: "x"})
        assert error_of(response) == (400, "bad_request", f"bad '{key}' parameter")
        assert vendor.sandbox.state()["companies"] == []

    @pytest.mark.parametrize("body", [{}, {"company_id": None}, {"company_id": ""}])
    def test_rejects_a_missing_company_id_with_either_code(self, vendor: Vendor, body: dict[str, Any]) -> None:
        assert error_of(vendor.call("POST", "/companies", body))[:2] == (400, "parameter_not_found")
        vendor.switch(missing_company_id="company_not_found")
        assert error_of(vendor.call("POST", "/companies", body)) == NOT_FOUND

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
    def test_rejects_values_of_the_wrong_type(self, vendor: Vendor, values: dict[str, Any], code: str) -> None:
        assert error_of(vendor.call("POST", "/companies", {"company_id": "1", **values}))[:2] == (400, code)

    def test_cuts_off_the_cents_of_monthly_spend(self, vendor: Vendor) -> None:
        assert created(vendor, monthly_spend=155.98)["monthly_spend"] == 155
        assert created(vendor, monthly_spend=2147483647)["monthly_spend"] == 2147483647

    def test_accepts_update_last_request_at_since_2_16(self, vendor: Vendor) -> None:
        assert created(vendor, update_last_request_at=True)["last_request_at"] == pytest.approx(time.time(), abs=5)
        old = vendor.call(
            "POST",
            "/companies",
            {"company_id": "1", "update_last_request_at": True},
            headers={"Intercom-Version": "2.15"},
        )
        assert error_of(old) == (400, "bad_request", "bad 'update_last_request_at' parameter")

    def test_rejects_unknown_and_archived_custom_attributes_and_stores_nothing(self, vendor: Vendor) -> None:
        vendor.switch(data_attributes=[{"name": "gone", "archived": True}, {"name": "theirs", "model": "contact"}])
        for name in ("isOpenSource", "gone", "theirs"):
            response = vendor.call(
                "POST", "/companies", {"company_id": "1", "name": "A", "custom_attributes": {name: "x"}}
            )
            assert error_of(response) == (400, "parameter_invalid", f"Custom attribute '{name}' does not exist")
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
    def test_validates_custom_values_by_type(self, vendor: Vendor, kind: str, good: Any, bad: Any) -> None:
        vendor.switch(data_attributes=[{"name": "thing", "data_type": kind}])
        assert created(vendor, custom_attributes={"thing": good})["custom_attributes"]["thing"] == good
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
    def test_long_text_is_rejected_truncated_or_kept(
        self, vendor: Vendor, switch: str, status: int, length: int
    ) -> None:
        vendor.switch(data_attributes=[{"name": "motto"}], long_strings=switch)
        response = vendor.call("POST", "/companies", {"company_id": "1", "custom_attributes": {"motto": "x" * 300}})
        assert response.status_code == status
        if length:
            assert len(response.json()["custom_attributes"]["motto"]) == length

    @pytest.mark.parametrize(("enforce", "status"), [(True, 400), (False, 200)])
    def test_options_are_enforced_or_not(self, vendor: Vendor, enforce: bool, status: int) -> None:
        vendor.switch(data_attributes=[{"name": "tier", "options": ["a", "b"]}], enforce_options=enforce)
        assert created(vendor, custom_attributes={"tier": "a"})["custom_attributes"]["tier"] == "a"
        assert (
            vendor.call("POST", "/companies", {"company_id": "1", "custom_attributes": {"tier": "c"}}).status_code
            == status
        )

    @pytest.mark.parametrize("clears", [True, False])
    def test_null_clears_a_value_or_is_ignored(self, vendor: Vendor, clears: bool) -> None:
        vendor.switch(data_attributes=[{"name": "motto"}], null_clears=clears)
        created(vendor, name="A", plan="Pro", monthly_spend=5, custom_attributes={"motto": "x"})
        after = created(vendor, name=None, plan=None, monthly_spend=None, custom_attributes={"motto": None})
        values = (
            after.get("name"),
            after["plan"].get("name"),
            after["monthly_spend"],
            after["custom_attributes"]["motto"],
        )
        assert values == ((None, None, 0, None) if clears else ("A", "Pro", 5, "x"))

    def test_second_create_within_the_race_is_rejected(self, vendor: Vendor) -> None:
        vendor.switch(unique_race_seconds=30)
        created(vendor)
        again = vendor.call("POST", "/companies", {"company_id": "c1"})
        assert error_of(again) == (400, "unique_company_constraint", "Company already exists.")

    def test_creation_source_can_be_turned_off(self, vendor: Vendor) -> None:
        vendor.switch(creation_source=False)
        assert created(vendor)["custom_attributes"] == {}


class TestOneCompany:
    def test_put_updates_by_intercom_id(self, vendor: Vendor) -> None:
        company = created(vendor, name="A", size=3)
        vendor.sandbox.clock = lambda: company["created_at"] + 60.0
        after = vendor.call("PUT", f"/companies/{company['id']}", {"name": "B"}).json()
        assert after == {**company, "name": "B", "updated_at": company["created_at"] + 60}

    def test_put_never_creates_and_does_not_accept_a_company_id_in_the_path(self, vendor: Vendor) -> None:
        created(vendor)
        assert error_of(vendor.call("PUT", "/companies/c1", {"name": "B"})) == NOT_FOUND
        assert len(vendor.sandbox.state()["companies"]) == 1

    def test_put_does_not_accept_a_company_id_in_the_body(self, vendor: Vendor) -> None:
        company = created(vendor)
        response = vendor.call("PUT", f"/companies/{company['id']}", {"company_id": "c2"})
        assert error_of(response) == (400, "bad_request", "bad 'company_id' parameter")

    @pytest.mark.parametrize(("switch", "stored_value"), [("accept", 5), ("ignore", 1), ("refuse", 1)])
    def test_put_of_remote_created_at_is_accepted_ignored_or_rejected(
        self, vendor: Vendor, switch: str, stored_value: int
    ) -> None:
        vendor.switch(put_remote_created_at=switch)
        company = created(vendor, remote_created_at=1)
        response = vendor.call("PUT", f"/companies/{company['id']}", {"remote_created_at": 5})
        assert (response.status_code == 400) is (switch == "refuse")
        stored = vendor.company("c1")
        assert stored is not None
        assert stored["remote_created_at"] == stored_value

    def test_get_by_either_id_returns_the_company(self, vendor: Vendor) -> None:
        company = created(vendor, "a b:c")
        assert vendor.call("GET", "/companies", params={"company_id": "a b:c"}).json() == company
        assert vendor.call("GET", f"/companies/{company['id']}").json() == company
        assert error_of(vendor.call("GET", "/companies", params={"company_id": "A B:C"})) == NOT_FOUND
        assert error_of(vendor.call("GET", "/companies/a")) == NOT_FOUND

    def test_name_is_found_for_visible_companies_or_never(self, vendor: Vendor) -> None:
        created(vendor, name="Hidden")
        vendor.switch(companies=[{"company_id": "c2", "name": "Shown", "user_count": 1}])
        assert error_of(vendor.call("GET", "/companies?name=Hidden")) == NOT_FOUND
        assert vendor.call("GET", "/companies?name=Shown").json()["company_id"] == "c2"
        vendor.switch(find_by_name="never")
        assert error_of(vendor.call("GET", "/companies?name=Shown")) == NOT_FOUND

    def test_delete_archives_the_company(self, vendor: Vendor) -> None:
        company = created(vendor)
        vendor.switch(contacts=["p1"])
        vendor.call("POST", "/contacts/p1/companies", {"id": company["id"]})
        assert vendor.call("DELETE", f"/companies/{company['id']}").json() == {
            "id": company["id"],
            "object": "company",
            "deleted": True,
        }
        assert error_of(vendor.call("GET", f"/companies/{company['id']}")) == NOT_FOUND
        assert error_of(vendor.call("GET", "/companies?company_id=c1")) == NOT_FOUND
        assert error_of(vendor.call("DELETE", f"/companies/{company['id']}")) == NOT_FOUND
        assert vendor.call("GET", "/contacts/p1/companies").json()["data"] == []

    @pytest.mark.parametrize(("switch", "same"), [("new", False), ("restore", True)])
    def test_write_to_a_deleted_company_creates_or_restores_it(self, vendor: Vendor, switch: str, same: bool) -> None:
        vendor.switch(archived_company=switch)
        company = created(vendor)
        vendor.call("DELETE", f"/companies/{company['id']}")
        assert (created(vendor)["id"] == company["id"]) is same
