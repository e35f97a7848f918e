"""Writing companies: the requests that are sent, and the resulting company."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.contract import Mode, Result
from destinations.services.intercom.bodies import request_body
from tests.destinations.intercom.conftest import TOKEN, Vendor
from tests.destinations.intercom.operations import MATCH, SEATS, create, stored, update, upsert

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies


def test_service_declares_its_properties(service: IntercomCompanies) -> None:
    assert (service.slug, service.label, service.accepts) == (
        "intercom.companies",
        "Synchronize companies",
        ("custom",),
    )
    assert (service.default_mode, service.default_match) == (Mode.UPDATE, "company_id")
    assert not service.match_may_change
    assert service.creates_fields
    assert (service.limits.shared, service.limits.find_batch) == (True, 1)
    assert any("does not show a company until a contact" in note for note in service.notes)


def test_upsert_sends_the_whole_record_with_custom_attributes_under_their_key(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[SEATS])
    outcome = service.write(client, upsert("c1", name="Ñandú 株式会社", plan="Pro", size=10, seats=4))
    (request,) = vendor.sent()
    assert (request["method"], request["path"]) == ("POST", "/companies")
    assert request["body"] == {
        "company_id": "c1",
        "name": "Ñandú 株式会社",
        "plan": "Pro",
        "size": 10,
        "custom_attributes": {"seats": 4},
    }
    company = stored(vendor, "c1")
    assert (company["name"], company["plan"]["name"], company["custom_attributes"]["seats"]) == (
        "Ñandú 株式会社",
        "Pro",
        4,
    )
    assert outcome.result is Result.ACCEPTED
    assert outcome.remote_id == company["id"]
    assert outcome.created_at == datetime.fromtimestamp(company["created_at"], UTC)
    assert set(outcome.sent) == {"company_id", "name", "plan", "size", "seats"}
    assert outcome.request_id


def test_two_upserts_create_one_company(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    first = service.write(client, upsert("c1", name="A"))
    second = service.write(client, upsert("c1", name="B"))
    assert first.remote_id == second.remote_id
    assert [company["name"] for company in vendor.sandbox.state()["companies"]] == ["B"]


def test_company_without_values_is_created_with_its_id_only(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    service.write(client, upsert("c1"))
    assert vendor.sent()[0]["body"] == {"company_id": "c1"}


def test_update_sends_only_changed_values_and_never_the_company_id(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    before = stored(vendor, "c1")
    outcome = service.write(client, update(known, {"seats"}, name="New", seats=5))
    (request,) = vendor.sent()
    assert (request["method"], request["path"]) == ("PUT", f"/companies/{known}")
    assert request["body"] == {"custom_attributes": {"seats": 5}}
    after = stored(vendor, "c1")
    assert after["custom_attributes"]["seats"] == 5
    assert {key: after[key] for key in ("name", "plan", "size")} == {
        key: before[key] for key in ("name", "plan", "size")
    }
    assert outcome.sent == ("seats",)
    assert outcome.created_at == datetime.fromtimestamp(1534537334, UTC)


def test_update_without_changes_sends_nothing(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    assert service.write(client, update(known, set(), name="New")).result is Result.ACCEPTED
    assert vendor.sent() == []


def test_update_of_a_deleted_company_creates_nothing(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.call("DELETE", f"/companies/{known}")
    assert service.write(client, update(known, {"name"}, name="New")).result is Result.GONE
    assert vendor.sandbox.state()["companies"] == []


def test_upsert_of_a_deleted_company_sends_the_whole_record(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.call("DELETE", f"/companies/{known}")
    outcome = service.write(client, upsert("c1", name="New", plan="Pro"))
    assert outcome.result is Result.ACCEPTED
    assert outcome.remote_id != known
    assert stored(vendor, "c1")["plan"]["name"] == "Pro"


def test_create_sends_one_post(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    assert service.write(client, create("c1", name="A")).result is Result.ACCEPTED
    assert [entry["method"] for entry in vendor.sent()] == ["POST"]


def test_concurrently_created_company_already_exists(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    service.write(client, create("c1", name="A"))
    vendor.switch(unique_race_seconds=60)
    assert service.write(client, create("c1", name="B")).result is Result.EXISTS
    assert stored(vendor, "c1")["name"] == "A"


def test_upsert_that_loses_a_race_can_be_retried_as_an_update(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    service.write(client, upsert("c1", name="A"))
    vendor.switch(unique_race_seconds=60)
    with pytest.raises(Unavailable) as caught:
        service.write(client, upsert("c1", name="B"))
    assert (caught.value.code, caught.value.ambiguous, caught.value.throttled) == (
        "unique_company_constraint",
        False,
        False,
    )
    vendor.switch(unique_race_seconds=0)
    assert service.write(client, upsert("c1", name="B")).result is Result.ACCEPTED


def test_attribute_archived_during_a_run_is_misconfigured(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.call("PUT", "/data_attributes/34", {"archived": True})
    with pytest.raises(Misconfigured) as caught:
        service.write(client, update(known, {"seats"}, seats=9))
    assert caught.value.where == "seats"
    assert "“seats”" in caught.value.message
    assert "archived" in caught.value.message


def test_rejected_company_does_not_affect_others_and_shows_no_value(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "motto", "data_type": "string"}])
    error_body = {
        "type": "error.list",
        "request_id": "r-9",
        "errors": [{"code": "data_invalid", "message": "motto 'Per aspera' is odd"}],
    }
    vendor.fail(action="reply", body_contains="Per aspera", status=422, body=error_body)
    service.write(client, upsert("c1", motto="Ad astra"))
    with pytest.raises(Rejected) as caught:
        service.write(client, upsert("c2", motto="Per aspera"))
    service.write(client, upsert("c3", motto="Ad astra"))
    assert (caught.value.code, caught.value.request_id) == ("data_invalid", "r-9")
    assert "motto '[value]' is odd" in caught.value.message
    assert [company["company_id"] for company in vendor.sandbox.state()["companies"]] == ["c1", "c3"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 429, 500, 503])
def test_no_error_contains_the_token_or_a_value(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, status: int
) -> None:
    echo = f"Ada Lovelace Ltd c-777 Bearer {TOKEN}"
    vendor.fail(action="reply", status=status, body={"errors": [{"code": "odd", "message": echo}]})
    with pytest.raises(Problem) as caught:
        service.write(client, upsert("c-777", name="Ada Lovelace Ltd"))
    text = caught.value.message + caught.value.detail + str(caught.value)
    assert TOKEN not in text
    assert "Lovelace" not in text
    assert "c-777" not in text


def test_body_without_custom_attributes_has_no_key_for_them() -> None:
    assert request_body({"name": "A"}) == {"name": "A"}
    assert request_body({"seats": 3}) == {"custom_attributes": {"seats": 3}}


def test_lost_answer_to_a_write_is_ambiguous_and_repeating_it_creates_no_duplicate(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.fail(action="cut_after", method="POST")
    with pytest.raises(Unavailable) as caught:
        service.write(client, upsert("c1", name="A"))
    assert caught.value.ambiguous
    assert service.write(client, upsert("c1", name="A")).result is Result.ACCEPTED
    assert len(vendor.sandbox.state()["companies"]) == 1


def test_many_threads_share_one_client(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    def send(start: int) -> None:
        for number in range(start, 80, 4):
            service.write(client, upsert(f"c{number}", name=f"Company {number}"))

    threads = [threading.Thread(target=send, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vendor.sandbox.state()["companies"]) == 80


def test_companies_are_never_listed_or_scrolled(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    service.fields(client)
    service.find(client, MATCH, ["c1"])
    service.write(client, upsert("c1", name="A"))
    service.write(client, update(known, {"name"}, name="B"))
    paths = {entry["path"] for entry in vendor.sent()}
    assert paths == {"/data_attributes", "/companies", f"/companies/{known}"}
