"""Refused saves: the form comes back exactly as it was filled in, so that correcting one error changes nothing else."""

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


_FILLED_IN = """form => Object.fromEntries([...form.elements]
    .filter(({name, type}) => name && !/csrf|__prefix__|_FORMS$|^draft$/.test(name) && type !== "submit")
    .map(({name, value, type, checked}) =>
        ["checkbox", "radio"].includes(type) ? [`${name}=${value}`, checked] : [name, value]))"""


def filled_in(page: Page) -> dict[str, Any]:
    """The values of all inputs of the form that a person can see or that are hidden by what was chosen."""
    values: dict[str, Any] = page.eval_on_selector("#activation_form", _FILLED_IN)
    return values


def add_schedule(page: Page, row: int, kind: str, **values: str) -> None:
    page.get_by_role("button", name="Add another schedule" if row else "Something else").click()
    page.select_option(f"#id_schedules-{row}-kind", kind)
    for name, value in values.items():
        page.fill(f"#id_schedules-{row}-{name}", value)


def test_refused_save_of_a_new_activation_keeps_everything_that_was_chosen(
    signed_in: Page, live_server: Any, companies: DataModel, intercom: Any
) -> None:
    page = signed_in
    away = destination("intercom", "intercom.companies", region="us")
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    step(page, "destination")
    expect(page.get_by_label("Only update existing companies")).to_be_checked()
    page.check("text=Create new companies and update existing ones")
    step(page, "data")
    page.fill("#id_name", "Companies away")
    page.select_option("#id_records", label="All of Companies")
    step(page, "mapping")
    page.select_option("#id_match_column", "id")
    attribute(page, "#id_match_field", "company_id")
    map_field(page, 0, "name", "name")
    page.click("li:has(#id_mappings-0-column) summary")
    page.select_option("#id_mappings-0-when_empty", "clear")
    map_field(page, 1, "country", "name")
    page.click("[data-add-row]")
    page.select_option("#id_mappings-2-origin", "fixed")
    page.fill("#id_mappings-2-fixed", "Customer")
    attribute(page, "#id_mappings-2-target", "industry")
    page.check("input[name=custom_columns][value=mrr]")
    step(page, "schedule")
    add_schedule(page, 0, "interval", every="45")
    add_schedule(page, 1, "cron", cron="0 7 * * 1-5")
    step(page, "alerts")
    page.fill("#id_rejected_percent", "17")
    before = filled_in(page)

    save(page)
    expect(page.locator("#step-mapping")).to_be_visible()
    expect(page.locator("[data-tab=mapping]")).to_contain_text("has an error")
    expect(page.locator("li:has(#id_mappings-1-target)")).to_contain_text("mapped twice")
    expect(page.locator("li:has(#id_mappings-1-target) :focus")).to_be_visible()
    expect(page.locator("#id_mappings-1-column option")).not_to_have_count(2)
    assert filled_in(page) == before

    attribute(page, "#id_mappings-1-target", "website")
    save(page)
    activation = Activation.objects.get()
    assert (activation.mode, activation.thresholds["rejected_percent"], activation.schedules.count()) == (
        "upsert",
        17,
        2,
    )
    assert activation.mappings.get(target="name").when_empty == "clear"


def test_fixed_value_comes_back_when_a_column_was_chosen_in_between(
    signed_in: Page, live_server: Any, companies: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    goto(page, live_server, f"/admin/activations/activation/add/?records=model:{companies.pk}&destination={away.pk}")
    step(page, "mapping")
    page.click("[data-add-row]")
    page.select_option("#id_mappings-0-origin", "fixed")
    page.fill("#id_mappings-0-fixed", "Customer")
    page.select_option("#id_mappings-0-origin", "column")
    page.select_option("#id_mappings-0-column", "name")
    expect(page.locator("#id_mappings-0-fixed")).not_to_be_visible()
    page.select_option("#id_mappings-0-origin", "fixed")
    expect(page.locator("#id_mappings-0-fixed")).to_have_value("Customer")
    attribute(page, "#id_mappings-0-target", "description")
    page.select_option("#id_match_column", "name")
    save(page)
    mapping = Activation.objects.get().mappings.get()
    assert (mapping.column, mapping.value) == ("", "Customer")


def test_match_that_no_attribute_can_be_comes_with_advice_before_saving(
    signed_in: Page, live_server: Any, companies: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    attio.archive("companies", "domains", True)
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    step(page, "destination")
    expect(page.locator("[data-role=match-advice]")).to_contain_text("Unarchive Domains in Attio")
    expect(page.locator("#id_match_field")).to_have_value("")
