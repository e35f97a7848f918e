"""Forms and lists of models and segments in a real browser, on a wide screen and on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from segments.models import DataModel, Relation, Segment
from segments.sources.discovery import refresh_columns
from tests.browser.pages import goto, save

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLOW = "with recursive n(x) as (select 1 union all select x + 1 from n limit 90000000) select max(x) as id from n"


def write_sql(page: Page, live_server: Any, model: DataModel, sql: str) -> None:
    goto(page, live_server, f"/admin/segments/datamodel/add/?source={model.source_id}")
    page.locator("input[name=shape][value=sql]").check()
    page.fill("#id_sql", sql)
    page.locator("#id_sql").blur()


def test_model_form_shows_how_long_the_source_has_been_working(
    signed_in: Page, live_server: Any, companies: DataModel, settings: Any
) -> None:
    settings.SOURCE_PREVIEW_SECONDS = 3
    write_sql(signed_in, live_server, companies, SLOW)
    expect(signed_in.locator("[data-sample]")).to_contain_text("Reading from the source")
    expect(signed_in.locator("[data-sample]")).to_contain_text(re.compile("[1-3] s"))
    expect(signed_in.locator(".d-below [role=alert]")).to_contain_text("did not answer within 3 seconds")
    expect(signed_in.locator("[data-sample]")).to_be_empty()


def test_relation_offers_the_columns_of_the_selected_model_and_preselects_its_key(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    orders = DataModel.objects.create(name="Orders", source=companies.source, table="orders", primary_key="id")
    refresh_columns(orders)
    goto(page, live_server, f"/admin/segments/datamodel/{orders.pk}/change/")
    page.get_by_role("link", name="Belongs to", exact=True).click()
    page.get_by_role("link", name="Add another").last.click()
    column = page.locator("select[name=relations-0-to_column]")
    expect(column.locator("option")).to_have_count(1)
    page.select_option("select[name=relations-0-from_column]", "company_id")
    page.select_option("select[name=relations-0-to_model]", label="Companies")
    expect(column).to_have_value("id")
    assert column.locator("option").all_inner_texts()[1:] == ["id", "name", "country", "mrr", "renewed_at", "churned"]
    save(page)
    assert str(Relation.objects.get()) == "Orders.company_id → Companies.id"
    goto(page, live_server, f"/admin/segments/datamodel/{orders.pk}/change/#relations")
    expect(column).to_have_value("id")


@pytest.mark.parametrize("width", [1280, 390])
def test_first_rows_are_shown_below_the_field_at_full_width(
    width: int, signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    signed_in.set_viewport_size({"width": width, "height": 900})
    write_sql(signed_in, live_server, companies, "select * from companies")
    rows = signed_in.locator("[data-sample] table").locator("..")
    expect(rows).to_contain_text("Company 1")
    field, table = signed_in.locator("#id_sql").bounding_box(), rows.bounding_box()
    assert field
    assert table
    assert table["y"] > field["y"] + field["height"]
    assert table["width"] >= field["width"]
    write_sql(signed_in, live_server, companies, "select nothing")
    problem = signed_in.locator(".d-below [role=alert]")
    expect(problem).to_contain_text("refused")
    note = problem.bounding_box()
    assert note
    assert note["width"] >= field["width"]


def test_phone_shows_the_full_conditions_of_a_segment(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    names = [f"A long name of a company {number}" for number in range(12)]
    Segment.objects.create(name="Long", model=companies, where={"field": "name", "is": "one_of", "value": names})
    signed_in.set_viewport_size({"width": 390, "height": 900})
    goto(signed_in, live_server, "/admin/segments/segment/")
    cell = signed_in.locator("td.field-conditions_column")
    expect(cell).to_contain_text("company 11")
    assert cell.evaluate("cell => cell.scrollHeight <= cell.clientHeight")
    assert cell.evaluate("cell => cell.clientHeight") > 45
