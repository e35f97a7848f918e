"""Finding companies by their company_id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Unavailable
from destinations.contract import Purpose
from tests.destinations.intercom.operations import MATCH, stored
from tests.destinations.lookups import ids

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from tests.destinations.intercom.conftest import RecordingGate, Vendor


def test_find_looks_up_each_company_id_and_finds_companies_without_contacts(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, gate: RecordingGate
) -> None:
    vendor.switch(companies=[{"company_id": "a b:c/é&=?"}])
    assert ids(service.find(client, MATCH, ["a b:c/é&=?"])) == {"a b:c/é&=?": stored(vendor, "a b:c/é&=?")["id"]}
    assert service.find(client, MATCH, ["nobody"]) == {}
    assert gate.waited == [Purpose.LOOKUP, Purpose.LOOKUP]
    assert {(entry["method"], entry["path"]) for entry in vendor.sent()} == {("GET", "/companies")}


def test_find_accepts_a_list(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    vendor.switch(companies=[{"company_id": "c1"}], lookup_as_list=True)
    assert ids(service.find(client, MATCH, ["c1"])) == {"c1": stored(vendor, "c1")["id"]}


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "list", "data": []},
        {"type": "list", "data": [{"id": "6762f0761bb69f9f2193bae2", "company_id": "C1"}]},
        {"type": "company", "id": "6762f0761bb69f9f2193bae2", "company_id": "c10"},
    ],
)
def test_find_ignores_a_different_company(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, answer: dict[str, Any]
) -> None:
    vendor.fail(action="reply", status=200, body=answer)
    assert service.find(client, MATCH, ["c1"]) == {}


def test_unreadable_lookup_answer_is_unavailable(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.fail(action="reply", status=200, body={"type": "surprise"})
    with pytest.raises(Unavailable):
        service.find(client, MATCH, ["c1"])


@pytest.mark.parametrize(("given", "identity"), [("Acme ", "Acme "), ("007", "007"), (7, "7"), (7.0, "7")])
def test_identity_is_the_company_id_exactly_as_given(service: IntercomCompanies, given: Any, identity: str) -> None:
    assert service.identity(MATCH, service.convert(MATCH, given)) == identity
