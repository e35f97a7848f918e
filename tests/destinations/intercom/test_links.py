"""Contacts and their companies: which requests a link takes, and what a contact holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Rejected
from destinations.contract import Field, Operation, Result, Verb
from destinations.services.intercom import contact_company, links
from destinations.services.intercom.contacts import IntercomContacts

if TYPE_CHECKING:
    from destinations.contract import Held
    from destinations.services.intercom.client import IntercomClient
    from tests.destinations.intercom.conftest import Vendor

contacts = IntercomContacts()
EXTERNAL_ID = Field("external_id", "External ID", "string", matchable=True)


def upsert(company: str | None, add: bool = True, **values: Any) -> Operation:
    values = {"company": company, **values}
    added = frozenset({"company"}) if add else frozenset()
    return Operation(Verb.UPSERT, "external_id", "p1", values, frozenset(values), added)


def update(remote_id: str, company: str | None, add: bool = True, **values: Any) -> Operation:
    return replace(upsert(company, add, **values), verb=Verb.UPDATE, remote_id=remote_id)


def calls(vendor: Vendor) -> list[str]:
    """The requests since the last call."""
    found = [f"{entry['method']} {entry['path']}" for entry in vendor.sandbox.log]
    vendor.sandbox.log.clear()
    return found


def held(client: IntercomClient, vendor: Vendor) -> Held:
    (found,) = contacts.find(client, EXTERNAL_ID, ["p1"]).values()
    vendor.sandbox.log.clear()
    return contacts.complete(client, found, ["company"])


@pytest.fixture(autouse=True)
def _companies(vendor: Vendor) -> None:
    vendor.switch(companies=[{"company_id": f"c{number}", "id": f"{number:024x}"} for number in range(1, 100)])


def test_new_contact_is_created_and_then_attached(client: IntercomClient, vendor: Vendor) -> None:
    outcome = contacts.write(client, upsert("c1", name="Ada"))
    path = f"/contacts/{outcome.remote_id}/companies"
    assert calls(vendor) == ["GET /companies", "POST /contacts", f"POST {path}"]
    assert (outcome.sent, dict(outcome.waiting)) == (("external_id", "name", "company"), {})
    assert vendor.sandbox.memberships.company_ids_of(outcome.remote_id) == ["c1"]
    contacts.write(client, update(outcome.remote_id, "c1", name="Bob"))
    assert calls(vendor) == [f"PUT /contacts/{outcome.remote_id}"], "the answer shows that it is attached already"


def test_company_alone_needs_no_update_of_the_contact(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(contacts=[{"id": "a1", "external_id": "p1"}])
    outcome = contacts.write(client, update("a1", "c2"))
    assert calls(vendor) == ["GET /companies", "POST /contacts/a1/companies"]
    assert outcome.sent == ("company",)


def test_others_are_detached_only_after_the_contact_is_attached(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(contacts=[{"id": "a1", "external_id": "p1", "company_ids": ["c1", "c2", "c3"]}])
    contacts.write(client, update("a1", "c4", add=False))
    before = [f"DELETE /contacts/a1/companies/{number:024x}" for number in (1, 2, 3)]
    assert calls(vendor) == [
        "GET /companies", "POST /contacts/a1/companies", "GET /contacts/a1/companies", *before,
    ]  # fmt: skip
    assert vendor.sandbox.memberships.company_ids_of("a1") == ["c4"]
    contacts.write(client, update("a1", None, add=False))
    assert vendor.sandbox.memberships.company_ids_of("a1") == []


def test_every_page_of_companies_is_read(client: IntercomClient, vendor: Vendor) -> None:
    many = [f"c{number}" for number in range(1, 60)]
    vendor.switch(contacts=[{"id": "a1", "external_id": "p1", "company_ids": many}])
    assert held(client, vendor).values["company"] == many
    assert calls(vendor) == ["GET /contacts/a1/companies"] * 2
    assert [company["company_id"] for company in links.companies_of(client, "a1")] == many


def test_companies_known_from_other_answers_take_no_request(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(contacts=[{"id": "a1", "external_id": "p1", "company_ids": ["c1"]}])
    assert held(client, vendor).values["company"] == ["c1"]
    assert calls(vendor) == ["GET /contacts/a1/companies"]
    assert held(client, vendor).values["company"] == ["c1"]
    assert calls(vendor) == []


def test_contact_without_a_company_takes_no_request(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(contacts=[{"id": "a1", "external_id": "p1"}])
    found = held(client, vendor)
    assert (found.values["company"], calls(vendor)) == ([], [])
    company = Field("company", "Company", "company")
    assert contacts.same(company, None, found)
    assert not contacts.same(company, "c1", found, adds=True)
    assert contacts.shown(company, found) is None


@pytest.mark.parametrize(
    ("wire", "company_ids", "adds", "expected"),
    [
        ("c1", ["c1"], True, True),
        ("c1", ["c1"], False, True),
        ("c1", ["c1", "c2"], True, True),
        ("c1", ["c1", "c2"], False, False),
        ("c1", ["c2"], True, False),
        ("c1", [], True, False),
        ("c1", None, True, False),
        (None, None, True, True),
        (None, None, False, False),
        (None, [], False, True),
        (None, ["c1"], False, False),
    ],
)
def test_contact_holds_its_company(wire: str | None, company_ids: list[str] | None, adds: bool, expected: bool) -> None:
    assert contact_company.holds(wire, company_ids, adds=adds) is expected


def test_unknown_company_waits_and_is_looked_up_once(client: IntercomClient, vendor: Vendor) -> None:
    outcome = contacts.write(client, upsert("nobody", name="Ada"))
    assert outcome.result == Result.ACCEPTED
    assert {name: problem.code for name, problem in outcome.waiting.items()} == {"company": "company_unknown"}
    assert calls(vendor) == ["GET /companies", "POST /contacts"]
    contacts.write(client, update(outcome.remote_id, "nobody"))
    assert calls(vendor) == []


def test_link_of_a_contact_that_is_gone_is_no_rejection(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(contacts=[{"id": "a1", "external_id": "p1"}], merged_contacts=["a1"])
    assert contacts.write(client, update("a1", "c1")).result == Result.GONE
    assert contacts.write(client, update("missing", "c1")).result == Result.GONE


def test_attaching_and_detaching_can_be_repeated(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(contacts=[{"id": "a1", "external_id": "p1"}])
    remote_id = f"{1:024x}"
    for _ in range(2):
        links.attach(client, "a1", remote_id)
    assert (vendor.company("c1") or {})["user_count"] == 1
    for _ in range(2):
        links.detach(client, "a1", remote_id)
    assert (vendor.company("c1") or {})["user_count"] == 0
    with pytest.raises(Rejected, match="company_id"):
        links.attach(client, "a1", f"{999:024x}")


def test_thousandth_company_is_the_last(client: IntercomClient, vendor: Vendor) -> None:
    many = [{"company_id": f"x{number}", "id": f"{1000 + number:024x}"} for number in range(1000)]
    contact = {"id": "a1", "external_id": "p1", "company_ids": [company["company_id"] for company in many]}
    vendor.switch(companies=many, contacts=[contact])
    with pytest.raises(Rejected, match="1,000 companies") as rejected:
        contacts.write(client, update("a1", "c1"))
    assert rejected.value.code == "contact_company_limit_exceeded"
    outcome = contacts.write(client, update("a1", "c1", name="Ada"))
    assert [problem.code for problem in outcome.waiting.values()] == ["contact_company_limit_exceeded"]
