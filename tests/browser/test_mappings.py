"""What can be chosen beside an attribute depends on the attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation
from tests.browser.pages import attribute, destination, goto, save, step
from tests.browser.test_story import map_field

if TYPE_CHECKING:
    from segments.models import DataModel

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_country_is_offered_for_phone_numbers_only(
    signed_in: Page, live_server: Any, companies: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.people")
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    page.fill("#id_name", "People away")
    page.select_option("#id_records", label="All of Companies")
    step(page, "mapping")
    page.select_option("#id_match_column", "name")
    attribute(page, "#id_match_field", "email_addresses")
    map_field(page, 0, "country", "phone_numbers")
    page.click("li:has(#id_mappings-0-country) summary")
    expect(page.locator("#id_mappings-0-country")).to_be_visible()
    page.select_option("#id_mappings-0-country", label="France")
    map_field(page, 1, "name", "job_title")
    page.click("li:has(#id_mappings-1-country) summary")
    expect(page.locator("#id_mappings-1-when_empty")).to_be_visible()
    expect(page.locator("#id_mappings-1-country")).not_to_be_visible()
    attribute(page, "#id_mappings-0-target", "description")
    expect(page.locator("#id_mappings-0-country")).not_to_be_visible()
    expect(page.locator("#id_mappings-0-country")).to_have_value("")
    attribute(page, "#id_mappings-0-target", "phone_numbers")
    page.select_option("#id_mappings-0-country", "FR")
    save(page)
    mappings = Activation.objects.get().mappings.values_list("target", "country")
    assert dict(mappings) == {"phone_numbers": "FR", "job_title": ""}


def test_other_activation_is_named_at_the_row_while_its_attribute_is_chosen(
    signed_in: Page, live_server: Any, companies: DataModel, attio: Any
) -> None:
    page, away = signed_in, destination("attio", "attio.companies")
    other = Activation.objects.create(
        name="Contracts", model=companies, destination=away, match_column="name", match_field="domains"
    )
    other.mappings.create(column="country", target="description")
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    page.fill("#id_name", "Companies away")
    page.select_option("#id_records", label="All of Companies")
    step(page, "mapping")
    map_field(page, 0, "name", "name")
    note = page.locator("li:has(#id_mappings-0-target) [data-shared]")
    expect(note).to_be_empty()
    attribute(page, "#id_mappings-0-target", "description")
    expect(note).to_contain_text("also writes “description”. If both send the same record, the last run wins.")
    expect(note.locator("a")).to_have_attribute("href", f"/admin/activations/activation/{other.pk}/change/")
    page.select_option("#id_mappings-0-column", "country")
    expect(note).to_contain_text("Both write the same value for the same row.")
    attribute(page, "#id_mappings-0-target", "name")
    expect(note).to_be_empty()


def test_links_that_are_there_stay_unless_a_person_detaches_them(
    signed_in: Page, live_server: Any, companies: DataModel, intercom: Any
) -> None:
    page, away = signed_in, destination("intercom", "intercom.contacts")
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    page.fill("#id_name", "Contacts away")
    page.select_option("#id_records", label="All of Companies")
    step(page, "mapping")
    page.select_option("#id_match_column", "name")
    attribute(page, "#id_match_field", "external_id")
    map_field(page, 0, "country", "company")
    page.click("li:has(#id_mappings-0-multi) summary")
    choice = page.locator("#id_mappings-0-multi")
    expect(page.locator("li:has(#id_mappings-0-multi) [data-choice=multi] label")).to_have_text(
        "Links that are there already"
    )
    expect(choice.locator("option")).to_have_text(["Keep them", "Detach them: only this one stays"])
    expect(choice).to_have_value("add")
    map_field(page, 1, "name", "name")
    expect(page.locator("#id_mappings-1-multi")).not_to_be_visible()
    page.select_option("#id_mappings-0-multi", "detach")
    save(page)
    mappings = Activation.objects.get().mappings.values_list("target", "multi")
    assert dict(mappings) == {"company": "detach", "name": "replace"}
    goto(
        page,
        live_server,
        f"/admin/activations/activation/{Activation.objects.get().pk}/change/?field=company#step-mapping",
    )
    expect(page.locator("#id_mappings-0-multi option")).to_have_count(2)
    expect(page.locator("#id_mappings-0-multi")).to_have_value("detach")
