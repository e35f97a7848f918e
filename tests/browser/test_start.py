"""Start in the browser: a file, its rows and a simulator lead to a filled-in mapping, on a desktop and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from destinations import simulators
from tests.browser.conftest import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def customers(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to upload, on a machine where the simulator of Attio runs."""
    settings.SOURCE_FILES_ROOT = tmp_path / "root"
    settings.SOURCE_FILES_ROOT.mkdir()
    monkeypatch.setenv(simulators.VARIABLE, "attio")
    monkeypatch.setenv("SANDBOX_TOKEN", TOKEN)
    path = tmp_path / "customers.csv"
    path.write_text("id,name,domain\n1,Acme,acme.example.com\n2,Bolt,bolt.example.com\n")
    return path


@pytest.mark.parametrize("width", [1280, 390])
def test_seven_clicks_lead_to_the_mapping(
    width: int, signed_in: Page, live_server: Any, attio: Any, customers: Path, requests_outside: list[str]
) -> None:
    page = signed_in
    page.set_viewport_size({"width": width, "height": 850})
    page.goto(f"{live_server.url}/")
    page.wait_for_url("**/admin/start/")
    page.get_by_role("link", name="Companies to Attio").click()
    page.get_by_label("Search kinds of sources").fill("csv")
    expect(page.get_by_role("link", name="PostgreSQL")).to_be_hidden()
    page.get_by_role("link", name="CSV files").click()
    page.set_input_files("input[type=file]", customers)
    page.get_by_role("button", name="Connect and test").click()
    expect(page.locator("summary").filter(has_text="id identifies each row, and name is its name")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Use these rows").click()
    expect(page.get_by_role("heading", name="Where to find the access token")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Use the simulator").click()
    page.wait_for_url("**/activations/activation/add/**")
    expect(page.locator("[data-accept-all]")).to_be_visible()
    page.goto(f"{live_server.url}/admin/start/")
    expect(page.locator("[aria-current=step]")).to_contain_text("Map the fields")
    assert fits(page)
    assert requests_outside == []


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
