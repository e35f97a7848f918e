"""Clearing attributes of companies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Rejected
from destinations.contract import Result
from destinations.services.intercom.bodies import not_cleared
from tests.destinations.intercom.operations import MATCH, SEATS, stored, update, upsert

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from tests.destinations.intercom.conftest import Vendor


CLEARED = {"name": None, "plan": None, "size": None, "monthly_spend": None, "remote_created_at": None, "seats": None}


def test_clearing_sends_null_and_removes_the_values(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    outcome = service.write(client, update(known, set(CLEARED), **CLEARED))
    assert outcome.result is Result.ACCEPTED
    company = stored(vendor, "c1")
    assert vendor.sent()[0]["body"]["custom_attributes"] == {"seats": None}
    assert (company["plan"], company["monthly_spend"], company["custom_attributes"]["seats"]) == ({}, 0, None)
    assert not {"name", "size", "remote_created_at"} & set(company)


@pytest.mark.parametrize("name", sorted(CLEARED))
def test_value_that_intercom_did_not_clear_is_a_rejection(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, name: str
) -> None:
    vendor.switch(null_clears=False)
    with pytest.raises(Rejected) as caught:
        service.write(client, update(known, {name}, **{name: None}))
    assert (caught.value.code, caught.value.field) == ("not_cleared", name)
    assert f"Intercom did not clear {name}." in caught.value.message
    assert caught.value.request_id


def test_clearing_a_value_of_a_new_company_is_accepted(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(null_clears=False, data_attributes=[SEATS])
    assert service.write(client, upsert("c1", **CLEARED)).result is Result.ACCEPTED


@pytest.mark.parametrize("value", ["", None])
def test_empty_value_in_the_answer_counts_as_cleared(value: Any) -> None:
    assert not_cleared({"name": None, "seats": None}, {"name": value, "custom_attributes": {"seats": value}}) == []


def test_match_can_never_be_cleared(service: IntercomCompanies) -> None:
    with pytest.raises(Rejected, match="can't be cleared"):
        service.empty(MATCH)
