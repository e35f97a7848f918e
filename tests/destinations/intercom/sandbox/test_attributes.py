"""The simulator's data attributes: creating, archiving and listing them as Intercom does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.intercom.sandbox.answers import created, error_of

if TYPE_CHECKING:
    import requests

    from tests.destinations.intercom.conftest import Vendor


class TestDataAttributes:
    def create(self, vendor: Vendor, **wanted: Any) -> requests.Response:
        return vendor.call(
            "POST", "/data_attributes", {"name": "tier", "model": "company", "data_type": "string", **wanted}
        )

    def test_sixteen_standard_attributes_have_no_id(self, vendor: Vendor) -> None:
        attributes = vendor.call("GET", "/data_attributes?model=company").json()
        assert (attributes["type"], len(attributes["data"])) == ("list", 16)
        assert not any("id" in entry or entry["custom"] for entry in attributes["data"])
        writable = {entry["full_name"] for entry in attributes["data"] if entry["api_writable"]}
        assert writable == {"name", "remote_created_at", "monthly_spend", "size", "industry", "website"}
        assert {entry["full_name"] for entry in attributes["data"]} > {"plan.name", "plan.id", "user_count"}

    def test_new_attribute_has_the_format_of_intercom(self, vendor: Vendor) -> None:
        attribute = self.create(vendor, name="The One Ring", description="precious").json()
        assert isinstance(attribute.pop("id"), int)
        assert attribute.pop("created_at") == attribute.pop("updated_at")
        assert attribute == {
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
        ("sent", "returned"), [("integer", "integer"), ("datetime", "date"), ("float", "float"), ("boolean", "boolean")]
    )
    def test_types_are_returned_as_intercom_returns_them(self, vendor: Vendor, sent: str, returned: str) -> None:
        assert self.create(vendor, data_type=sent).json()["data_type"] == returned

    @pytest.mark.parametrize("kind", ["options", "string"])
    def test_list_attribute_is_returned_as_text_with_options(self, vendor: Vendor, kind: str) -> None:
        attribute = self.create(vendor, data_type=kind, options=[{"value": "a"}, {"value": "b"}]).json()
        assert (attribute["data_type"], attribute["options"]) == ("string", ["a", "b"])

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
                "You already have 'taken' in your company data. "
                "To save this as new company data, use a different name.",
            ),
            (
                {"name": "taken", "model": "contact"},
                "You already have 'taken' in your company data. To save this as new people data, use a different name.",
            ),
            (
                {"name": "theirs"},
                "You already have 'theirs' in your people data. "
                "To save this as new company data, use a different name.",
            ),
            (
                {"name": "name", "model": "contact"},
                "'name' is one of our standard attributes for your people data. "
                "To save this as new people data, use a different name.",
            ),
        ],
    )
    def test_invalid_attribute_is_rejected_with_intercoms_message(
        self, vendor: Vendor, wanted: dict[str, Any], text: str
    ) -> None:
        vendor.switch(data_attributes=[{"name": "taken"}, {"name": "theirs", "model": "contact"}])
        assert error_of(self.create(vendor, **wanted)) == (400, "parameter_invalid", text)
        assert len(vendor.sandbox.state()["data_attributes"]) == 2

    @pytest.mark.parametrize(
        ("form", "status", "code"), [("code", 400, "attribute_already_exists"), ("conflict", 409, "conflict")]
    )
    def test_error_for_a_taken_name_has_other_forms(self, vendor: Vendor, form: str, status: int, code: str) -> None:
        vendor.switch(attribute_exists=form)
        self.create(vendor)
        assert error_of(self.create(vendor))[:2] == (status, code)

    def test_limit_excludes_or_includes_archived_attributes(self, vendor: Vendor) -> None:
        vendor.switch(attribute_limit=1, data_attributes=[{"name": "old", "archived": True}])
        vendor.switch(archived_count=True)
        assert error_of(self.create(vendor))[:2] == (400, "custom_data_limit_reached")
        vendor.switch(archived_count=False)
        assert self.create(vendor).status_code == 200
        assert error_of(self.create(vendor, name="more"))[:2] == (400, "custom_data_limit_reached")
        assert error_of(vendor.call("PUT", "/data_attributes/34", {"archived": False}))[:2] == (
            400,
            "custom_data_limit_reached",
        )

    def test_archived_attributes_are_listed_on_request_and_can_be_unarchived(self, vendor: Vendor) -> None:
        number = self.create(vendor).json()["id"]
        assert vendor.call("PUT", f"/data_attributes/{number}", {"archived": True}).json()["archived"] is True
        assert len(vendor.call("GET", "/data_attributes?model=company").json()["data"]) == 16
        assert len(vendor.call("GET", "/data_attributes?model=company&include_archived=true").json()["data"]) == 17
        assert (
            error_of(vendor.call("POST", "/companies", {"company_id": "1", "custom_attributes": {"tier": "a"}}))[0]
            == 400
        )
        vendor.call("PUT", f"/data_attributes/{number}", {"archived": False})
        assert created(vendor, custom_attributes={"tier": "a"})["custom_attributes"]["tier"] == "a"

    def test_invalid_changes_are_rejected(self, vendor: Vendor) -> None:
        number = self.create(vendor).json()["id"]
        vendor.switch(dependent_attributes=["tier"])
        unknown = vendor.call("PUT", "/data_attributes/999", {"archived": True})
        assert error_of(unknown) == (404, "field_not_found", "We couldn't find that data attribute to update")
        dependent = vendor.call("PUT", f"/data_attributes/{number}", {"archived": True})
        text = "The Data Attribute you are trying to archive has a dependant object"
        assert error_of(dependent) == (422, "data_invalid", text)
        assert (
            error_of(vendor.call("PUT", f"/data_attributes/{number}", {"options": "a"}))[2] == "Options isn't an array"
        )
        assert error_of(vendor.call("PUT", f"/data_attributes/{number}", {"data_type": "date"}))[1] == "bad_request"

    def test_conversations_have_no_attributes_since_2_16(self, vendor: Vendor) -> None:
        assert error_of(vendor.call("GET", "/data_attributes?model=conversation"))[:2] == (422, "parameter_invalid")
        assert (
            vendor.call("GET", "/data_attributes?model=conversation", headers={"Intercom-Version": "2.15"}).json()[
                "data"
            ]
            == []
        )
