"""Discovery: the attributes of an object, and what each accepts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured, Unavailable
from destinations.contract import Field, Purpose
from destinations.sandbox.wire import Fault
from destinations.services.attio import compound_parts
from destinations.services.attio.fields import field_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.services.attio.client import Client
    from destinations.services.attio.companies import AttioCompanies
    from destinations.services.attio.sandbox.server import AttioSandbox
    from tests.destinations.attio.conftest import CountingGate


def names(service: AttioCompanies, client: Client) -> list[str]:
    return [field.name for field in service.fields(client)]


def test_attributes_are_in_attios_order(fields: dict[str, Field], sandbox: AttioSandbox) -> None:
    assert [name for name in fields if "." not in name] == sandbox.state()["attributes"]
    assert sum("." not in name for name in fields) == 32


def test_location_is_followed_by_its_ten_parts(fields: dict[str, Field]) -> None:
    names = list(fields)
    place = names.index("primary_location")
    found = [name.partition(".")[2] for name in names[place + 1 : place + 11]]
    assert found == [
        "line_1",
        "line_2",
        "line_3",
        "line_4",
        "locality",
        "region",
        "postcode",
        "country_code",
        "latitude",
        "longitude",
    ]
    assert fields["primary_location.country_code"].label == "Primary location: country code"
    assert fields["primary_location.locality"].writable
    assert not any(fields[name].matchable or fields[name].required for name in names[place : place + 11])


def test_only_writable_single_values_have_parts() -> None:
    whole = Field("office", "Office", "location")
    assert len(compound_parts.fields(whole)) == 10
    assert compound_parts.fields(replace(whole, writable=False)) == []
    assert compound_parts.fields(replace(whole, multiple=True)) == []


def test_only_unique_writable_attributes_are_matchable(fields: dict[str, Field]) -> None:
    assert [name for name, field in fields.items() if field.matchable] == ["domains"]
    assert fields["record_id"].unique
    assert not fields["record_id"].matchable


def test_flags_labels_and_configuration(fields: dict[str, Field]) -> None:
    assert fields["domains"] == Field("domains", "Domains", "domain", unique=True, multiple=True, matchable=True)
    assert fields["funding_raised_usd"].config["currency"] == "USD"
    assert fields["team"].config["target_object"] == "people"
    assert fields["team"].config["allowed_objects"]
    assert fields["categories"].multiple
    assert len(fields["categories"].options) == 152


def test_read_only_attributes_have_a_reason(fields: dict[str, Field]) -> None:
    reasons = {name: field.read_only_reason for name, field in fields.items() if not field.writable}
    assert "emails and meetings" in reasons["last_interaction"]
    assert "automatically" in reasons["logo_url"]
    assert all(reasons.values())
    assert not any(field.read_only_reason for field in fields.values() if field.writable)


def test_options_are_fetched_only_for_writable_attributes(
    service: AttioCompanies, client: Client, sandbox: AttioSandbox
) -> None:
    service.fields(client)
    requested = {entry["path"].split("/")[-2] for entry in sandbox.log if entry["path"].endswith("/options")}
    assert requested == {"categories", "estimated_arr_usd", "employee_range"}


def test_every_request_passes_the_gate_as_discovery(
    service: AttioCompanies, client: Client, sandbox: AttioSandbox, gate: CountingGate
) -> None:
    service.fields(client)
    assert set(gate.passed) == {Purpose.DISCOVERY}
    assert len(gate.passed) == len(sandbox.log)


def test_attributes_on_several_pages_are_returned_once(
    service: AttioCompanies, client: Client, switch: Callable[..., None]
) -> None:
    switch(attributes=[{"api_slug": f"extra_{number}", "type": "text"} for number in range(100)])
    found = names(service, client)
    assert len(found) == len(set(found))
    assert sum("." not in name for name in found) == 132


@pytest.mark.parametrize("paged", [True, False])
def test_all_options_are_returned_with_or_without_paging(
    service: AttioCompanies, client: Client, switch: Callable[..., None], paged: bool
) -> None:
    switch(paged_options=paged)
    categories = next(field for field in service.fields(client) if field.name == "categories")
    assert len({option.title for option in categories.options}) == len(categories.options) == 152


def test_allowed_objects_of_references_are_named(
    service: AttioCompanies, client: Client, switch: Callable[..., None]
) -> None:
    switch(
        attributes=[
            {"api_slug": "partner", "type": "record-reference", "allowed_objects": ["companies"]},
            {"api_slug": "anything", "type": "record-reference", "allowed_objects": ["companies", "people"]},
        ]
    )
    found = {field.name: field for field in service.fields(client)}
    assert found["partner"].config == {"allowed_objects": ["companies"], "target_object": "companies"}
    assert found["anything"].config == {"allowed_objects": ["companies", "people"]}


def test_record_id_is_never_matchable() -> None:
    entry = {"api_slug": "record_id", "title": "Record ID", "type": "text", "is_writable": True, "is_unique": True}
    assert not field_of(entry).matchable
    assert field_of({**entry, "api_slug": "vat"}).matchable


def test_options_on_several_pages_are_returned(
    service: AttioCompanies, client: Client, sandbox: AttioSandbox, switch: Callable[..., None]
) -> None:
    switch(
        attributes=[{"api_slug": "tier", "type": "select", "options": []}],
    )
    pages = [[_option(number) for number in range(100)], [_option(number) for number in range(100, 130)]]
    for page in pages:
        sandbox.faults.append(Fault("reply", path="/tier/options$", status=200, body={"data": page}))
    tier = next(field for field in service.fields(client) if field.name == "tier")
    assert [option.title for option in tier.options] == [f"T{number}" for number in range(130)]


def test_archived_attributes_and_options_are_left_out(
    service: AttioCompanies, client: Client, switch: Callable[..., None]
) -> None:
    switch(attributes=[{"api_slug": "tier", "type": "select", "options": ["Gold", "Tin"]}], archive=["description"])
    switch(archive_options={"tier": ["Tin"]})
    found = {field.name: field for field in service.fields(client)}
    assert "description" not in found
    assert [option.title for option in found["tier"].options] == ["Gold"]
    assert found["tier"].custom
    assert not found["name"].custom


def test_statuses_count_as_options(service: AttioCompanies, client: Client, switch: Callable[..., None]) -> None:
    switch(attributes=[{"api_slug": "stage", "type": "status", "options": ["Lead", "Won"]}])
    found = {field.name: field for field in service.fields(client)}
    assert [option.title for option in found["stage"].options] == ["Lead", "Won"]
    assert found["stage"].writable


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"is_writable": False, "is_system_attribute": False}, "formula"), ({"type": "hologram"}, "hologram")],
)
def test_formulas_and_unknown_types_are_read_only(changes: dict[str, Any], reason: str) -> None:
    found = field_of({"api_slug": "x", "title": "X", "type": "text", "is_writable": True, "is_unique": True, **changes})
    assert not found.writable
    assert not found.matchable
    assert reason in found.read_only_reason


def test_missing_scope_or_object_is_misconfigured(
    service: AttioCompanies, client: Client, sandbox: AttioSandbox, switch: Callable[..., None]
) -> None:
    switch(scopes="record_permission:read-write")
    with pytest.raises(Misconfigured, match="object_configuration:read"):
        service.fields(client)
    body = {
        "status_code": 404,
        "type": "invalid_request_error",
        "code": "not_found",
        "message": 'Object with slug/ID "companies" not found.',
    }
    sandbox.faults.append(Fault("reply", status=404, body=body))
    with pytest.raises(Misconfigured, match="companies"):
        service.fields(client)


def test_answer_without_a_list_is_unavailable(service: AttioCompanies, client: Client, sandbox: AttioSandbox) -> None:
    sandbox.faults.append(Fault("reply", status=200, body={"data": None}))
    with pytest.raises(Unavailable):
        service.fields(client)


def _option(number: int) -> dict[str, Any]:
    return {"id": {"option_id": f"o{number}"}, "title": f"T{number}", "is_archived": False}
