"""The activation editor as a person uses it: suggestions, drafts, the review and the test with one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation, Draft, FieldMapping
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.browser.pages import attribute, destination, goto, press, step

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADD = "/admin/activations/activation/add/"


@pytest.fixture
def model(shop: Path, transactional_db: None) -> DataModel:
    """The companies of the shop."""
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": shop.name})
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    return model


def kept(page: Page, text: str) -> Any:
    """Waits, after what the block does, until a draft with this text has been stored."""
    return page.expect_response(
        lambda response: "/api/editor/drafts/" in response.url and text in (response.request.post_data or "")
    )


def test_proposals_are_accepted_reviewed_tested_and_started(
    signed_in: Page, live_server: Any, model: DataModel, attio: Any, worker: None
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    goto(page, live_server, f"{ADD}?records=model:{model.pk}&destination={away.pk}#mapping")
    expect(page.locator("#id_match_column")).to_have_value("domain")
    expect(page.locator("[data-profile]")).to_contain_text("1 of 5 rows (20%) has no value here")
    page.click("text=Accept all")
    expect(page.locator("[data-rows] > li").first).to_contain_text("Acme → Acme")

    page.click("[data-add-row]")
    page.select_option("#id_mappings-1-column", "mrr")
    attribute(page, "#id_mappings-1-target", "employee_range")
    expect(page.locator("[data-rows] > li").nth(1)).to_contain_text("5 of 5 sample rows would be refused")
    page.locator("[data-rows] > li").nth(1).get_by_title("Remove this field").click()

    press(page.locator("[data-savebar] button[name=_review]"))
    expect(page.locator("[data-results]")).to_contain_text("Would create")
    assert Activation.objects.get().is_draft

    page.fill("#record-search", "acme")
    page.click("[data-search]")
    page.locator("[data-found] button").first.click()
    expect(page.locator("[data-preview-request]")).to_contain_text('"acme.example.com"')
    assert not [request for request in attio.log if request["method"] == "PUT"]
    page.click("text=Send this record")
    expect(page.locator("[data-answered]")).to_contain_text("Created")

    page.click("button[name=start]")
    page.wait_for_url("**/admin/activations/run/*/change/")
    assert not Activation.objects.get().is_draft


def test_what_was_typed_is_kept_and_can_be_discarded(
    signed_in: Page, live_server: Any, model: DataModel, attio: Any
) -> None:
    page = signed_in
    goto(page, live_server, ADD)
    with kept(page, "Half-made"):
        page.fill("#id_name", "Half-made")
    step(page, "schedule")
    with kept(page, "09:00"):
        page.click("text=Weekdays at 9:00")
    expect(page.locator("[data-words]:visible")).to_contain_text("Monday, Tuesday, Wednesday, Thursday, and Friday")
    expect(page.locator("[data-autosaved]")).to_contain_text("Kept as a draft")
    page.reload()
    expect(page.locator("[data-restored]")).to_contain_text("Restored what you had entered")
    expect(page.locator("#id_name")).to_have_value("Half-made")
    expect(page.locator("#id_schedules-0-at")).to_have_value("09:00")

    goto(page, live_server, "/admin/activations/activation/")
    page.locator("[data-drafts] button").click()
    expect(page.locator("[data-drafts]")).to_have_count(0)
    assert not Draft.objects.exists()


def test_discarding_on_the_page_brings_back_what_was_saved(
    signed_in: Page, live_server: Any, model: DataModel, attio: Any
) -> None:
    page = signed_in
    goto(page, live_server, ADD)
    step(page, "data")
    with kept(page, "Half-made"):
        page.fill("#id_name", "Half-made")
    step(page, "schedule")
    page.reload()
    page.click("[data-restored] button")
    expect(page.locator("[data-restored]")).to_have_count(0)
    expect(page.locator("[data-tab=schedule]")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#id_name")).not_to_have_value("Half-made")
    assert not Draft.objects.exists()


def test_untouched_attribute_gets_a_row_by_a_click(
    signed_in: Page, live_server: Any, model: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    goto(page, live_server, f"{ADD}?records=model:{model.pk}&destination={away.pk}#mapping")
    page.locator("[data-untouched] summary").click()
    whole, part = (page.locator(f'[data-map="primary_location{name}"]') for name in ("", ".locality"))
    expect(whole).to_be_visible()
    part.click()
    expect(page.locator("#id_mappings-0-target")).to_have_value("primary_location.locality")
    expect(page.locator("#id_mappings-0-column")).to_be_focused()
    expect(page.locator("#id_mappings-0-target-search")).to_have_value("Primary location: locality")
    expect(part).to_have_count(0)
    expect(whole).to_have_count(0)


def test_review_is_one_click_from_the_mapping(signed_in: Page, live_server: Any, model: DataModel, attio: Any) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    goto(page, live_server, f"{ADD}?records=model:{model.pk}&destination={away.pk}#destination")
    review = page.locator("[data-savebar] button[name=_review]")
    expect(review).not_to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#id_match_column")).to_have_value("domain")
    expect(page.get_by_role("button", name="Continue to schedule")).to_be_visible()
    review.click()
    page.wait_for_url("**/review/?run=*")


def test_attributes_are_found_with_the_keyboard(
    signed_in: Page, live_server: Any, model: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    goto(page, live_server, f"{ADD}?records=model:{model.pk}&destination={away.pk}#mapping")
    expect(page.locator("#id_match_column")).to_have_value("domain")
    page.click("[data-add-row]")
    box = page.locator("#id_mappings-0-target-search")
    box.focus()
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#id_mappings-0-target-list [data-value=created_at]")).to_have_count(0)
    page.click("text=Show read-only")
    expect(page.locator("#id_mappings-0-target-list [data-value=created_at]")).to_have_attribute(
        "aria-disabled", "true"
    )
    box.fill("descr")
    box.press("Enter")
    expect(page.locator("#id_mappings-0-target")).to_have_value("description")
    expect(box).to_have_attribute("aria-expanded", "false")


def test_link_from_a_cause_opens_the_row_of_its_attribute(
    signed_in: Page, live_server: Any, model: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    activation = Activation.objects.create(
        name="Away", model=model, destination=away, match_column="domain", match_field="domains"
    )
    for column, target in (("name", "name"), ("country", "description")):
        FieldMapping.objects.create(activation=activation, column=column, target=target, slot=len(target))
    change = f"/admin/activations/activation/{activation.pk}/change/"
    goto(page, live_server, f"{change}?field=description#step-mapping")
    expect(page.locator("#step-mapping")).to_be_visible()
    expect(page.locator("#id_mappings-1-column")).to_be_focused()
    goto(page, live_server, f"{change}?field=domains#step-mapping")
    expect(page.locator("#id_match_column")).to_be_focused()


def test_source_and_destination_are_shown_with_their_logos(
    signed_in: Page, live_server: Any, model: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    goto(page, live_server, f"{ADD}?records=model:{model.pk}")
    expect(page.locator("[data-field=records] [data-logo=sqlite]")).to_be_visible()
    step(page, "destination")
    logo = page.locator("[data-field=destination] [data-logo]")
    expect(logo).to_be_visible()
    page.select_option("#id_destination", "")
    expect(logo).not_to_be_visible()
    page.select_option("#id_destination", str(away.pk))
    expect(logo).to_be_visible()
