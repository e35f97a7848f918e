"""The simulator's contacts: creating, updating and finding them as Intercom does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.intercom.sandbox.answers import error_of

if TYPE_CHECKING:
    from tests.destinations.intercom.conftest import Vendor


class TestContacts:
    def test_user_requires_an_email_or_an_external_id(self, vendor: Vendor) -> None:
        assert error_of(vendor.call("POST", "/contacts", {"name": "A"}))[:2] == (400, "parameter_not_found")
        assert vendor.call("POST", "/contacts", {"role": "lead", "name": "A"}).json()["role"] == "lead"

    def test_details_of_a_different_contact_are_a_conflict(self, vendor: Vendor) -> None:
        vendor.switch(
            contacts=[
                {"id": "p1", "email": "a@b.c", "external_id": "x1"},
                {"id": "p2", "email": "d@e.f", "archived": True},
            ]
        )
        taken = "A contact matching those details already exists with id=p1"
        for details in ({"email": "A@B.c"}, {"external_id": "x1"}):
            assert error_of(vendor.call("POST", "/contacts", details)) == (409, "conflict", taken)
        assert error_of(vendor.call("POST", "/contacts", {"email": "d@e.f"}))[2].startswith(
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
    def test_invalid_contact_is_rejected(
        self, vendor: Vendor, sent: dict[str, Any], expected: tuple[int, str, str]
    ) -> None:
        assert error_of(vendor.call("POST", "/contacts", sent)) == expected

    def test_search_finds_contacts_after_a_delay_and_lookup_by_external_id_immediately(self, vendor: Vendor) -> None:
        vendor.call("POST", "/contacts", {"external_id": "x1"})
        query = {"query": {"field": "external_id", "operator": "=", "value": "x1"}}
        assert vendor.call("POST", "/contacts/search", query).json()["total_count"] == 1
        vendor.switch(search_delay_seconds=60)
        assert vendor.call("POST", "/contacts/search", query).json()["total_count"] == 0
        assert vendor.call("GET", "/contacts/find_by_external_id/x1").json()["external_id"] == "x1"
        assert error_of(vendor.call("GET", "/contacts/find_by_external_id/x2")) == (404, "not_found", "User Not Found")

    def test_merged_contact_is_gone(self, vendor: Vendor) -> None:
        vendor.switch(merged_contacts=["p1"])
        assert error_of(vendor.call("PUT", "/contacts/p1", {"name": "A"}))[:2] == (410, "contact_merged")
