"""The values of conditions in a real browser: suggestions, lists, numbers, dates and errors."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import PAYING, opened, save, stored

if TYPE_CHECKING:
    from pathlib import Path

    from segments.models import DataModel

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_observed_values_can_be_selected(signed_in: Page, live_server: Any, companies: DataModel) -> None:
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
    """Picks a value from the suggestions of a field, with the event that a browser sends."""
    script = """(input, value) => {
        input.value = value;
        input.dispatchEvent(new InputEvent("input", {inputType: "insertReplacementText"}));
    }"""
    field.evaluate(script, value)


def paste(field: Any, text: str) -> None:
    script = """(input, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text", text);
        input.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
    }"""
    field.evaluate(script, text)


def named(*names: str) -> dict[str, Any]:
    return {"field": "name", "is": "one_of", "value": list(names)}


def test_observed_value_keeps_its_surrounding_whitespace(
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


def test_each_pasted_line_is_one_value(signed_in: Page, live_server: Any, odd_names: DataModel) -> None:
    page = signed_in
    segment = opened(page, live_server, odd_names, named("France"))
    paste(page.get_by_label("Values"), "Acme, Inc.\r\n  Bolt, Nut & Co \r\n\r\nFrance\r\n")
    expect(page.locator(".d-chips li")).to_have_count(3)
    expect(page.locator("[data-segment-count]")).to_have_text("3")
    assert stored(page, segment) == {"all": [named("France", "Acme, Inc.", "Bolt, Nut & Co")]}


def test_typed_text_is_one_value_until_it_is_split_on_request(
    signed_in: Page, live_server: Any, odd_names: DataModel
) -> None:
    page = signed_in
    segment = opened(page, live_server, odd_names, named("France"))
    field = page.get_by_label("Values")
    field.fill("Acme, Inc.")
    field.press("Enter")
    expect(page.locator(".d-chips li")).to_have_count(2)
    expect(page.locator("[data-segment-count]")).to_have_text("3")
    page.click("text=Split into 2 values")
    expect(page.locator(".d-chips li")).to_have_count(3)
    assert stored(page, segment) == {"all": [named("France", "Acme", "Inc.")]}


def test_typed_value_can_start_like_an_observed_value(signed_in: Page, live_server: Any, odd_names: DataModel) -> None:
    page = signed_in
    segment = opened(page, live_server, odd_names, named("Inc."))
    field = page.get_by_label("Values")
    field.focus()
    expect(page.locator("datalist option[value=Acme]")).to_have_count(1)
    field.press_sequentially("Acme, Inc.")
    assert stored(page, segment) == {"all": [named("Inc.", "Acme, Inc.")]}


@pytest.mark.parametrize(
    ("condition", "label", "entered", "message"),
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
def test_page_and_server_explain_an_invalid_value_in_the_same_words(
    condition: tuple[str, str, Any],
    label: str,
    entered: str,
    message: str,
    signed_in: Page,
    live_server: Any,
    companies: DataModel,
) -> None:
    column, operator, value = condition
    page = signed_in
    opened(page, live_server, companies, {"field": column, "is": operator, "value": value})
    page.get_by_label(label, exact=True).fill(entered)
    expect(page.locator("[data-result]")).to_contain_text(f"The condition on “{column}” is not valid: ")
    expect(page.locator("[data-result]")).to_contain_text(message)
    save(page)
    expect(page.locator(".field-where, .form-row", has=page.locator("[data-conditions]")).first).to_contain_text(
        message
    )
    expect(page.get_by_label(label, exact=True)).to_have_value(entered)


def test_timestamp_range_has_a_format_hint(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    opened(
        signed_in,
        live_server,
        companies,
        {"field": "renewed_at", "is": "between", "value": ["2026-01-01", "2026-01-31"]},
    )
    expect(signed_in.locator(".d-value")).to_contain_text("e.g. 2026-01-31 or 2026-01-31 09:00")


def test_dates_offer_only_days_and_longer_units(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    companies.columns.filter(name="renewed_at").update(type="date")
    renewed = {"field": "renewed_at", "is": "in_the_last"}
    opened(page, live_server, companies, {**renewed, "value": "3 weeks"}, {**renewed, "value": "36 hours"})
    units = [unit.locator("option").all_inner_texts() for unit in page.get_by_label("Unit").all()]
    assert units == [["days", "weeks", "months"], ["minutes", "hours", "days", "weeks", "months"]]
    expect(page.get_by_label("Unit").last).to_have_value("hour")


def test_large_number_keeps_all_its_digits(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    segment = opened(page, live_server, companies, {"field": "mrr", "is": "at_most", "value": "12345678901234567"})
    page.reload()
    expect(page.locator("[data-sentence]")).to_contain_text("12345678901234567")
    page.get_by_label("Value", exact=True).fill("12345678901234569")
    expect(page.locator("[data-sentence]")).to_contain_text("12345678901234569")
    assert stored(page, segment) == {"all": [{"field": "mrr", "is": "at_most", "value": "12345678901234569"}]}
