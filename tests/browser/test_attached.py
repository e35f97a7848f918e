"""The section of the editor that attaches contacts: shown where it makes sense, proposed, checked and saved."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation, AttachContacts
from segments.models import DataModel
from segments.sources.discovery import refresh_columns
from tests.browser.pages import attribute, destination, goto, save, step
from tests.browser.test_story import map_field

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(tmp_path: Path, companies: DataModel) -> DataModel:
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("create table people (id integer primary key, company_id integer, email text, since date)")
        database.executemany(
            "insert into people values (?, ?, ?, null)", [(1, 1, "a@x.com"), (2, 1, "b@x.com"), (3, 2, "c@x.com")]
        )
    database.close()
    model = DataModel.objects.create(
        name="People", source=companies.source, kind="users", table="people", primary_key="id"
    )
    refresh_columns(model)
    return model


def test_people_are_proposed_checked_saved_and_taken_back(
    signed_in: Page, live_server: Any, companies: DataModel, people: DataModel, intercom: Any, attio: Any
) -> None:
    page, section = signed_in, signed_in.locator("[data-attached]")
    hidden, shown = destination("attio", "attio.companies"), destination("intercom", "intercom.companies", region="us")
    goto(page, live_server, f"/admin/activations/activation/add/?records=model:{companies.pk}&destination={hidden.pk}")
    page.fill("#id_name", "Companies away")
    step(page, "mapping")
    expect(page.locator("#id_match_column")).to_be_visible()
    expect(section).to_be_hidden()
    step(page, "destination")
    page.select_option("#id_destination", str(shown.pk))
    step(page, "mapping")
    expect(section).to_contain_text("Intercom does not show a company until a contact is attached to it.")
    expect(section.locator("#id_attach_company_column")).to_be_hidden()
    section.locator("#id_attach_model").select_option(label="People")
    expect(section.locator("#id_attach_company_column")).to_have_value("company_id")
    expect(section.locator("#id_attach_by_email")).to_have_value("email")
    expect(section).to_contain_text("Compared with “id”, the primary key of “Companies”.")
    expect(section).to_contain_text("Of 3 people, 3 have a value in “company_id”, 2 different ones.")
    section.locator("#id_attach_company_column").select_option("since")
    expect(section.locator("[data-attached-problem]")).to_contain_text("it can't hold the primary key")
    section.locator("#id_attach_company_column").select_option("company_id")
    section.locator("#id_attach_by_external_id").select_option("id")
    section.locator("#id_attach_at_most").fill("2")
    expect(section.locator("[data-attached-problem]")).to_be_empty()
    page.select_option("#id_match_column", "id")
    attribute(page, "#id_match_field", "company_id")
    map_field(page, 0, "name", "name")
    save(page)
    activation = Activation.objects.get(name="Companies away")
    stored = AttachContacts.objects.get(activation=activation)
    assert (stored.model, stored.company_column, stored.at_most) == (people, "company_id", 2)
    assert stored.found_by == {"external_id": "id", "email": "email"}
    goto(page, live_server, f"/admin/activations/activation/{activation.pk}/change/")
    expect(page.locator("main")).to_contain_text("Attach up to 2 contacts of People to each company that is hidden")
    goto(page, live_server, f"/admin/activations/activation/{activation.pk}/change/?step=mapping")
    expect(section.locator("#id_attach_by_external_id")).to_have_value("id")
    section.locator("#id_attach_model").select_option(label="Attach nobody")
    expect(section.locator("#id_attach_company_column")).to_be_hidden()
    save(page)
    assert not AttachContacts.objects.filter(activation=activation).exists()
