"""Discovery: the fields of a workspace, and which of them can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Unavailable
from destinations.contract import Field, Option, Purpose
from destinations.services.intercom import attributes

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from tests.destinations.intercom.conftest import RecordingGate, Vendor

WRITABLE = ["name", "remote_created_at", "monthly_spend", "size", "industry", "website", "plan"]


def entry(name: str, data_type: str = "string", **overrides: Any) -> dict[str, Any]:
    return {
        "name": name,
        "full_name": f"custom_attributes.{name}",
        "data_type": data_type,
        "custom": True,
        "api_writable": True,
        **overrides,
    }


def by_name(fields: list[Field]) -> dict[str, Field]:
    assert len({field.name for field in fields}) == len(fields)
    return {field.name: field for field in fields}


def test_empty_workspace_has_the_standard_attributes(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    fields = service.fields(client)
    assert [field.name for field in fields if field.writable] == WRITABLE
    fields_by_name = by_name(fields)
    assert {
        name: fields_by_name[name].type for name in ("name", "plan", "size", "monthly_spend", "remote_created_at")
    } == {
        "name": "string",
        "plan": "string",
        "size": "integer",
        "monthly_spend": "float",
        "remote_created_at": "date",
    }
    assert fields_by_name["user_count"].read_only_reason == "Intercom maintains it."
    assert not any(field.custom for field in fields)


def test_company_id_is_the_only_match_and_cannot_be_mapped(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    fields = service.fields(client)
    assert [field.name for field in fields if field.matchable] == ["company_id"]
    match = by_name(fields)["company_id"]
    assert (match.unique, match.writable) == (True, False)
    assert "identifies the company" in match.read_only_reason


def test_custom_attributes_have_their_bare_name_type_and_options(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(
        data_attributes=[{"name": "The One Ring", "label": "Ring", "data_type": "string", "options": ["a", "b"]}]
    )
    field = by_name(service.fields(client))["The One Ring"]
    assert (field.label, field.type, field.custom, field.writable) == ("Ring", "string", True, True)
    assert field.options == (Option("a", "a"), Option("b", "b"))
    assert field.config["id"] == 34


def test_discovery_requests_attributes_of_both_models_including_archived_ones(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, gate: RecordingGate
) -> None:
    service.fields(client)
    assert [entry["query"] for entry in vendor.sent("GET", "/data_attributes")] == [
        {"model": "company", "include_archived": "true"},
        {"model": "contact", "include_archived": "true"},
    ]
    assert gate.waited == [Purpose.DISCOVERY, Purpose.DISCOVERY]


def test_archived_attributes_are_listed_but_read_only(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "data_type": "string", "archived": True}])
    field = by_name(service.fields(client))["tier"]
    assert not field.writable
    assert field.config["archived"] is True
    assert "archived in Intercom. Select it as a custom attribute to unarchive it" in field.read_only_reason


def test_contact_attributes_are_listed_separately_and_read_only(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "data_type": "string", "model": "contact"}])
    fields_by_name = by_name(service.fields(client))
    assert "tier" not in fields_by_name
    assert (fields_by_name["contact.tier"].writable, fields_by_name["contact.tier"].custom) == (False, True)
    assert "belongs to contacts" in fields_by_name["contact.tier"].read_only_reason
    assert fields_by_name["name"].writable


@pytest.mark.parametrize("name", ["plan", "name", "created_at"])
def test_custom_attribute_never_hides_a_standard_one(name: str) -> None:
    listed = [
        {"name": "created_at", "full_name": "created_at", "data_type": "date", "custom": False, "api_writable": False}
    ]
    fields_by_name = by_name(attributes.to_fields([entry(name), *listed], ()))
    assert not fields_by_name[name].custom
    assert not fields_by_name[f"custom_attributes.{name}"].writable
    assert "one of Intercom's standard attributes" in fields_by_name[f"custom_attributes.{name}"].read_only_reason


def test_active_attribute_takes_precedence_over_an_archived_one_with_the_same_name() -> None:
    for order in (1, -1):
        listed = [entry("tier", "integer"), entry("tier", archived=True)][::order]
        assert by_name(attributes.to_fields(listed, ()))["tier"].type == "integer"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"api_writable": False}, "does not allow the API to write it"),
        ({"data_type": "relationship"}, "type, “relationship”, is not supported"),
    ],
)
def test_read_only_attribute_has_a_reason(overrides: dict[str, Any], words: str) -> None:
    field = attributes.to_field({**entry("owner"), **overrides})
    assert not field.writable
    assert words in field.read_only_reason


def test_standard_attribute_listed_as_read_only_is_read_only() -> None:
    listed = {"name": "size", "full_name": "size", "data_type": "integer", "custom": False, "api_writable": False}
    assert not attributes.to_field(listed).writable


def test_options_are_read_in_both_formats() -> None:
    field = attributes.to_field(entry("tier", options=[{"value": "1-10"}, "11-50", None]))
    assert [option.id for option in field.options] == ["1-10", "11-50"]


def test_answer_without_a_list_is_unavailable(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.fail(action="reply", path="/data_attributes", status=200, body={"type": "list"})
    with pytest.raises(Unavailable):
        service.fields(client)
