"""Computed fields in a real browser: a new user builds an aggregate over related rows, and a label based on it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from segments.models import ComputedField, DataModel, Relation, Source
from segments.reading import read
from segments.sources.discovery import refresh_columns
from tests.browser.pages import add, field, goto, press, save

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = "section[aria-label='Computed fields']"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def companies(tmp_path: Path, settings: Any, transactional_db: None) -> DataModel:
    """Companies with: two recent large orders and a small one; a recent small order and an old large one; no orders."""
    settings.SOURCE_FILES_ROOT = tmp_path
    recent = (datetime.now(UTC) - timedelta(days=9)).strftime("%Y-%m-%d %H:%M:%S")
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("create table companies (id integer primary key, name text, country text)")
        database.execute(
            "create table orders (id integer primary key, company_id integer, amount real, ordered_at timestamp)"
        )
        database.executemany("insert into companies values (?, ?, 'FR')", [(1, "Acme"), (2, "Bolt"), (3, "Crux")])
        orders = [
            (1, 1, 150.5, recent),
            (2, 1, 900.0, recent),
            (3, 1, 10.0, recent),
            (4, 2, 20.0, recent),
            (5, 2, 500.0, "2020-01-01 00:00:00"),
        ]
        database.executemany("insert into orders values (?, ?, ?, ?)", orders)
    shop = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
    orders_model, model = (
        DataModel.objects.create(name=name, source=shop, table=name.lower(), primary_key="id")
        for name in ("Orders", "Companies")
    )
    for each in (orders_model, model):
        refresh_columns(each)
    Relation.objects.create(from_model=orders_model, from_column="company_id", to_model=model, to_column="id")
    return model


def test_new_user_builds_a_number_of_orders_and_a_label_based_on_it(
    signed_in: Page, live_server: Any, companies: DataModel
) -> None:
    page = signed_in
    goto(page, live_server, f"/admin/segments/datamodel/{companies.pk}/change/")
    page.get_by_role("link", name="Computed fields").click()
    press(page.get_by_text("Add a computed field"))
    page.fill("#id_name", "big orders")
    orders = page.get_by_role("group", name="Rows of Orders that match")
    field(add(page, orders, "Add condition"), "amount", "greater_than").get_by_label("Value").fill("100")
    recent = field(add(page, orders, "Add condition"), "ordered_at", "in_the_last")
    recent.get_by_label("How many").fill("90")
    sentence = "the number of Orders where (amount is greater than 100 and ordered_at is in the last 90 days)"
    expect(page.locator("[data-sentence]")).to_have_text(f"big orders: {sentence}.")
    cells = page.locator("[data-first] tbody td")
    expect(cells).to_have_text(["1", "Acme", "2", "2", "Bolt", "0", "3", "Crux", "0"])
    save(page)

    expect(page.locator(FIELDS)).to_contain_text(sentence)
    press(page.get_by_text("Add a computed field"))
    page.fill("#id_name", "tier")
    page.get_by_label("A label based on conditions").check()
    for label, least in (("Gold", "2"), ("Silver", "1")):
        if label == "Silver":
            page.get_by_role("button", name="Add label").press("Enter")
        line = page.locator("[data-label]").last
        line.get_by_label("Label", exact=True).fill(label)
        field(add(page, line.locator(".d-group"), "Add condition"), "big orders", "at_least").get_by_label(
            "Value"
        ).fill(least)
    page.get_by_label("All other rows").fill("other")
    expect(page.locator("[data-first] tbody tr").first).to_contain_text("Gold")
    save(page)

    preview = read.preview(read.selection(companies), now=timezone.now(), columns=["name", "big orders", "tier"])
    assert [list(row.values()) for row in preview] == [["Acme", 2, "Gold"], ["Bolt", 0, "other"], ["Crux", 0, "other"]]
    assert [saved.name for saved in ComputedField.objects.exclude(definition={})] == ["big orders", "tier"]


def test_unsaved_field_is_offered_after_a_reload(signed_in: Page, live_server: Any, companies: DataModel) -> None:
    page = signed_in
    goto(page, live_server, f"/admin/segments/computedfield/add/?model={companies.pk}")
    page.fill("#id_name", "big orders")
    orders = page.get_by_role("group", name="Rows of Orders that match")
    field(add(page, orders, "Add condition"), "amount", "greater_than").get_by_label("Value").fill("100")
    expect(page.locator("[data-sentence]")).to_contain_text("amount is greater than 100")
    page.reload()
    expect(page.locator("[data-sentence]")).to_have_text("new field: the number of Orders.")
    page.click("text=Restore")
    expect(page.locator("[data-sentence]")).to_contain_text(
        "big orders: the number of Orders where (amount is greater than 100)"
    )
    save(page)
    assert ComputedField.objects.exclude(definition={}).get().name == "big orders"
    goto(page, live_server, f"/admin/segments/computedfield/add/?model={companies.pk}")
    expect(page.locator("[data-sentence]")).to_have_text("new field: the number of Orders.")
    expect(page.locator("[data-draft]")).to_have_count(0)
