"""Contacts that are attached to a hidden company: exact matches, few requests, and companies that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Rejected

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from destinations.services.intercom.sandbox.server import IntercomSandbox
    from tests.destinations.intercom.conftest import Vendor


@pytest.fixture
def sandbox(vendor: Vendor) -> IntercomSandbox:
    return vendor.sandbox


@pytest.fixture
def company(sandbox: IntercomSandbox) -> str:
    """Intercom's ID of a company without contacts."""
    sandbox._switch({"companies": [{"company_id": "1"}]})
    return str(sandbox.state()["companies"][0]["id"])


def know(sandbox: IntercomSandbox, *contacts: dict[str, Any]) -> None:
    sandbox._switch({"contacts": list(contacts)})


def requests(sandbox: IntercomSandbox) -> list[str]:
    found = [f"{entry['method']} {entry['path']}" for entry in sandbox.log]
    sandbox.log.clear()
    return found


def test_contact_that_is_found_by_external_id_takes_one_search_and_one_write(
    service: IntercomCompanies, client: IntercomClient, sandbox: IntercomSandbox, company: str
) -> None:
    know(sandbox, {"id": "c1", "external_id": "1"}, {"id": "c2", "email": "b@example.com"})
    requests(sandbox)
    people = [{"external_id": "1", "email": "a@example.com"}, {"email": "b@example.com"}]
    done = service.reveal(client, company, people, 1, is_hidden=True)
    assert (done.attached, done.refusals, done.was_visible) == (("c1",), (), False)
    assert done.request_id
    assert requests(sandbox) == ["POST /contacts/search", "POST /contacts/c1/companies"]


def test_external_ids_are_compared_exactly_and_addresses_ignoring_case(
    service: IntercomCompanies, client: IntercomClient, sandbox: IntercomSandbox, company: str
) -> None:
    know(sandbox, {"id": "c1", "external_id": "ab"}, {"id": "c2", "email": "Ann@Example.com"})
    assert service.reveal(client, company, [{"external_id": "AB"}], 1, is_hidden=True).attached == ()
    assert service.reveal(client, company, [{"email": "ann@example.COM"}], 1, is_hidden=True).attached == ("c2",)


def test_unknown_people_cost_two_searches_and_no_write(
    service: IntercomCompanies, client: IntercomClient, sandbox: IntercomSandbox, company: str
) -> None:
    people = [{"external_id": str(n), "email": f"p{n}@example.com"} for n in range(50)]
    requests(sandbox)
    assert service.reveal(client, company, people, 5, is_hidden=False).attached == ()
    assert requests(sandbox) == ["POST /contacts/search", "POST /contacts/search"]


def test_company_that_is_visible_already_is_left_as_it_is(
    service: IntercomCompanies, client: IntercomClient, sandbox: IntercomSandbox, company: str
) -> None:
    know(sandbox, {"id": "c1", "external_id": "1"}, {"id": "c2", "external_id": "2"})
    assert service.reveal(client, company, [{"external_id": "1"}], 1, is_hidden=True).attached == ("c1",)
    requests(sandbox)
    done = service.reveal(client, company, [{"external_id": "2"}], 1, is_hidden=False)
    assert (done.attached, done.was_visible) == ((), True)
    assert requests(sandbox) == ["POST /contacts/search", f"GET /companies/{company}"]


@pytest.mark.parametrize("is_hidden", [True, False])
def test_company_that_is_gone_is_refused(
    service: IntercomCompanies, client: IntercomClient, sandbox: IntercomSandbox, company: str, is_hidden: bool
) -> None:
    know(sandbox, {"id": "c1", "external_id": "1"})
    sandbox.companies.delete(company)
    with pytest.raises(Rejected) as refused:
        service.reveal(client, company, [{"external_id": "1"}], 1, is_hidden=is_hidden)
    assert refused.value.code == "company_gone"


def test_contact_that_was_merged_is_passed_over(
    service: IntercomCompanies, client: IntercomClient, sandbox: IntercomSandbox, company: str
) -> None:
    know(sandbox, {"id": "c1", "external_id": "1"}, {"id": "c2", "external_id": "2"})
    sandbox.switches["merged_contacts"] = ["c1"]
    done = service.reveal(client, company, [{"external_id": "1"}, {"external_id": "2"}], 1, is_hidden=True)
    assert (done.attached, [refusal.code for refusal in done.refusals]) == (("c2",), ["contact_gone"])
