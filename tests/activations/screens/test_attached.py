"""The editor's section, its live check, and what the pages say about attached contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from activations.models import Activation, AttachContacts
from tests.activations.conftest import Shop, run
from tests.activations.screens.test_admin import add, attio_companies, change, form, intercom_companies, mapping
from tests.activations.test_attach_contacts import add_people, know, people

if TYPE_CHECKING:
    from django.test import Client

    from destinations.models import Destination
    from destinations.sandbox.base import Sandbox
    from segments.models import DataModel

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["attio_companies", "intercom_companies", "people"]
MATCH: dict[str, Any] = {"match_column": "id", "match_field": "company_id"}


def section(model: DataModel, **more: Any) -> dict[str, Any]:
    return {
        "attach_model": model.pk, "attach_company_column": "company_id", "attach_by_external_id": "id",
        "attach_by_email": "email", "attach_at_most": 2, **more,
    }  # fmt: skip


def check(staff: Client, records: DataModel, destination: Destination, people: DataModel, **chosen: str) -> Any:
    body = {"records": f"model:{records.pk}", "destination": destination.pk, "people": people.pk, **chosen}
    answer = staff.post("/api/editor/attach/", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_form_stores_changes_and_removes_the_setting(
    staff: Client, companies: DataModel, to_intercom: Activation, people: DataModel
) -> None:
    values = form(companies, to_intercom.destination, mapping("name", "name"), **MATCH, **section(people))
    assert add(staff, values).status_code == 302
    activation = Activation.objects.get(name="Companies away")
    stored = AttachContacts.objects.get(activation=activation)
    assert (stored.model, stored.company_column, stored.at_most) == (people, "company_id", 2)
    assert stored.found_by == {"external_id": "id", "email": "email"}
    first = {**mapping("name", "name"), "id": activation.mappings.get().pk}
    values = form(companies, to_intercom.destination, first, initial=1, **MATCH)
    assert change(staff, activation, {**values, **section(people, attach_by_email="")}).status_code == 302
    assert AttachContacts.objects.get(activation=activation).found_by == {"external_id": "id"}
    assert change(staff, activation, values).status_code == 302
    assert AttachContacts.objects.filter(activation=activation).exists(), "a form without the section leaves it alone"
    assert change(staff, activation, {**values, **section(people, attach_model="")}).status_code == 302
    assert not AttachContacts.objects.filter(activation=activation).exists()


def test_mistake_is_shown_at_its_field(
    staff: Client, companies: DataModel, to_intercom: Activation, people: DataModel
) -> None:
    wrong = section(people, attach_company_column="email2", attach_by_email="mail", attach_by_external_id="id")
    page = add(staff, form(companies, to_intercom.destination, mapping("name", "name"), **MATCH, **wrong))
    errors = page.context["adminform"].form.errors
    assert set(errors) == {"attach_company_column", "attach_by_email"}
    assert "has no column “email2”" in errors["attach_company_column"][0]


def test_destination_that_hides_nothing_ignores_the_section(
    staff: Client, companies: DataModel, attio_companies: Destination, people: DataModel
) -> None:
    assert add(staff, form(companies, attio_companies, mapping("name", "name"), **section(people))).status_code == 302
    assert not AttachContacts.objects.exists()


def test_live_check_proposes_columns_and_counts_people(
    staff: Client, shop: Shop, companies: DataModel, to_intercom: Activation, people: DataModel
) -> None:
    add_people(shop, (1, 7, "a@example.com"), (2, 7, "b@example.com"), (3, 8, "c@example.com"))
    shop.run("insert into people values (4, null, 'd@example.com')")
    found = check(staff, companies, to_intercom.destination, people)
    assert found["proposed"] == {"company_column": "company_id", "external_id": "", "email": "email"}
    assert (found["problems"], found["text"]) == ({}, "")
    found = check(staff, companies, to_intercom.destination, people, company_column="company_id", email="email")
    assert found["text"] == "Of 4 people, 3 have a value in “company_id”, 2 different ones."
    assert found["key"] == "Compared with “id”, the primary key of “Companies”."
    found = check(staff, companies, to_intercom.destination, people, company_column="company_id", email="mail")
    assert "has no column “mail”" in found["problems"]["email"]


def test_pages_say_what_happened_to_each_company_and_what_to_do(
    staff: Client, shop: Shop, intercom: Sandbox, to_intercom: Activation, people: DataModel
) -> None:
    shop.fill(3)
    add_people(shop, (1, 1, "a@example.com"), (2, 2, "b@example.com"))
    know(intercom, {"id": "c1", "external_id": "1"}, {"id": "x", "email": "b@example.com"},
         {"id": "y", "email": "b@example.com"})  # fmt: skip
    page = f"/admin/activations/activation/{to_intercom.pk}/change/"
    run(to_intercom)
    assert "3 companies are not visible at the destination yet." in (text := staff.get(page).content.decode())
    assert "To attach contacts that are there already, edit this activation" in text
    AttachContacts.objects.create(
        activation=to_intercom, model=people, company_column="company_id",
        found_by={"external_id": "id", "email": "email"},
    )  # fmt: skip
    done = run(to_intercom)
    text = staff.get(page).content.decode()
    assert "2 companies are not visible at the destination yet." in text
    assert "Attach one contact of People to each company that is hidden" in text
    text = staff.get(f"/admin/activations/run/{done.pk}/change/").content.decode()
    for words in ("1 company was made visible.", "Attached to 1 contact.", "Intercom has 2 contacts with this email",
                  "The source has no person for it"):  # fmt: skip
        assert words in text
    file = b"".join(staff.get(f"/admin/activations/run/{done.pk}/attached/")).decode()
    outcomes = [line.split(",")[2] for line in file.splitlines()]
    assert (outcomes[0], set(outcomes[1:])) == ("outcome", {"Attached", "Refused", "No known contact"})
    address = reverse("admin:record_timeline", args=[to_intercom.data_model.pk])
    timeline = staff.get(address, {"key": "1"}).content.decode()
    assert "Attached to 1 contact." in timeline
    assert "Run 2" in timeline


def test_viewer_without_the_permission_can_not_download_what_was_attached(
    client: Client, to_intercom: Activation, django_user_model: Any
) -> None:
    done = run(to_intercom)
    client.force_login(django_user_model.objects.create_user("eve", is_staff=True))
    assert client.get(f"/admin/activations/run/{done.pk}/attached/").status_code == 403
