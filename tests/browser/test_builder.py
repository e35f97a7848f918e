"""The condition builder in a real browser: the story of a new user, and each way to change a tree."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from segments.models import DataModel, Segment, Source
from segments.reading import read
from segments.sources.discovery import refresh_columns
from tests.browser.test_story import goto, save
from tests.segments.renewals import Shop, in_sqlite
from tests.segments.renewals import opened as in_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Iterator[Shop]:
    settings.SOURCE_FILES_ROOT = tmp_path
    with in_engine(request.param, tmp_path) as made:
        yield made


def root(page: Page) -> Any:
    return page.locator("[data-tree] > .d-group")


def add(page: Page, group: Any, button: str) -> Any:
    """Presses a button at the foot of a group, and returns the condition that it made."""
    group.locator("> .d-adders button", has_text=button).click()
    return group.locator("> .d-list > li").last


def field(condition: Any, column: str, operator: str) -> Any:
    condition.get_by_label("Field", exact=True).select_option(column)
    condition.get_by_label("Operator", exact=True).select_option(operator)
    return condition


def model(page: Page, live_server: Any, name: str, table: str) -> None:
    goto(page, live_server, f"/admin/segments/datamodel/add/?source={Source.objects.get().pk}")
    page.fill("#id_name", name)
    page.select_option("#id_table", table)
    expect(page.locator("#id_primary_key")).to_have_value("id")
    save(page)


def test_a_new_user_builds_the_exact_list_without_sql(signed_in: Page, live_server: Any, shop: Shop) -> None:
    page = signed_in
    goto(page, live_server, "/admin/segments/source/add/")
    page.click(f".d-choice:has-text('{shop.label}')")
    page.fill("#id_name", "Shop")
    for name, value in shop.form.items():
        page.fill(f"#id_setting_{name}", value)
    save(page)
    model(page, live_server, "Companies", f"{shop.schema}companies")
    model(page, live_server, "Orders", f"{shop.schema}orders")
    page.click("text=Find relations")
    expect(page.locator("body")).to_contain_text("Orders.company_id → Companies.id")

    goto(page, live_server, "/admin/segments/segment/add/")
    page.fill("#id_name", "Churned")
    page.select_option("select[data-role=model]", label="Companies")
    field(add(page, root(page), "Add condition"), "churned", "equals").get_by_label("Value").select_option("true")
    save(page)

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
        found = sorted(int(value) for batch in stream.batches for value in batch.column(0).to_pylist())
    assert found == shop.by_hand
    assert len(found) > 3


@pytest.fixture
def companies(tmp_path: Path, settings: Any, transactional_db: None) -> DataModel:
    settings.SOURCE_FILES_ROOT = tmp_path
    in_sqlite(tmp_path)
    shop = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
    made = DataModel.objects.create(name="Companies", source=shop, table="companies", primary_key="id")
    refresh_columns(made)
    return made


def opened(page: Page, live_server: Any, model: DataModel, *conditions: dict[str, Any]) -> Segment:
    segment = Segment.objects.create(name="Chosen", model=model, where={"all": list(conditions)})
    goto(page, live_server, f"/admin/segments/segment/{segment.pk}/change/")
    expect(page.locator("[data-segment-count]")).to_be_visible()
    return segment


def stored(page: Page, segment: Segment) -> Any:
    save(page)
    segment.refresh_from_db()
    return segment.where


PAYING = {"field": "mrr", "is": "greater_than", "value": 0}
FRENCH = {"field": "country", "is": "equals", "value": "FR"}
SPANISH = {"field": "country", "is": "equals", "value": "ES"}


def test_conditions_move_by_keyboard_into_and_out_of_groups_and_keep_the_focus(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    segment = opened(page, live_server, companies, PAYING, {"any": [FRENCH]}, SPANISH)
    last = root(page).locator("> .d-list > li").last
    last.get_by_label("Move into the group beside it").press("Enter")
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


def test_a_condition_is_dragged_into_a_group(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    page.set_viewport_size({"width": 1280, "height": 1600})
    segment = opened(page, live_server, companies, PAYING, {"any": [FRENCH, SPANISH]})
    handle = root(page).locator("> .d-list > li").first.locator(".d-handle").first
    handle.drag_to(page.locator("[data-combine=any] > .d-list > li").last, target_position={"x": 60, "y": 4})
    expect(root(page).locator("> .d-list > li")).to_have_count(1)
    assert stored(page, segment) == {"all": [{"any": [FRENCH, PAYING, SPANISH]}]}


def test_what_was_not_saved_is_offered_after_a_reload_and_never_forced(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    opened(page, live_server, companies, FRENCH)
    page.get_by_label("Value", exact=True).fill("DE")
    expect(page.locator("[data-sentence]")).to_contain_text("DE")
    page.reload()
    expect(page.locator("[data-sentence]")).to_contain_text("FR")
    page.click("text=Bring it back")
    expect(page.locator("[data-sentence]")).to_contain_text("DE")
    page.reload()
    page.click("text=Forget it")
    page.reload()
    expect(page.locator("[data-sentence]")).to_contain_text("FR")
    expect(page.locator("[data-draft]")).to_have_count(0)


def test_a_validation_error_keeps_what_was_built(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    Segment.objects.create(name="Taken", model=companies)
    opened(page, live_server, companies, FRENCH)
    page.get_by_label("Value", exact=True).fill("DE")
    page.fill("#id_name", "Taken")
    save(page)
    expect(page.locator("body")).to_contain_text("already exists")
    expect(page.get_by_label("Value", exact=True)).to_have_value("DE")


def test_observed_values_can_be_chosen(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    exact = {"field": "mrr", "is": "equals", "value": 1}
    opened(page, live_server, companies, {"field": "country", "is": "one_of", "value": ["ES"]}, exact, PAYING)
    page.get_by_label("Values").focus()
    expect(page.locator("datalist option[value=FR]")).to_have_count(1)
    choose(page.get_by_label("Values"), "FR")
    expect(page.locator(".d-chips li")).to_have_count(2)
    page.get_by_label("Value", exact=True).first.focus()
    expect(page.locator("datalist option[value='10.5']")).to_have_count(1)
    assert page.get_by_label("Value", exact=True).last.get_attribute("list") is None


@pytest.fixture
def odd_names(companies: DataModel, tmp_path: Path) -> DataModel:
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        for name, places in {"France ": "1, 2", "Acme, Inc.": "3", "France": "4, 5", "Acme": "6", "Inc.": "7"}.items():
            database.execute(f"update companies set name = ? where id in ({places})", [name])
    return companies


def choose(field: Any, value: str) -> None:
    """Takes a value from the list of a field, as a browser tells it."""
    tells = "(input, value) => { input.value = value; input.dispatchEvent(new InputEvent('input', {inputType: 'insertReplacementText'})); }"
    field.evaluate(tells, value)


def paste(field: Any, text: str) -> None:
    tells = """(input, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text", text);
        input.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
    }"""
    field.evaluate(tells, text)


def named(*names: str) -> dict[str, Any]:
    return {"field": "name", "is": "one_of", "value": list(names)}


def test_an_observed_value_is_taken_with_the_blanks_around_it(
    signed_in: Page, live_server: Any, odd_names: DataModel
) -> None:
    page = signed_in
    segment = opened(page, live_server, odd_names, named("Acme"))
    field = page.get_by_label("Values")
    field.focus()
    expect(page.locator("datalist option[value='France ']")).to_have_count(1)
    choose(field, "France ")
    expect(page.locator(".d-chips")).to_contain_text("“France ”")
    expect(page.locator("[data-segment-count]")).to_have_text("3")
    assert stored(page, segment) == {"all": [named("Acme", "France ")]}


def test_a_pasted_line_is_one_value(signed_in: Page, live_server: Any, odd_names: DataModel) -> None:
    page = signed_in
    segment = opened(page, live_server, odd_names, named("France"))
    paste(page.get_by_label("Values"), "Acme, Inc.\r\n  Bolt, Nut & Co \r\n\r\nFrance\r\n")
    expect(page.locator(".d-chips li")).to_have_count(3)
    expect(page.locator("[data-segment-count]")).to_have_text("3")
    assert stored(page, segment) == {"all": [named("France", "Acme, Inc.", "Bolt, Nut & Co")]}


def test_a_typed_value_is_one_value_until_a_person_splits_it(
    signed_in: Page, live_server: Any, odd_names: DataModel
) -> None:
    page = signed_in
    segment = opened(page, live_server, odd_names, named("France"))
    field = page.get_by_label("Values")
    field.fill("Acme, Inc.")
    field.press("Enter")
    expect(page.locator(".d-chips li")).to_have_count(2)
    expect(page.locator("[data-segment-count]")).to_have_text("3")
    page.click("text=make 2 values")
    expect(page.locator(".d-chips li")).to_have_count(3)
    assert stored(page, segment) == {"all": [named("France", "Acme", "Inc.")]}


def test_a_typed_value_may_begin_like_an_observed_one(signed_in: Page, live_server: Any, odd_names: DataModel) -> None:
    page = signed_in
    segment = opened(page, live_server, odd_names, named("Inc."))
    field = page.get_by_label("Values")
    field.focus()
    expect(page.locator("datalist option[value=Acme]")).to_have_count(1)
    field.press_sequentially("Acme, Inc.")
    assert stored(page, segment) == {"all": [named("Inc.", "Acme, Inc.")]}


def test_nothing_is_said_of_conditions_that_are_incomplete_or_refused(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    opened(page, live_server, companies, PAYING)
    sentence, value = page.locator("[data-sentence]"), page.get_by_label("Value", exact=True)
    expect(sentence).to_contain_text("mrr is greater than 0")
    for wrong, words in (("", "Give a value for mrr."), ("0.12345678901", "at most 9 decimal places")):
        value.fill(wrong)
        expect(sentence).to_have_class("d-sentence d-stale")
        expect(page.locator("[data-result]")).to_contain_text(words)
        expect(sentence).to_have_text("")
        expect(page.locator("[data-sql]")).to_be_hidden()
        expect(page.locator("[data-first] table")).to_have_count(0)
        value.fill("5")
        expect(sentence).to_contain_text("mrr is greater than 5")
        expect(page.locator("[data-segment-count]")).to_be_visible()
        expect(page.locator("[data-answer] .d-stale")).to_have_count(0)


def test_a_field_and_an_operator_are_found_by_typing_their_names(
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


@pytest.mark.parametrize(
    ("condition", "label", "written", "words"),
    [
        (
            ("mrr", "between", [1, 5]),
            "From",
            "100",
            "the first value is greater than the second; put the lower value first",
        ),
        (
            ("renewed_at", "between", ["2026-01-01", "2026-01-31"]),
            "To",
            "soon",
            "must be a date such as 2026-01-31, or a time",
        ),
        (
            ("renewed_at", "between", ["2026-01-01", "2026-01-31"]),
            "From",
            "2026-02-01",
            "the first value is greater than the second",
        ),
        (("renewed_at", "between", ["2026-01-01", "2026-01-31"]), "To", "", "two values"),
        (("renewed_at", "in_the_last", "3 days"), "How many", "0", "the duration must be 1 or more"),
        (("renewed_at", "in_the_last", "3 days"), "How many", "-3", "the duration must be 1 or more"),
        (("renewed_at", "in_the_last", "3 days"), "How many", "10000", "at most 4 digits; use a longer unit"),
    ],
)
def test_a_wrong_value_is_told_what_would_fit_by_the_page_and_by_the_server(
    condition: tuple[str, str, Any],
    label: str,
    written: str,
    words: str,
    signed_in: Page,
    live_server: Any,
    companies: DataModel,
) -> None:
    column, operator, value = condition
    page = signed_in
    opened(page, live_server, companies, {"field": column, "is": operator, "value": value})
    page.get_by_label(label, exact=True).fill(written)
    expect(page.locator("[data-result]")).to_contain_text(f"The condition on '{column}' is not valid: ")
    expect(page.locator("[data-result]")).to_contain_text(words)
    save(page)
    expect(page.locator(".field-where, .form-row", has=page.locator("[data-conditions]")).first).to_contain_text(words)
    expect(page.get_by_label(label, exact=True)).to_have_value(written)


def test_times_between_two_others_come_with_a_hint(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    opened(
        signed_in,
        live_server,
        companies,
        {"field": "renewed_at", "is": "between", "value": ["2026-01-01", "2026-01-31"]},
    )
    expect(signed_in.locator(".d-value")).to_contain_text("e.g. 2026-01-31 or 2026-01-31 09:00")


def test_a_date_is_asked_for_in_days_and_longer_units(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    companies.columns.filter(name="renewed_at").update(type="date")
    renewed = {"field": "renewed_at", "is": "in_the_last"}
    opened(page, live_server, companies, {**renewed, "value": "3 weeks"}, {**renewed, "value": "36 hours"})
    units = [unit.locator("option").all_inner_texts() for unit in page.get_by_label("Unit").all()]
    assert units == [["days", "weeks", "months"], ["minutes", "hours", "days", "weeks", "months"]]
    expect(page.get_by_label("Unit").last).to_have_value("hour")


def test_a_condition_on_a_column_that_is_gone_is_shown_in_words(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    gone = {"field": "seen_at", "is": "in_the_last", "value": "3 days"}
    retyped = {"field": "mrr", "is": "starts_with", "value": "a"}
    segment = Segment.objects.create(name="Chosen", model=companies, where={"all": [gone, retyped]})
    goto(page, live_server, f"/admin/segments/segment/{segment.pk}/change/")
    expect(page.locator("[data-result]")).to_contain_text("no column 'seen_at'")
    operators = [
        operator.locator("option:checked").inner_text() for operator in page.get_by_label("Operator", exact=True).all()
    ]
    assert operators == ["is in the last", "starts with (not for this field)"]
    expect(page.get_by_label("How many")).to_have_value("3")


def test_a_superseded_question_ends_in_the_source_and_the_page_goes_on(
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
    with page.expect_request("**/api/segments/preview/") as asked:
        page.select_option("select[data-role=model]", label="Slow")
    expect(page.locator("[data-result]")).to_contain_text("Reading from the source")
    with page.expect_response("**/api/segments/preview/") as answered:
        page.select_option("select[data-role=model]", label="Quick")
        expect(page.locator("[data-segment-count]")).to_have_text("400")
    assert answered.value.ok
    assert (asked.value.post_data_json or {})["number"] == 1


def test_a_large_number_keeps_its_digits(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    segment = opened(page, live_server, companies, {"field": "mrr", "is": "at_most", "value": "12345678901234567"})
    page.reload()
    expect(page.locator("[data-sentence]")).to_contain_text("12345678901234567")
    page.get_by_label("Value", exact=True).fill("12345678901234569")
    expect(page.locator("[data-sentence]")).to_contain_text("12345678901234569")
    assert stored(page, segment) == {"all": [{"field": "mrr", "is": "at_most", "value": "12345678901234569"}]}
