"""Hidden companies are made visible: known contacts are attached, once, and only exact matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from activations.attaching import attach
from activations.models import Activation, AttachContacts, Attachment, HiddenRecord
from destinations.sandbox.wire import Fault
from segments.models import DataModel
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, run, writes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(shop: Shop, to_intercom: Activation) -> DataModel:
    shop.run("create table people (id integer primary key, company_id integer, email text)")
    source = to_intercom.data_model.source
    model = DataModel.objects.create(name="People", source=source, kind="users", table="people", primary_key="id")
    refresh_columns(model)
    return model


@pytest.fixture
def attaching(to_intercom: Activation, people: DataModel) -> Activation:
    AttachContacts.objects.create(
        activation=to_intercom,
        model=people,
        company_column="company_id",
        found_by={"external_id": "id", "email": "email"},
    )
    return to_intercom


def add_people(shop: Shop, *rows: tuple[int, int, str]) -> None:
    """Inserts rows of (id, company_id, email)."""
    shop.run("insert into people values (?, ?, ?)", *rows)


def know(intercom: Sandbox, *contacts: dict[str, Any]) -> None:
    intercom._switch({"contacts": list(contacts)})


def users(intercom: Sandbox) -> dict[str, int]:
    """company_id → how many contacts are attached."""
    return {company["company_id"]: company["user_count"] for company in intercom.state()["companies"]}


def links(intercom: Sandbox) -> list[str]:
    return [
        entry["path"]
        for entry in intercom.log
        if entry["method"] == "POST" and entry["path"].endswith("/companies") and entry["path"] != "/companies"
    ]


def searches(intercom: Sandbox) -> int:
    return sum(entry["path"] == "/contacts/search" for entry in intercom.log)


def outcomes(key: str) -> list[str]:
    return list(Attachment.objects.filter(key=key).order_by("pk").values_list("outcome", flat=True))


def test_every_company_with_a_known_contact_is_visible_after_one_run(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    shop.fill(500)
    add_people(shop, *((n, n % 450 + 1, f"p{n}@example.com") for n in range(1, 801)))
    know(intercom, *({"id": f"c{n}", "external_id": str(n)} for n in range(1, 801)))
    done = run(attaching)
    assert (done.state, done.accepted, done.made_visible, done.still_hidden, done.hidden) == (
        "succeeded", 500, 450, 50, 50,
    )  # fmt: skip
    assert sum(users(intercom).values()) == len(links(intercom)) == 450
    assert set(users(intercom).values()) == {0, 1}
    assert done.write_requests == 500 + 450
    intercom.log.clear()
    again = run(attaching)
    assert (again.planned, again.write_requests, again.lookup_requests) == (0, 0, 0)
    assert links(intercom) == []


def test_up_to_two_contacts_are_attached_and_never_more(shop: Shop, intercom: Sandbox, attaching: Activation) -> None:
    AttachContacts.objects.update(at_most=2)
    shop.fill(3)
    add_people(shop, *((n, 1, f"p{n}@example.com") for n in range(1, 5)), (5, 2, "p5@example.com"))
    know(intercom, *({"id": f"c{n}", "external_id": str(n)} for n in range(1, 6)))
    done = run(attaching)
    assert users(intercom) == {"1": 2, "2": 1, "3": 0}
    assert (done.made_visible, done.still_hidden) == (2, 1)
    assert Attachment.objects.get(key="1").attached == ["c1", "c2"]


def test_person_without_a_contact_is_passed_over_for_the_next_one(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "gone@example.com"), (2, 1, "Ann@Example.com"))
    know(intercom, {"id": "c2", "email": "ann@example.com"})
    assert run(attaching).made_visible == 1
    assert Attachment.objects.get().attached == ["c2"]


def test_contact_with_a_different_external_id_is_a_different_person(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "shared@example.com"))
    know(intercom, {"id": "c9", "external_id": "9", "email": "shared@example.com"})
    done = run(attaching)
    assert (done.made_visible, done.still_hidden, users(intercom)) == (0, 1, {"1": 0})
    assert outcomes("1") == ["unknown"]


def test_email_address_of_several_users_attaches_nobody(shop: Shop, intercom: Sandbox, attaching: Activation) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "desk@example.com"))
    know(intercom, {"id": "c8", "email": "desk@example.com"}, {"id": "c9", "email": "desk@example.com"})
    assert run(attaching).still_hidden == 1
    refused = Attachment.objects.get()
    assert (refused.outcome, refused.code, users(intercom)) == ("refused", "match_ambiguous", {"1": 0})


def test_user_takes_precedence_over_leads_with_the_same_email(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "ann@example.com"))
    lead = {"email": "ann@example.com", "role": "lead"}
    know(intercom, {"id": "l1", **lead}, {"id": "l2", **lead}, {"id": "c1", "email": "ann@example.com"})
    assert run(attaching).made_visible == 1
    assert Attachment.objects.get().attached == ["c1"]


def test_contact_with_the_most_companies_is_passed_over_for_the_next_one(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    intercom._switch({"companies": [{"company_id": f"old{n}"} for n in range(1000)]})
    know(intercom, {"id": "c1", "external_id": "1"}, {"id": "c2", "external_id": "2"})
    intercom.memberships.company_ids["c1"] = list(intercom.companies.by_id)  # type: ignore[attr-defined]
    shop.fill(2)
    add_people(shop, (1, 1, "a@example.com"), (2, 1, "b@example.com"))
    add_people(shop, (11, 2, "c@example.com"))
    know(intercom, {"id": "c11", "email": "c@example.com"})
    intercom.memberships.company_ids["c11"] = list(intercom.companies.by_id)[:1000]  # type: ignore[attr-defined]
    done = run(attaching)
    assert (done.made_visible, done.still_hidden) == (1, 1)
    assert Attachment.objects.get(key="1").attached == ["c2"]
    refused = Attachment.objects.get(key="2")
    assert (refused.outcome, refused.code) == ("refused", "contact_company_limit_exceeded")


def test_company_without_a_known_contact_is_tried_after_1_2_4_and_8_runs(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "a@example.com"))
    tried = []
    for number in range(1, 17):
        intercom.log.clear()
        run(attaching)
        tried += [number] if searches(intercom) else []
    assert tried == [1, 2, 4, 8, 16]


def test_full_sync_tries_every_hidden_company_again(shop: Shop, intercom: Sandbox, attaching: Activation) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "a@example.com"))
    for _ in range(2):
        run(attaching)
    know(intercom, {"id": "c1", "external_id": "1"})
    assert run(attaching).made_visible == 0, "run 3 is not due"
    assert run(attaching, full=True).made_visible == 1
    assert users(intercom) == {"1": 1}


def test_contact_that_appears_later_makes_the_company_visible_in_the_next_run(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "a@example.com"))
    first = run(attaching)
    know(intercom, {"id": "c1", "external_id": "1"})
    second = run(attaching)
    assert (first.made_visible, second.made_visible, second.planned) == (0, 1, 0)
    assert outcomes("1") == ["unknown", "attached"]


def test_company_that_became_visible_otherwise_gets_no_link(
    shop: Shop, intercom: Sandbox, attaching: Activation
) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "a@example.com"))
    run(attaching)
    know(intercom, {"id": "c1", "external_id": "1"}, {"id": "c2", "external_id": "2"})
    company = next(iter(intercom.companies.by_id))  # type: ignore[attr-defined]
    intercom.memberships.attach("c2", company)  # type: ignore[attr-defined]
    done = run(attaching)
    assert (done.made_visible, done.still_hidden, links(intercom)) == (0, 0, [])
    assert outcomes("1") == ["unknown", "visible"]


def test_option_that_is_switched_on_later_reaches_companies_of_earlier_runs(
    shop: Shop, intercom: Sandbox, to_intercom: Activation, people: DataModel
) -> None:
    shop.fill(3)
    assert run(to_intercom).hidden == 3
    add_people(shop, *((n, n, f"p{n}@example.com") for n in range(1, 4)))
    know(intercom, *({"id": f"c{n}", "external_id": str(n)} for n in range(1, 4)))
    found_by = {"external_id": "id"}
    AttachContacts.objects.create(activation=to_intercom, model=people, company_column="company_id", found_by=found_by)
    done = run(Activation.objects.get(pk=to_intercom.pk))
    assert (done.planned, done.made_visible, done.write_requests) == (0, 3, 3)


def test_stale_answer_after_a_link_attaches_nobody_again(shop: Shop, intercom: Sandbox, attaching: Activation) -> None:
    shop.fill(1)
    add_people(shop, (1, 1, "a@example.com"))
    know(intercom, {"id": "c1", "external_id": "1"})
    run(attaching)
    next(iter(intercom.companies.by_id.values()))["user_count"] = 0  # type: ignore[attr-defined]
    shop.set(1, "name", "Renamed")
    intercom.log.clear()
    done = run(attaching)
    assert (done.accepted, done.made_visible, links(intercom)) == (1, 0, [])


def test_company_that_left_the_data_is_not_tried(shop: Shop, intercom: Sandbox, attaching: Activation) -> None:
    shop.fill(2)
    add_people(shop, (1, 1, "a@example.com"))
    run(attaching)
    shop.run("delete from companies where id = 1")
    know(intercom, {"id": "c1", "external_id": "1"})
    done = run(attaching)
    assert (done.left, done.made_visible, users(intercom)["1"]) == (1, 0, 0)


def test_request_without_an_answer_is_repeated_and_attaches_once(
    shop: Shop, intercom: Sandbox, attaching: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    shop.fill(1)
    add_people(shop, (1, 1, "a@example.com"))
    know(intercom, {"id": "c1", "external_id": "1"})
    intercom.faults.append(Fault("reply", path="/contacts/c1/companies", status=503, times=2))
    done = run(attaching)
    assert (done.state, done.made_visible, users(intercom)) == ("succeeded", 1, {"1": 1})


def test_many_hidden_companies_are_taken_in_chunks(
    shop: Shop, intercom: Sandbox, attaching: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach, "CHUNK", 7)
    shop.fill(30)
    add_people(shop, *((n, n, f"p{n}@example.com") for n in range(1, 31)))
    know(intercom, *({"id": f"c{n}", "email": f"p{n}@example.com"} for n in range(1, 31)))
    assert run(attaching).made_visible == 30
    assert HiddenRecord.objects.filter(attached_at=None).count() == 0


def test_writes_alone_create_companies_if_nothing_is_attached(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(2)
    done = run(to_intercom)
    assert (done.hidden, done.made_visible, done.still_hidden) == (2, 0, 0)
    assert len(writes(intercom)) == 2


def test_key_that_the_column_of_people_can_not_hold_has_no_people(
    shop: Shop, intercom: Sandbox, to_intercom: Activation, people: DataModel
) -> None:
    shop.fill(1)
    shop.run("insert into companies (id, name) values (?, 'Far too large')", (10**18 + 7,))
    add_people(shop, (1, 1, "a@example.com"))
    know(intercom, {"id": "c1", "external_id": "1"})
    found_by = {"external_id": "id"}
    AttachContacts.objects.create(activation=to_intercom, model=people, company_column="company_id", found_by=found_by)
    done = run(to_intercom)
    assert (done.state, done.made_visible, done.still_hidden) == ("succeeded", 1, 1)
