"""The search and the timeline of a record: why a company was, or wasn't, updated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation, Change
from segments.models import DataModel
from tests.browser.conftest import TOKEN
from tests.browser.installation import LONG, install
from tests.browser.walk import examine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("PICTURES")


@pytest.fixture
def installed(signed_in: Page, attio: Any, intercom: Any, shop: Path) -> Activation:
    return install(shop.name, TOKEN)


def picture(page: Page, name: str) -> None:
    """Takes pictures of the page if `PICTURES` names a folder."""
    if not PICTURES:
        return
    for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("(dark) => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
        page.wait_for_timeout(300)
        page.screenshot(path=f"{PICTURES}/{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_company_is_found_by_its_domain_and_its_page_says_why_it_is_not_in_a_segment(
    signed_in: Page, live_server: Any, installed: Activation
) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/admin/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    box.fill("BOLT.ex")
    expect(page.get_by_role("option").first).to_contain_text("bolt.example.com")
    picture(page, "search")
    box.press("ArrowDown")
    box.press("ArrowUp")
    box.press("Enter")
    expect(page.get_by_text("Present values in the source")).to_be_visible()
    article = page.locator("article", has_text=LONG)
    expect(article).to_contain_text("because the condition “country is FR” is not met (country is DE)")
    expect(page.locator("article", has_text="Companies to Attio")).to_contain_text("in Attio")
    picture(page, "record")


def test_row_that_no_run_has_seen_is_found_in_its_source(
    signed_in: Page, live_server: Any, installed: Activation
) -> None:
    Change.objects.all().delete()
    page = signed_in
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Search").fill("élic")
    expect(page.get_by_role("option")).to_contain_text("Companies · 4")
    page.keyboard.press("Escape")
    expect(page.locator("#finder")).to_be_hidden()


def test_search_and_pages_of_records_are_accessible(signed_in: Page, live_server: Any, installed: Activation) -> None:
    model = DataModel.objects.get()
    listed = f"{live_server.url}/admin/activations/change/?q=acme"
    assert examine(signed_in, f"{live_server.url}/admin/activations/change/of/{model.pk}/?key=5") == []
    picture(signed_in, "refused")
    assert examine(signed_in, listed) == []
    picture(signed_in, "list")
