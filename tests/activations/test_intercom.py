"""Whole runs to Intercom: modes, lookups, other companies, companies that are not visible yet, and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from activations.models import Activation, Record
from destinations.models import Budget
from destinations.sandbox.wire import Fault
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, destination, map_fields, run, writes
from tests.activations.test_story import request

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def to_update(to_intercom: Activation) -> Activation:
    Activation.objects.filter(pk=to_intercom.pk).update(mode="update")
    return Activation.objects.get(pk=to_intercom.pk)


def test_update_mode_looks_up_each_unknown_company_once_and_known_ones_never(
    shop: Shop, intercom: Sandbox, to_update: Activation
) -> None:
    intercom._switch({"companies": [{"company_id": str(key), "name": "Old"} for key in range(1, 6)]})
    shop.fill(8)
    done = run(to_update)
    assert (done.accepted, done.skipped, done.created, done.lookup_requests, done.write_requests) == (5, 3, 0, 8, 5)
    again = run(to_update)
    assert (again.planned, again.lookup_requests, again.write_requests) == (0, 0, 0)
    shop.set(1, "name", "One")
    shop.set(8, "name", "Eight")
    done = run(to_update)
    assert (done.accepted, done.skipped, done.lookup_requests, done.write_requests) == (1, 3, 1, 1)
    assert {entry["path"] for entry in intercom.log} & {"/companies/list", "/companies/scroll"} == set()


def test_changed_company_id_is_a_different_company_in_insert_mode(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(2)
    shop.run("alter table companies add column number text")
    shop.run("update companies set number = 'a' || id")
    refresh_columns(to_intercom.data_model)
    Activation.objects.filter(pk=to_intercom.pk).update(mode="insert", match_column="number")
    activation = Activation.objects.get(pk=to_intercom.pk)
    assert run(activation).accepted == 2
    shop.run("update companies set number = 'b' || id, name = 'Moved ' || id")
    intercom._switch({"companies": [{"company_id": "b2", "name": "Was there"}]})
    done = run(activation)
    assert (done.another, done.accepted, done.created, done.skipped, done.unchanged) == (2, 1, 1, 1, 0)
    assert done.changes.get(key="1").code == "another_record"
    assert done.changes.get(key="2").code == "already_there"
    names = {company["company_id"]: company["name"] for company in intercom.state()["companies"]}
    assert names["b1"] == "Moved 1"
    assert names["b2"] == "Was there"
    shop.set(1, "name", "Changed")
    assert run(activation).write_requests == 0, "insert mode never changes existing records"


def test_deleted_company_is_skipped_in_update_mode(shop: Shop, intercom: Sandbox, to_update: Activation) -> None:
    intercom._switch({"companies": [{"company_id": "1"}]})
    shop.fill(1)
    run(to_update)
    intercom.handle(request("DELETE", f"/companies/{Record.objects.get().remote_id}"))
    shop.set(1, "name", "One")
    done = run(to_update)
    assert (done.skipped, done.accepted, done.changes.get().code) == (1, 0, "not_there")
    assert intercom.state()["companies"] == []


@pytest.mark.parametrize("archived", ["new", "restore"])
def test_deleted_company_is_sent_with_all_fields_in_upsert_mode(
    shop: Shop, intercom: Sandbox, to_intercom: Activation, archived: str
) -> None:
    intercom.switches.update(archived_company=archived)
    shop.fill(1)
    run(to_intercom)
    intercom.handle(request("DELETE", f"/companies/{Record.objects.get().remote_id}"))
    shop.set(1, "name", "One")
    writes(intercom)
    assert run(to_intercom).accepted == 1
    assert [(sent["method"], sent["status"]) for sent in writes(intercom)] == [("PUT", 404), ("POST", 200)]
    (company,) = intercom.state()["companies"]
    assert (company["name"], company["plan"]["name"]) == ("One", "pro")


def test_conflict_of_two_creates_is_retried(
    shop: Shop, intercom: Sandbox, to_intercom: Activation, monkeypatch: Any
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    shop.fill(1)
    body = {
        "type": "error.list",
        "errors": [{"code": "unique_company_constraint", "message": "Company already exists."}],
    }
    intercom.faults.append(Fault("reply", "POST", "/companies", times=2, status=400, body=body))
    done = run(to_intercom)
    assert (done.accepted, done.rejected, done.write_requests) == (1, 0, 3)


def test_attribute_archived_during_a_run_ends_it_and_is_named(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    map_fields(to_intercom, {"column": "seats", "target": "seats", "custom_attribute": True})
    shop.fill(1)
    run(to_intercom)
    shop.set(1, "seats", 9)
    body = {"errors": [{"code": "parameter_invalid", "message": "Custom attribute 'seats' does not exist"}]}
    intercom.faults.append(Fault("reply", "PUT", "/companies", status=400, body=body))
    done = run(to_intercom)
    assert done.state == "failed"
    assert "no custom attribute “seats”" in done.error_message
    assert run(to_intercom).accepted == 1


def test_value_that_intercom_would_truncate_is_invalid_with_its_column_and_reason(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    map_fields(
        to_intercom,
        ("description", "monthly_spend"),
        {"column": "domain", "target": "domain", "custom_attribute": True},
    )
    shop.fill(3)
    for key, spend in ((1, "155.98"), (2, "2147483648"), (3, "155")):
        shop.set(key, "description", spend)
    shop.set(3, "domain", "x" * 256)
    done = run(to_intercom)
    assert (done.invalid, done.accepted, intercom.state()["companies"]) == (3, 0, [])
    reasons = {change.key: (change.code, change.field) for change in done.changes.all()}
    assert reasons == {
        "1": ("value_invalid", "monthly_spend"),
        "2": ("number_out_of_range", "monthly_spend"),
        "3": ("text_too_long", "domain"),
    }
    assert all("Column “" in change.message and "155" not in change.message for change in done.changes.all())


def test_changed_company_id_is_a_different_company_and_is_reported(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    Activation.objects.filter(pk=to_intercom.pk).update(match_column="domain")
    activation = Activation.objects.get(pk=to_intercom.pk)
    shop.fill(2)
    assert run(activation).another == 0
    shop.set(2, "domain", "renamed.com")
    intercom.log.clear()
    done = run(activation)
    assert (done.known, done.another, done.accepted, done.created) == (1, 1, 1, 1)
    (sent,) = writes(intercom)
    assert (sent["method"], sent["body"]) == ("POST", {"company_id": "renamed.com", "name": "Company 2", "plan": "pro"})
    change = done.changes.get()
    assert (change.code, change.outcome) == ("another_record", "accepted")
    assert "The previous record stays as it is" in change.message
    assert {company["company_id"] for company in intercom.state()["companies"]} == {
        "company1.com",
        "company2.com",
        "renamed.com",
    }
    again = run(activation)
    assert (again.planned, again.another) == (0, 0)


def test_companies_that_are_not_visible_yet_are_counted_and_mentioned(
    shop: Shop, intercom: Sandbox, to_intercom: Activation, admin_client: Any
) -> None:
    shop.fill(3)
    intercom.handle(request("POST", "/companies", {"company_id": "3", "name": "Old"}))
    visible = next(iter(intercom.companies.by_id.values()))  # type: ignore[attr-defined]
    visible.update(user_count=1, created_at=visible["created_at"] - 100)
    done = run(to_intercom)
    assert (done.accepted, done.created, done.hidden) == (3, 2, 2)
    for page in (("activations_run_change", done.pk), ("activations_activation_change", to_intercom.pk)):
        text = admin_client.get(reverse(f"admin:{page[0]}", args=[page[1]])).content.decode()
        assert "2 companies are not visible at the destination yet" in text
        assert "until a contact is attached" in text


def test_remote_created_at_is_updated_in_upsert_mode(shop: Shop, intercom: Sandbox, to_intercom: Activation) -> None:
    intercom.switches.update(put_remote_created_at="refuse")
    map_fields(to_intercom, ("description", "remote_created_at"))
    shop.fill(2)
    for key in (1, 2):
        shop.set(key, "description", f"2024-01-0{key}")
    run(to_intercom)
    shop.set(1, "description", "2024-02-01")
    shop.set(2, "name", "Two")
    done = run(to_intercom)
    assert (done.accepted, done.rejected) == (2, 0)
    assert {company["remote_created_at"] for company in intercom.state()["companies"]} == {1706745600, 1704153600}


def test_contacts_are_created_once_and_updated_by_id_after_a_changed_email(
    shop: Shop, companies: Any, intercom: Sandbox
) -> None:
    intercom.switches.update(search_delay_seconds=60)
    intercom._switch(
        {"contacts": [{"id": "p1", "email": "company1.com@mail.com", "name": "Old", "created_at": 1534537334}]}
    )
    activation = Activation.objects.create(
        name="Contacts",
        model=companies,
        destination=destination("intercom", "intercom.contacts", region="us"),
        match_column="plan",
        match_field="email",
        hold_first_creates=False,
    )
    map_fields(activation, ("name", "name"), {"column": "seats", "target": "seats", "custom_attribute": True})
    shop.fill(3)
    for key in (1, 2, 3):
        shop.set(key, "plan", f"company{key}.com@mail.com")
    done = run(activation)
    assert (done.accepted, done.created, done.hidden, done.state) == (3, 2, 0, "succeeded")
    assert {(contact["name"], contact["custom_attributes"]["seats"]) for contact in intercom.state()["contacts"]} == {
        (f"Company {n}", n) for n in (1, 2, 3)
    }
    assert run(activation).planned == 0
    shop.set(2, "plan", "new@mail.com")
    writes(intercom)
    done = run(activation)
    assert (done.accepted, done.another) == (1, 0)
    assert [(sent["method"], sent["body"]) for sent in writes(intercom)] == [("PUT", {"email": "new@mail.com"})]


def contacts_to_update(companies: Any) -> Activation:
    """An activation that updates the names of contacts, matched by their external ID."""
    to_contacts = destination("intercom", "intercom.contacts", region="us")
    activation = Activation.objects.create(
        name="Contacts",
        model=companies,
        destination=to_contacts,
        mode="update",
        match_column="id",
        match_field="external_id",
        hold_first_creates=False,
    )
    map_fields(activation, ("name", "name"))
    return activation


def test_contacts_in_update_mode_are_looked_up_once(shop: Shop, companies: Any, intercom: Sandbox) -> None:
    intercom._switch({"contacts": [{"id": "p1", "external_id": "1", "name": "Old"}]})
    activation = contacts_to_update(companies)
    shop.fill(2)
    done = run(activation)
    assert (done.accepted, done.skipped, done.lookup_requests) == (1, 1, 2)
    shop.set(1, "name", "One")
    done = run(activation)
    assert (done.accepted, done.lookup_requests, done.write_requests) == (1, 0, 1)


def test_contact_created_without_an_answer_is_ours_before_search_finds_it(
    shop: Shop, companies: Any, intercom: Sandbox, monkeypatch: Any
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    intercom.switches.update(search_delay_seconds=60)
    activation = Activation.objects.create(
        name="Contacts",
        model=companies,
        destination=destination("intercom", "intercom.contacts", region="us"),
        mode="insert",
        match_column="id",
        match_field="external_id",
        hold_first_creates=False,
    )
    map_fields(activation, ("name", "name"))
    shop.fill(1)
    intercom.faults.append(Fault("cut_after", "POST", "/contacts$"))
    done = run(activation)
    assert (done.accepted, done.skipped, done.write_requests) == (1, 0, 2)
    assert len(intercom.state()["contacts"]) == 1


def test_separate_budget_slows_searches_down_and_loses_none(
    shop: Shop, companies: Any, intercom: Sandbox, monkeypatch: Any
) -> None:
    monkeypatch.setattr("destinations.services.intercom.client.WINDOW_SECONDS", 1.0)
    monkeypatch.setattr("destinations.pacing.SHARE_OF_LIMIT", 0.985)
    intercom.switches.update(rate_limit_per_window=1666, window_seconds=1, search_limit_per_window=20)
    intercom._switch({"contacts": [{"id": f"p{key}", "external_id": str(key)} for key in range(1, 41)]})
    activation = contacts_to_update(companies)
    shop.fill(40)
    done = run(activation)
    assert (done.accepted, done.lookup_requests - done.throttled, done.write_requests) == (40, 40, 40)
    assert done.throttled <= 2, "the answers' headers say how many are left"


def test_first_run_of_a_connection_uses_the_budget_of_the_workspace(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    """A run of a different connection to the same workspace may be under way."""
    shop.fill(3)
    connection = to_intercom.destination.connection
    assert connection.workspace_id == ""
    run(to_intercom)
    connection.refresh_from_db()
    before, of_workspace = (
        Budget.objects.get(name=f"intercom:{owner}:writes") for owner in (connection.pk, connection.workspace_id)
    )
    assert of_workspace.next_at > before.next_at
