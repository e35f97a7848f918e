"""The condition builder in a real browser: a new user's story, and every way to edit a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from segments.models import DataModel, Segment, Source
from segments.reading import read
from segments.sources.discovery import refresh_columns
from tests.browser.pages import FRENCH, PAYING, SPANISH, add, field, goto, opened, press, root, save, stored
from tests.segments.renewals import Shop, in_sqlite
from tests.segments.renewals import opened as in_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Iterator[Shop]:
    settings.SOURCE_FILES_ROOT = tmp_path
    with in_engine(request.param, tmp_path) as shop:
        yield shop


def add_model(page: Page, live_server: Any, name: str, table: str) -> None:
    goto(page, live_server, f"/admin/segments/datamodel/add/?source={Source.objects.get().pk}")
    page.fill("#id_name", name)
    page.select_option("#id_table", table)
    expect(page.locator("#id_primary_key")).to_have_value("id")
    save(page)


def add_shop(page: Page, live_server: Any, shop: Shop) -> None:
    """Creates a source with two related models."""
    goto(page, live_server, "/admin/segments/source/add/")
    press(page.get_by_role("link", name=shop.label))
    page.locator("summary, h2, button").filter(has_text="More options").first.click()
    page.fill("#id_name", "Shop")
    for name, value in shop.form.items():
        page.fill(f"#id_setting_{name}", value)
    page.get_by_role("button", name="Connect and test").click()
    expect(page.locator("body")).to_contain_text("works")
    add_model(page, live_server, "Companies", f"{shop.schema}companies")
    add_model(page, live_server, "Orders", f"{shop.schema}orders")
    page.click("text=Find relations")
    expect(page.locator("body")).to_contain_text("Orders.company_id → Companies.id")


def add_churned_segment(page: Page, live_server: Any) -> None:
    goto(page, live_server, "/admin/segments/segment/add/")
    page.fill("#id_name", "Churned")
    page.select_option("select[data-role=model]", label="Companies")
    field(add(page, root(page), "Add condition"), "churned", "equals").get_by_label("Value").select_option("true")
    save(page)


def test_new_user_builds_the_exact_list_without_sql(signed_in: Page, live_server: Any, shop: Shop) -> None:
    page = signed_in
    add_shop(page, live_server, shop)
    add_churned_segment(page, live_server)
    goto(page, live_server, "/admin/segments/segment/add/")
    page.fill("#id_name", "Paying, renewed, with orders")
    page.select_option("select[data-role=model]", label="Companies")
    field(add(page, root(page), "Add condition"), "mrr", "greater_than").get_by_label("Value").fill("0")
    countries = field(add(page, root(page), "Add condition"), "country", "one_of").get_by_label("Values")
    countries.fill("FR")
    countries.press("Enter")
    countries.fill("DE")
    countries.press("Enter")
    field(add(page, root(page), "Add condition"), "renewed_at", "in_the_last")
    related = add(page, root(page), "Add related rows")
    related.get_by_label("Count").fill("2")
    field(add(page, related.locator(".d-group"), "Add condition"), "amount", "greater_than").get_by_label("Value").fill(
        "100"
    )
    add(page, root(page), "Add segment")
    sentence = (
        "Companies where mrr is greater than 0 and country is one of FR, DE and renewed_at is in the last 30 days"
    )
    expect(page.locator("[data-sentence]")).to_have_text(
        f"{sentence} and has at least 2 Orders where (amount is greater than 100) and is not in the segment Churned."
    )
    expect(page.locator("[data-segment-count]")).to_have_text(str(len(shop.by_hand)))
    expect(page.locator("[data-result]")).to_contain_text("of 400")
    save(page)

    segment = Segment.objects.get(name__startswith="Paying")
    with read.stream(read.selection(segment), ["id"], now=timezone.now()) as stream:
        ids = sorted(int(value) for batch in stream.batches for value in batch.column(0).to_pylist())
    assert ids == shop.by_hand
    assert len(ids) > 3


def test_conditions_move_into_and_out_of_groups_by_keyboard_and_keep_the_focus(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    segment = opened(page, live_server, companies, PAYING, {"any": [FRENCH]}, SPANISH)
    last = root(page).locator("> .d-list > li").last
    last.get_by_label("Move into the adjacent group").press("Enter")
    expect(page.locator("[data-said]")).to_contain_text("now 2 of 2")
    moved = page.locator("[data-combine=any] > .d-list > li").last
    expect(moved.get_by_label("Value")).to_have_value("ES")
    moved.get_by_label("Move up").press("Enter")
    assert page.evaluate("document.activeElement.closest('li').querySelector('[aria-label=Value]').value") == "ES"
    moved = page.locator("[data-combine=any] > .d-list > li").first
    moved.get_by_label("Duplicate").press("Enter")
    expect(page.locator("[data-combine=any] > .d-list > li")).to_have_count(3)
    page.locator("[data-combine=any] > .d-list > li").first.get_by_label("Move out of this group").press("Enter")
    assert stored(page, segment) == {"all": [PAYING, {"any": [SPANISH, FRENCH]}, SPANISH]}


def test_condition_can_be_dragged_into_a_group(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    page.set_viewport_size({"width": 1280, "height": 1600})
    segment = opened(page, live_server, companies, PAYING, {"any": [FRENCH, SPANISH]})
    handle = root(page).locator("> .d-list > li").first.locator(".d-handle").first
    handle.drag_to(page.locator("[data-combine=any] > .d-list > li").last, target_position={"x": 60, "y": 4})
    expect(root(page).locator("> .d-list > li")).to_have_count(1)
    assert stored(page, segment) == {"all": [{"any": [FRENCH, PAYING, SPANISH]}]}


def test_unsaved_changes_are_offered_after_a_reload_and_never_restored_automatically(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    opened(page, live_server, companies, FRENCH)
    page.get_by_label("Value", exact=True).fill("DE")
    expect(page.locator("[data-sentence]")).to_contain_text("DE")
    page.reload()
    expect(page.locator("[data-sentence]")).to_contain_text("FR")
    page.click("text=Restore")
    expect(page.locator("[data-sentence]")).to_contain_text("DE")
    page.reload()
    page.click("text=Discard")
    page.reload()
    expect(page.locator("[data-sentence]")).to_contain_text("FR")
    expect(page.locator("[data-draft]")).to_have_count(0)


def test_validation_error_keeps_the_conditions(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    Segment.objects.create(name="Taken", model=companies)
    opened(page, live_server, companies, FRENCH)
    page.get_by_label("Value", exact=True).fill("DE")
    page.fill("#id_name", "Taken")
    save(page)
    expect(page.locator("body")).to_contain_text("already exists")
    expect(page.get_by_label("Value", exact=True)).to_have_value("DE")


def test_incomplete_or_refused_conditions_show_no_results(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    opened(page, live_server, companies, PAYING)
    sentence, value = page.locator("[data-sentence]"), page.get_by_label("Value", exact=True)
    expect(sentence).to_contain_text("mrr is greater than 0")
    for invalid, message in (("", "Enter a value for mrr."), ("0.12345678901", "at most 9 decimal places")):
        value.fill(invalid)
        expect(sentence).to_have_class("d-sentence d-stale")
        expect(page.locator("[data-result]")).to_contain_text(message)
        expect(sentence).to_have_text("")
        expect(page.locator("[data-sql]")).to_be_hidden()
        expect(page.locator("[data-first] table")).to_have_count(0)
        value.fill("5")
        expect(sentence).to_contain_text("mrr is greater than 5")
        expect(page.locator("[data-segment-count]")).to_be_visible()
        expect(page.locator("[data-answer] .d-stale")).to_have_count(0)


def test_fields_and_operators_can_be_selected_by_typing(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    segment = opened(page, live_server, companies, PAYING)
    page.get_by_label("Operator", exact=True).focus()
    page.keyboard.type("is at most", delay=40)
    expect(page.get_by_label("Operator", exact=True)).to_have_value("at_most")
    expect(page.get_by_label("Operator", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("50")
    assert stored(page, segment) == {"all": [{"field": "mrr", "is": "at_most", "value": 50}]}
    goto(page, live_server, f"/admin/segments/segment/{segment.pk}/change/")
    page.get_by_label("Field", exact=True).focus()
    page.keyboard.type("country", delay=40)
    expect(page.get_by_label("Field", exact=True)).to_have_value("country")
    page.keyboard.press("Tab")
    page.keyboard.type("is not empty", delay=40)
    expect(page.locator("[data-sentence]")).to_contain_text("country is not empty")
    assert stored(page, segment) == {"all": [{"field": "country", "is": "not_empty"}]}


def test_condition_on_a_missing_column_keeps_its_labels(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    gone = {"field": "seen_at", "is": "in_the_last", "value": "3 days"}
    retyped = {"field": "mrr", "is": "starts_with", "value": "a"}
    segment = Segment.objects.create(name="Chosen", model=companies, where={"all": [gone, retyped]})
    goto(page, live_server, f"/admin/segments/segment/{segment.pk}/change/")
    expect(page.locator("[data-result]")).to_contain_text("no column “seen_at”")
    operators = [
        operator.locator("option:checked").inner_text() for operator in page.get_by_label("Operator", exact=True).all()
    ]
    assert operators == ["is in the last", "starts with (not supported for this field)"]
    expect(page.get_by_label("How many")).to_have_value("3")


def test_outdated_preview_is_cancelled_in_the_source_and_the_page_keeps_working(
    signed_in: Page, live_server: Any, tmp_path: Path, settings: Any
) -> None:
    page = signed_in
    settings.SOURCE_FILES_ROOT = tmp_path
    in_sqlite(tmp_path)
    settings.SOURCE_PREVIEW_SECONDS = 60
    shop = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select x as id, 'a' as name from n"
    slow = DataModel.objects.create(name="Slow", source=shop, sql=endless, primary_key="id")
    slow.columns.create(name="id", type="integer", native="")
    slow.columns.create(name="name", type="text", native="", position=1)
    quick = DataModel.objects.create(name="Quick", source=shop, table="companies", primary_key="id")
    refresh_columns(quick)
    goto(page, live_server, "/admin/segments/segment/add/")
    with page.expect_request("**/api/segments/preview/") as first_request:
        page.select_option("select[data-role=model]", label="Slow")
    expect(page.locator("[data-result]")).to_contain_text("Reading from the source")
    with page.expect_response("**/api/segments/preview/") as response:
        page.select_option("select[data-role=model]", label="Quick")
        expect(page.locator("[data-segment-count]")).to_have_text("400")
    assert response.value.ok
    assert (first_request.value.post_data_json or {})["number"] == 1
