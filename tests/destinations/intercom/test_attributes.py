"""Discovery: which fields a workspace has, and which can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Unavailable
from destinations.contract import Field, Option, Purpose
from destinations.services.intercom import attributes

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from tests.destinations.intercom.conftest import NotingGate, Vendor

WRITABLE = ["name", "remote_created_at", "monthly_spend", "size", "industry", "website", "plan"]


def entry(name: str, data_type: str = "string", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "full_name": f"custom_attributes.{name}",
        "data_type": data_type,
        "custom": True,
        "api_writable": True,
        **more,
    }


def by_name(fields: list[Field]) -> dict[str, Field]:
    assert len({field.name for field in fields}) == len(fields)
    return {field.name: field for field in fields}


def test_an_empty_workspace_has_the_standard_attributes(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    fields = service.fields(client)
    assert [field.name for field in fields if field.writable] == WRITABLE
    found = by_name(fields)
    assert {name: found[name].type for name in ("name", "plan", "size", "monthly_spend", "remote_created_at")} == {
        "name": "string",
        "plan": "string",
        "size": "integer",
        "monthly_spend": "float",
        "remote_created_at": "date",
    }
    assert found["user_count"].read_only_reason == "Intercom keeps it itself."
    assert not any(field.custom for field in fields)


def test_company_id_is_the_only_match_and_is_not_mapped(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    fields = service.fields(client)
    assert [field.name for field in fields if field.matchable] == ["company_id"]
    match = by_name(fields)["company_id"]
    assert (match.unique, match.writable) == (True, False)
    assert "identifies the company" in match.read_only_reason


def test_custom_attributes_go_by_their_bare_name_with_type_and_options(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(
        data_attributes=[{"name": "The One Ring", "label": "Ring", "data_type": "string", "options": ["a", "b"]}]
    )
    field = by_name(service.fields(client))["The One Ring"]
    assert (field.label, field.type, field.custom, field.writable) == ("Ring", "string", True, True)
    assert field.options == (Option("a", "a"), Option("b", "b"))
    assert field.config["id"] == 34


def test_discovery_asks_for_companies_and_contacts_with_archived_ones(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, gate: NotingGate
) -> None:
    service.fields(client)
    assert [entry["query"] for entry in vendor.sent("GET", "/data_attributes")] == [
        {"model": "company", "include_archived": "true"},
        {"model": "contact", "include_archived": "true"},
    ]
    assert gate.waited == [Purpose.DISCOVERY, Purpose.DISCOVERY]


def test_archived_attributes_are_listed_and_can_not_be_written(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "data_type": "string", "archived": True}])
    field = by_name(service.fields(client))["tier"]
    assert not field.writable
    assert field.config["archived"] is True
    assert "archived in Intercom. Chosen as a custom attribute it is brought back" in field.read_only_reason


def test_attributes_of_contacts_are_listed_apart_and_can_not_be_written(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "data_type": "string", "model": "contact"}])
    found = by_name(service.fields(client))
    assert "tier" not in found
    assert (found["contact.tier"].writable, found["contact.tier"].custom) == (False, True)
    assert "belongs to contacts" in found["contact.tier"].read_only_reason
    assert found["name"].writable


@pytest.mark.parametrize("name", ["plan", "name", "created_at"])
def test_a_custom_attribute_never_hides_a_standard_one(name: str) -> None:
    listed = [
        {"name": "created_at", "full_name": "created_at", "data_type": "date", "custom": False, "api_writable": False}
    ]
    found = by_name(attributes.to_fields([entry(name), *listed], ()))
    assert not found[name].custom
    assert not found[f"custom_attributes.{name}"].writable
    assert "Intercom's own" in found[f"custom_attributes.{name}"].read_only_reason


def test_an_active_attribute_wins_over_an_archived_one_of_its_name() -> None:
    for order in (1, -1):
        listed = [entry("tier", "integer"), entry("tier", archived=True)][::order]
        assert by_name(attributes.to_fields(listed, ()))["tier"].type == "integer"


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"api_writable": False}, "does not let it be written by the API"),
        ({"data_type": "relationship"}, "the kind 'relationship'"),
    ],
)
def test_what_can_not_be_written_says_why(odd: dict[str, Any], words: str) -> None:
    field = attributes.to_field({**entry("owner"), **odd})
    assert not field.writable
    assert words in field.read_only_reason


def test_a_standard_attribute_that_intercom_made_read_only_is_read_only() -> None:
    listed = {"name": "size", "full_name": "size", "data_type": "integer", "custom": False, "api_writable": False}
    assert not attributes.to_field(listed).writable


def test_options_are_read_in_both_forms() -> None:
    field = attributes.to_field(entry("tier", options=[{"value": "1-10"}, "11-50", None]))
    assert [option.id for option in field.options] == ["1-10", "11-50"]


def test_an_answer_without_a_list_is_no_discovery(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.fail(action="reply", path="/data_attributes", status=200, body={"type": "list"})
    with pytest.raises(Unavailable):
        service.fields(client)
