"""Refused saves: the form comes back exactly as it was filled in, so that correcting one error changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation
from destinations.models import Connection, Destination
from tests.browser.conftest import TOKEN
from tests.browser.pages import goto, save
from tests.browser.test_story import map_field

if TYPE_CHECKING:
    from segments.models import DataModel

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


_FILLED_IN = """form => Object.fromEntries([...form.elements]
    .filter(({name, type}) => name && !/csrf|__prefix__|_FORMS$/.test(name) && type !== "submit")
    .map(({name, value, type, checked}) => type === "checkbox" ? [`${name}=${value}`, checked] : [name, value]))"""


def destination(platform: str, service: str, **config: Any) -> Destination:
    connection = Connection.objects.create(name=platform, platform=platform, config=config, secrets={"token": TOKEN})
    return Destination.objects.create(name=f"{platform} companies", connection=connection, service=service)


def filled_in(page: Page) -> dict[str, Any]:
    """The values of all inputs of the form that a person can see or that are hidden by what was chosen."""
    values: dict[str, Any] = page.eval_on_selector("#activation_form", _FILLED_IN)
    return values


def add_schedule(page: Page, row: int, kind: str, **values: str) -> None:
    page.click("text=Add another Schedule")
    page.select_option(f"#id_schedules-{row}-kind", kind)
    for name, value in values.items():
        page.fill(f"#id_schedules-{row}-{name}", value)


def test_refused_save_of_a_new_activation_keeps_everything_that_was_chosen(
    signed_in: Page, live_server: Any, companies: DataModel, intercom: Any
) -> None:
    page = signed_in
    away = destination("intercom", "intercom.companies", region="us")
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    expect(page.locator("#id_mode")).to_have_value("update")
    page.fill("#id_name", "Companies away")
    page.select_option("#id_records", label="All of Companies")
    page.select_option("#id_mode", "upsert")
    page.select_option("#id_match_column", "id")
    page.select_option("#id_match_field", "company_id")
    map_field(page, 0, "name", "name")
    page.select_option("#id_mappings-0-when_empty", "clear")
    map_field(page, 1, "country", "name")
    page.click("text=Add another Field")
    page.fill("#id_mappings-2-fixed", "Customer")
    page.select_option("#id_mappings-2-target", "industry")
    page.check("input[name=custom_columns][value=mrr]")
    add_schedule(page, 0, "interval", every="45")
    add_schedule(page, 1, "cron", cron="0 7 * * 1-5")
    page.fill("#id_rejected_percent", "17")
    before = filled_in(page)

    save(page)
    expect(page.locator("tr:has(#id_mappings-1-target)")).to_contain_text("mapped twice")
    expect(page.locator("#id_mappings-1-column option")).not_to_have_count(2)
    assert filled_in(page) == before

    page.select_option("#id_mappings-1-target", "website")
    save(page)
    activation = Activation.objects.get()
    assert (activation.mode, activation.rejected_percent, activation.schedules.count()) == ("upsert", 17, 2)
    assert activation.mappings.get(target="name").when_empty == "clear"


def test_fixed_value_comes_back_when_the_column_is_removed_again(
    signed_in: Page, live_server: Any, companies: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    page.select_option("#id_records", label="All of Companies")
    page.click("text=Add another Field")
    page.fill("#id_mappings-0-fixed", "Customer")
    page.select_option("#id_mappings-0-column", "name")
    expect(page.locator("#id_mappings-0-fixed")).to_have_value("")
    page.select_option("#id_mappings-0-column", "")
    expect(page.locator("#id_mappings-0-fixed")).to_have_value("Customer")


def test_match_that_no_attribute_can_be_comes_with_advice_before_saving(
    signed_in: Page, live_server: Any, companies: DataModel, attio: Any
) -> None:
    page = signed_in
    away = destination("attio", "attio.companies")
    attio.archive("companies", "domains", True)
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")
    expect(page.locator("[data-role=match-advice]")).to_contain_text("Unarchive Domains in Attio")
    expect(page.locator("#id_match_field")).to_have_value("")
