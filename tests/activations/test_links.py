"""Contacts are attached to their companies in Intercom, exactly as in the source, and only what changed is sent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from activations import execute
from activations.delivery import preview
from activations.models import Activation, Change, FieldMapping
from destinations.models import Connection, Destination
from destinations.sandbox.wire import Fault
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import TOKEN, Shop, map_fields, run, writes
from tests.activations.test_story import request

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class Office:
    """A source with companies and people, and an activation for each to the same workspace of Intercom."""

    def __init__(self, shop: Shop, sandbox: Any) -> None:
        self.shop, self.sandbox = shop, sandbox
        shop.run("create table people (id text primary key, name text, company text)")
        source = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
        self.connection = Connection.objects.create(
            name="Intercom", platform="intercom", config={"region": "us"}, secrets={"token": TOKEN}
        )
        self.companies = self._activation(source, "companies", "company_id")
        self.contacts = self._activation(source, "people", "external_id")
        map_fields(self.companies, ("name", "name"))
        map_fields(self.contacts, ("name", "name"), ("company", "company"))

    def _activation(self, source: Source, table: str, match: str) -> Activation:
        model = DataModel.objects.create(name=table.title(), source=source, table=table, primary_key="id")
        refresh_columns(model)
        kind = "companies" if table == "companies" else "contacts"
        return Activation.objects.create(
            name=table.title(),
            model=model,
            destination=Destination.objects.create(
                name=f"Intercom {kind}", connection=self.connection, service=f"intercom.{kind}"
            ),
            mode="upsert",
            match_column="id",
            match_field=match,
            hold_first_creates=False,
        )

    def fill(self, companies: int, people: int) -> None:
        """Person n belongs to company n modulo the number of companies, which starts again at 1."""
        self.shop.fill(companies)
        rows = [(f"p{n}", f"Person {n}", str((n - 1) % companies + 1)) for n in range(1, people + 1)]
        self.shop.run("insert into people values (?, ?, ?)", *rows)

    def move(self, person: str, company: str | None) -> None:
        self.shop.run("update people set company = ? where id = ?", (company, person))

    def detaches(self) -> None:
        """Sets the mapping to belong to one company only."""
        self.contacts.mappings.filter(target="company").update(multi=FieldMapping.Multi.DETACH)

    def links(self) -> set[tuple[str, str]]:
        """Each link at Intercom: external ID, company_id."""
        memberships = self.sandbox.memberships
        return {
            (contact["external_id"], company_id)
            for contact in self.sandbox.contacts.by_id.values()
            for company_id in memberships.company_ids_of(contact["id"])
        }

    def linked(self) -> set[tuple[str, str]]:
        """Each link in the source."""
        rows = self.shop.rows("select id, company from people where company is not null")
        return {(person, company) for person, company in rows}


@pytest.fixture
def office(shop: Shop, intercom: Sandbox, transactional_db: None) -> Office:
    return Office(shop, intercom)


def sent(sandbox: Sandbox) -> list[str]:
    """The kinds of the requests that may have changed something, such as `PUT /contacts/…`. Clears the log."""
    shapes = []
    for entry in writes(sandbox):
        parts = entry["path"].split("/")
        path = "/".join("…" if place in (2, 4) and part != "search" else part for place, part in enumerate(parts))
        shapes.append(f"{entry['method']} {path}")
    return shapes


ATTACH, DETACH, UPDATE = "POST /contacts/…/companies", "DELETE /contacts/…/companies/…", "PUT /contacts/…"


def test_one_run_of_each_links_everything_and_a_second_one_sends_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    # In one slice: the next one looks companies up again, because a different process may execute it.
    settings.RUN_SLICE_SECONDS = 600
    monkeypatch.setattr(execute, "HANDOVER_SECONDS", 600)
    office.fill(companies=500, people=800)
    first, contacts = run(office.companies), run(office.contacts)
    assert (first.accepted, first.hidden) == (500, 500)
    assert office.links() == office.linked()
    assert len(office.linked()) == 800
    assert {company["user_count"] for company in office.sandbox.state()["companies"]} == {1, 2}
    assert (contacts.state, contacts.accepted, contacts.created, contacts.incomplete) == ("succeeded", 800, 800, 0)
    assert contacts.write_requests == 1600
    assert contacts.lookup_requests == 500, "each company is looked up once in a slice"
    for activation in (office.companies, office.contacts):
        again = run(activation)
        assert (again.planned, again.lookup_requests, again.write_requests) == (0, 0, 0)


def test_changed_company_is_one_request_and_leaves_the_former_one(office: Office) -> None:
    office.fill(companies=3, people=3)
    run(office.companies)
    run(office.contacts)
    sent(office.sandbox)
    office.move("p1", "2")
    done = run(office.contacts)
    assert (done.planned, done.accepted, done.write_requests, done.lookup_requests) == (1, 1, 1, 1)
    assert sent(office.sandbox) == [ATTACH]
    assert office.links() == office.linked() | {("p1", "1")}
    assert Change.objects.filter(run=done).values_list("sent", flat=True).get() == ["company"]


def test_changed_company_and_name_are_two_requests(office: Office) -> None:
    office.fill(companies=2, people=2)
    run(office.companies)
    run(office.contacts)
    sent(office.sandbox)
    office.move("p1", "2")
    office.shop.run("update people set name = 'Ada' where id = 'p1'")
    office.shop.run("update people set name = 'Bob' where id = 'p2'")
    assert run(office.contacts).accepted == 2
    assert Counter(sent(office.sandbox)) == {UPDATE: 2, ATTACH: 1}


def test_contact_that_belongs_to_one_company_only_is_detached_from_the_others(office: Office) -> None:
    office.detaches()
    office.fill(companies=3, people=3)
    run(office.companies)
    run(office.contacts)
    assert DETACH not in sent(office.sandbox)
    office.move("p1", "2")
    office.move("p2", None)
    run(office.contacts)
    assert sent(office.sandbox) == [ATTACH, DETACH]
    assert office.links() == {("p1", "2"), ("p2", "2"), ("p3", "3")}, "an empty value keeps the company"
    office.contacts.mappings.filter(target="company").update(when_empty="clear")
    assert run(office.contacts).accepted == 1
    assert sent(office.sandbox) == [DETACH]
    assert office.links() == office.linked()
    assert run(office.contacts).planned == 0


def test_empty_company_never_detaches_unless_that_was_chosen(office: Office) -> None:
    office.contacts.mappings.filter(target="company").update(when_empty="clear")
    office.fill(companies=1, people=1)
    run(office.companies)
    run(office.contacts)
    sent(office.sandbox)
    office.move("p1", None)
    assert run(office.contacts).rejected == 0
    assert sent(office.sandbox) == []
    assert office.links() == {("p1", "1")}
    assert run(office.contacts).planned == 0


def test_contacts_that_come_first_are_attached_in_the_run_after_their_companies(office: Office) -> None:
    office.fill(companies=20, people=50)
    first = run(office.contacts)
    assert (first.accepted, first.created, first.incomplete, first.lookup_requests) == (50, 50, 50, 20)
    assert first.state == "completed_with_warnings"
    change = Change.objects.filter(run=first).first()
    assert change is not None
    assert (change.outcome, change.code, change.field, change.sent) == (
        "accepted", "company_unknown", "company", ["external_id", "name"],
    )  # fmt: skip
    sent(office.sandbox)
    waiting = run(office.contacts)
    assert (waiting.planned, waiting.skipped, waiting.incomplete, waiting.write_requests) == (50, 50, 50, 0)
    run(office.companies)
    sent(office.sandbox)
    done = run(office.contacts)
    assert (done.state, done.planned, done.accepted, done.incomplete) == ("succeeded", 50, 50, 0)
    assert set(sent(office.sandbox)) == {ATTACH}
    assert office.links() == office.linked()
    assert run(office.contacts).planned == 0


def test_change_made_while_the_company_is_missing_is_sent_at_once(office: Office) -> None:
    office.fill(companies=1, people=2)
    office.move("p2", "missing")
    run(office.companies)
    run(office.contacts)
    sent(office.sandbox)
    office.shop.run("update people set name = 'Ada' where id = 'p2'")
    done = run(office.contacts)
    assert (done.planned, done.accepted, done.incomplete) == (1, 1, 1)
    assert sent(office.sandbox) == [UPDATE]
    assert [contact["name"] for contact in office.sandbox.state()["contacts"] if contact["external_id"] == "p2"] == [
        "Ada"
    ]
    office.move("p2", "1")
    assert run(office.contacts).incomplete == 0
    assert office.links() == {("p1", "1"), ("p2", "1")}


def test_company_that_moves_to_a_missing_one_and_back_is_attached_as_in_the_source(office: Office) -> None:
    office.detaches()
    office.fill(companies=2, people=1)
    run(office.companies)
    run(office.contacts)
    office.move("p1", "missing")
    assert run(office.contacts).incomplete == 1
    assert office.links() == {("p1", "1")}, "it is not detached before it has a new company"
    office.move("p1", "1")
    assert run(office.contacts).incomplete == 0
    assert office.links() == {("p1", "1")}
    assert run(office.contacts).planned == 0


def test_full_sync_attaches_no_contact_again(office: Office) -> None:
    office.fill(companies=2, people=4)
    run(office.companies)
    run(office.contacts)
    sent(office.sandbox)
    done = run(office.contacts, full=True)
    assert (done.accepted + done.matched, done.incomplete) == (4, 0)
    assert ATTACH not in sent(office.sandbox)


def test_deleted_contact_is_created_with_its_company(office: Office) -> None:
    office.fill(companies=2, people=1)
    run(office.companies)
    run(office.contacts)
    contact_id = next(iter(office.sandbox.contacts.by_id))
    office.sandbox.switches["merged_contacts"] = [contact_id]
    office.sandbox.contacts.by_id[contact_id]["external_id"] = None
    office.move("p1", "2")
    assert run(office.contacts).created == 1
    assert ("p1", "2") in office.links()


def test_thousand_and_first_company_is_rejected_in_its_own_words(office: Office) -> None:
    many = [{"company_id": f"c{n}"} for n in range(1000)]
    contact = {"id": "a1", "external_id": "p1", "company_ids": [company["company_id"] for company in many]}
    office.sandbox._switch({"companies": many, "contacts": [contact]})
    office.fill(companies=1, people=1)
    run(office.companies)
    done = run(office.contacts)
    change = Change.objects.get(run=done)
    assert (done.accepted, done.incomplete, change.code) == (1, 1, "contact_company_limit_exceeded")
    assert "1,000 companies" in change.message
    again = run(office.contacts)
    assert (again.rejected, again.write_requests) == (1, 1)


def test_preview_says_which_request_attaches_or_what_the_contact_waits_for(office: Office, staff: Any) -> None:
    office.fill(companies=2, people=1)
    run(office.companies)
    run(office.contacts)
    person = User.objects.get()
    office.move("p1", "missing")
    waits = preview.request_for(office.contacts, "p1", person)
    assert (waits.outcome, waits.code, waits.field) == ("skipped", "company_unknown", "company")
    office.move("p1", "2")
    shown = preview.request_for(office.contacts, "p1", person)
    assert (shown.method, shown.url.endswith("/companies"), shown.changed) == ("POST", True, ("company",))
    assert office.links() == {("p1", "1")}


@pytest.mark.parametrize("mode", ["upsert", "insert"])
@pytest.mark.parametrize("action", ["cut", "cut_after", "reply"])
def test_failed_attachment_is_repeated_and_creates_no_contact_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch, mode: str, action: str
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    Activation.objects.filter(pk=office.contacts.pk).update(mode=mode)
    activation = Activation.objects.get(pk=office.contacts.pk)
    office.fill(companies=2, people=6)
    run(office.companies)
    office.sandbox.faults.append(Fault(action, "POST", "/contacts/.+/companies$", times=3, status=503, body={}))
    done = run(activation)
    assert (done.accepted, done.skipped, done.rejected, done.unknown) == (6, 0, 0, 0)
    assert len(office.sandbox.state()["contacts"]) == 6
    assert office.links() == office.linked()


def test_company_deleted_after_its_lookup_makes_the_link_wait(office: Office) -> None:
    office.fill(companies=1, people=1)
    run(office.companies)
    remote_id = office.sandbox.state()["companies"][0]["id"]
    body = {"type": "error.list", "errors": [{"code": "company_not_found", "message": "Company Not Found"}]}
    office.sandbox.faults.append(Fault("reply", "POST", "/contacts/.+/companies$", status=404, body=body))
    done = run(office.contacts)
    assert (done.accepted, done.incomplete) == (1, 1)
    office.sandbox.handle(request("DELETE", f"/companies/{remote_id}"))
    office.shop.set(1, "name", "Again")
    run(office.companies)
    assert run(office.contacts).incomplete == 0
    assert office.links() == {("p1", "1")}


def test_compared_contact_is_matched_only_if_it_belongs_to_its_company(office: Office) -> None:
    Activation.objects.filter(pk=office.contacts.pk).update(compare_first=True)
    activation = Activation.objects.get(pk=office.contacts.pk)
    office.fill(companies=3, people=3)
    run(office.companies)
    office.sandbox._switch(
        {
            "contacts": [
                {"id": "a1", "external_id": "p1", "name": "Person 1", "company_ids": ["1", "2"]},
                {"id": "a2", "external_id": "p2", "name": "Person 2", "company_ids": ["3"]},
                {"id": "a3", "external_id": "p3", "name": "Person 3"},
            ]
        }
    )
    sent(office.sandbox)
    done = run(activation)
    assert (done.matched, done.accepted, done.created) == (1, 2, 0)
    assert [path for path in sent(office.sandbox) if path != "POST /contacts/search"] == [ATTACH, ATTACH]
    assert office.linked() <= office.links()
    assert run(activation).planned == 0
