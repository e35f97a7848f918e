"""Companies whose remote_created_at changed, if Intercom accepts the change and if it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured, Rejected
from destinations.contract import Purpose, Result
from tests.destinations.intercom.operations import stored, update, update_or_create

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from tests.destinations.intercom.conftest import RecordingGate, Vendor


def test_changed_remote_created_at_is_written_if_intercom_accepts_it(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    outcome = service.write(client, update(known, {"remote_created_at"}, remote_created_at=1400000000))
    assert outcome.result is Result.ACCEPTED
    assert stored(vendor, "c1")["remote_created_at"] == 1400000000
    assert len(vendor.sent()) == 1


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_remote_created_at_that_intercom_does_not_change_is_a_rejection(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, answer: str
) -> None:
    vendor.switch(put_remote_created_at=answer)
    with pytest.raises(Rejected) as caught:
        service.write(client, update(known, {"remote_created_at"}, remote_created_at=1400000000))
    assert (caught.value.code, caught.value.field) == ("remote_created_at_fixed", "remote_created_at")
    assert "can't be kept up to date" in caught.value.message
    assert stored(vendor, "c1")["remote_created_at"] == 1374138000


def test_other_values_are_written_if_remote_created_at_is_already_right(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, gate: RecordingGate
) -> None:
    vendor.switch(put_remote_created_at="refuse")
    values = {"name": "New", "remote_created_at": 1374138000}
    outcome = service.write(client, update(known, set(values), **values))
    assert outcome.result is Result.ACCEPTED
    assert outcome.sent == ("name",)
    assert stored(vendor, "c1")["name"] == "New"
    assert gate.waited == [Purpose.WRITE, Purpose.WRITE]


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_upsert_mode_sends_the_whole_record_if_remote_created_at_is_not_accepted(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, answer: str
) -> None:
    vendor.switch(put_remote_created_at=answer)
    values = {"name": "New", "remote_created_at": 1400000000}
    outcome = service.write(client, update_or_create(known, {"remote_created_at"}, **values))
    assert (outcome.result, outcome.remote_id, outcome.sent) == (
        Result.ACCEPTED,
        known,
        ("company_id", "name", "remote_created_at"),
    )
    assert [(entry["method"], entry["path"]) for entry in vendor.sent()] == [
        ("PUT", f"/companies/{known}"),
        ("POST", "/companies"),
    ]
    assert (stored(vendor, "c1")["name"], stored(vendor, "c1")["remote_created_at"]) == ("New", 1400000000)


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_update_of_remote_created_at_is_not_tried_again_after_the_first_failure(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, answer: str
) -> None:
    vendor.switch(put_remote_created_at=answer)
    for seconds in (1400000000, 1400000001, 1400000002):
        service.write(client, update_or_create(known, {"remote_created_at"}, remote_created_at=seconds))
    service.write(client, update_or_create(known, {"name"}, name="Newer", remote_created_at=1400000002))
    assert [entry["method"] for entry in vendor.sent()] == ["PUT", "POST", "POST", "POST", "PUT"]
    assert stored(vendor, "c1")["remote_created_at"] == 1400000002


def test_nothing_more_is_written_if_only_remote_created_at_changed_and_it_is_already_right(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.switch(put_remote_created_at="refuse")
    outcome = service.write(client, update(known, {"remote_created_at"}, remote_created_at=1374138000))
    assert (outcome.result, outcome.sent) == (Result.ACCEPTED, ())
    assert [entry["method"] for entry in vendor.sent()] == ["PUT", "GET"]


def test_company_deleted_after_remote_created_at_was_not_accepted_is_gone(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    error_body = {
        "type": "error.list",
        "errors": [{"code": "bad_request", "message": "bad 'remote_created_at' parameter"}],
    }
    vendor.fail(action="reply", method="PUT", status=400, body=error_body)
    vendor.call("DELETE", f"/companies/{known}")
    assert service.write(client, update(known, {"remote_created_at"}, remote_created_at=5)).result is Result.GONE


def test_error_about_a_different_parameter_is_misconfigured(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    error_body = {"type": "error.list", "errors": [{"code": "bad_request", "message": "bad 'size' parameter"}]}
    vendor.fail(action="reply", method="PUT", status=400, body=error_body)
    with pytest.raises(Misconfigured) as caught:
        service.write(client, update(known, {"remote_created_at", "size"}, remote_created_at=5, size=3))
    assert caught.value.where == "size"
