"""Custom attributes that an activation wants: creating and unarchiving them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured, Unavailable
from destinations.contract import NewField, Purpose
from tests.destinations.intercom.test_obstacles import EMPTY, TYPES, obstacles

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from tests.destinations.intercom.conftest import RecordingGate, Vendor


def test_missing_attributes_are_created_once_with_the_type_of_their_column(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, gate: RecordingGate
) -> None:
    known = service.fields(client)
    wanted = [NewField(f"a {name}", name) for name in TYPES]
    after = {field.name: field for field in service.prepare(client, known, wanted)}
    assert [request["body"] for request in vendor.sent("POST")] == [
        {"name": f"a {name}", "model": "company", "data_type": data_type} for name, data_type in TYPES.items()
    ]
    assert all(
        after[new.name].custom and after[new.name].writable and after[new.name].type == TYPES[new.type]
        for new in wanted
    )
    assert set(gate.waited) == {Purpose.DISCOVERY}
    service.prepare(client, list(after.values()), wanted)
    service.prepare(client, service.fields(client), wanted)
    assert len(vendor.sent("POST")) == len(TYPES)


def test_no_request_is_sent_if_nothing_is_missing(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "seats", "data_type": "integer"}])
    known = service.fields(client)
    vendor.sandbox.log.clear()
    assert service.prepare(client, known, [NewField("seats", "integer")]) == known
    assert service.prepare(client, known, []) == known
    assert vendor.sent() == []


def test_archived_attribute_that_is_wanted_is_unarchived(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "seats", "data_type": "integer", "archived": True}])
    known = service.fields(client)
    assert list(service.check_new_fields(known, [NewField("seats", "integer")])) == []
    after = {field.name: field for field in service.prepare(client, known, [NewField("seats", "integer")])}
    (request,) = vendor.sent("PUT")
    assert (request["path"], request["body"]) == ("/data_attributes/34", {"archived": False})
    assert after["seats"].writable
    assert [field.name for field in after.values()] == [field.name for field in known]


@pytest.mark.parametrize(
    ("answer", "words"),
    [("refuse", "“seats” can't be unarchived in Intercom"), ("ignore", "“seats” is still archived in Intercom")],
)
def test_attribute_that_intercom_does_not_unarchive_is_misconfigured(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, answer: str, words: str
) -> None:
    vendor.switch(unarchive=answer, data_attributes=[{"name": "seats", "data_type": "integer", "archived": True}])
    with pytest.raises(Misconfigured, match=words) as caught:
        service.prepare(client, service.fields(client), [NewField("seats", "integer")])
    assert caught.value.where == "seats"


def test_archived_attribute_that_is_not_wanted_stays_archived(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "old", "data_type": "integer", "archived": True}])
    service.prepare(client, service.fields(client), [NewField("seats", "integer")])
    assert vendor.sandbox.attributes.active("old") is None
    assert vendor.sandbox.attributes.active("seats") is not None


@pytest.mark.parametrize("form", ["text", "code", "conflict"])
def test_attribute_created_by_a_concurrent_run_is_used(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, form: str
) -> None:
    known = service.fields(client)
    vendor.switch(attribute_exists=form, data_attributes=[{"name": "seats", "data_type": "integer"}])
    after = {field.name: field for field in service.prepare(client, known, [NewField("seats", "integer")])}
    assert after["seats"].writable


def test_attribute_created_concurrently_with_a_different_type_is_misconfigured(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    known = service.fields(client)
    vendor.switch(data_attributes=[{"name": "seats", "data_type": "boolean"}])
    with pytest.raises(
        Misconfigured, match="“seats” in Intercom is of type boolean, but the column has integer values"
    ):
        service.prepare(client, known, [NewField("seats", "integer")])


@pytest.mark.parametrize("fault", [{"action": "cut_after"}, {"action": "reply", "status": 500}])
def test_attribute_whose_answer_was_lost_is_found(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, fault: dict[str, Any]
) -> None:
    known = service.fields(client)
    vendor.fail(method="POST", **fault)
    if fault["action"] == "reply":
        with pytest.raises(Unavailable):
            service.prepare(client, known, [NewField("seats", "integer")])
    after = {field.name for field in service.prepare(client, known, [NewField("seats", "integer")])}
    assert "seats" in after
    assert [attribute["name"] for attribute in vendor.sandbox.state()["data_attributes"]] == ["seats"]


@pytest.mark.parametrize("status", [400, 403, 422])
def test_attribute_that_intercom_does_not_create_is_misconfigured(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, status: int
) -> None:
    vendor.switch(attribute_limit=0, limit_status=status)
    with pytest.raises(Misconfigured) as caught:
        service.prepare(client, service.fields(client), [NewField("seats", "integer")])
    assert (caught.value.code, caught.value.where) == ("custom_data_limit_reached", "seats")
    assert "“seats” can't be created in Intercom" in caught.value.message
    assert "has reached Intercom's limit for custom attributes" in caught.value.message


def test_missing_permission_to_create_is_named(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(missing_scopes=["Write data attributes"])
    with pytest.raises(Misconfigured, match="lacks the permission “Write data attributes”"):
        service.prepare(client, service.fields(client), [NewField("seats", "integer")])


def test_obstacles_are_reported_before_anything_is_sent(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "data_type": "string", "model": "contact"}])
    known = service.fields(client)
    wanted = [NewField("seats", "integer"), NewField("tier", "text")]
    (sentence,) = service.check_new_fields(known, wanted)
    assert "“tier” is already a custom attribute of contacts" in sentence
    with pytest.raises(Misconfigured) as caught:
        service.prepare(client, known, wanted)
    assert caught.value.message == sentence
    assert vendor.sent("POST") == []


@pytest.mark.parametrize(
    "name", ["name", "company_id", "plan", "size", "monthly_spend", "remote_created_at", "user_count", "created_at"]
)
def test_names_of_standard_attributes_are_taken(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, name: str
) -> None:
    (sentence,) = service.check_new_fields(service.fields(client), [NewField(name, "text")])
    assert f"“{name}” is one of Intercom's standard attributes" in sentence


@pytest.mark.parametrize("name", ["seats", "The One Ring", "text_field", "a-b", "£ spend", "€", "Größe", "9lives"])
def test_valid_names_are_accepted(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, name: str
) -> None:
    assert obstacles(EMPTY, NewField(name, "text")) == []
    assert name in {field.name for field in service.prepare(client, service.fields(client), [NewField(name, "text")])}
