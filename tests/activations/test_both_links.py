"""Both ways of linking beside each other: companies attach known contacts, and contacts name their company."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations.models import AttachContacts
from tests.activations.conftest import Shop, run
from tests.activations.test_links import Office

if TYPE_CHECKING:
    from activations.models import Run
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
COMPANIES, PEOPLE = 500, 800


@pytest.fixture
def office(shop: Shop, intercom: Sandbox, transactional_db: None) -> Office:
    office = Office(shop, intercom)
    office.fill(COMPANIES, PEOPLE)
    AttachContacts.objects.create(
        activation=office.companies,
        model=office.contacts.data_model,
        company_column="company",
        found_by={"external_id": "id"},
    )
    return office


def hidden(office: Office) -> int:
    return sum(company["user_count"] == 0 for company in office.sandbox.state()["companies"])


def requests(done: Run) -> tuple[int, int, int]:
    return done.planned, done.write_requests, done.lookup_requests


def test_companies_first_then_contacts_makes_all_visible_and_a_second_run_of_each_writes_nothing(
    office: Office,
) -> None:
    companies, contacts = run(office.companies), run(office.contacts)
    assert (companies.accepted, companies.still_hidden, companies.made_visible) == (COMPANIES, COMPANIES, 0)
    assert (contacts.state, contacts.accepted, contacts.incomplete) == ("succeeded", PEOPLE, 0)
    assert office.links() == office.linked()
    assert hidden(office) == 0
    again = run(office.companies)
    assert (again.planned, again.write_requests, again.still_hidden) == (0, 0, 0)
    assert requests(run(office.contacts)) == (0, 0, 0)
    assert requests(run(office.companies)) == (0, 0, 0), "companies that are visible aren't looked at again"
    assert office.links() == office.linked()


def test_contacts_that_were_there_first_are_attached_by_their_companies_and_linked_exactly(office: Office) -> None:
    early, companies = run(office.contacts), run(office.companies)
    assert (early.accepted, early.incomplete) == (PEOPLE, PEOPLE), "no company was there yet"
    assert (companies.accepted, companies.made_visible, hidden(office)) == (COMPANIES, COMPANIES, 0)
    assert office.links() <= office.linked()
    late = run(office.contacts)
    assert (late.state, late.accepted, late.incomplete) == ("succeeded", PEOPLE, 0)
    assert office.links() == office.linked()
    assert requests(run(office.companies)) == (0, 0, 0)
    assert requests(run(office.contacts)) == (0, 0, 0)
