"""Start in the browser: a file, its rows and a simulator lead to a filled-in mapping, on a desktop and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect

from destinations import simulators
from tests.browser.conftest import TOKEN
from tests.browser.pages import press

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
    path.write_text("id,name,domain,country,city\n1,Acme,acme.com,FR,Paris\n2,Bolt,bolt.org,DE,Berlin\n")
    return path


class Newcomer:
    """Counts what a person does. The sign-in, two fields and a click, was done by a fixture and is included."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.typed = page, 1, 2

    def click(self, place: Locator) -> None:
        self.clicks += 1
        press(place)

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def choose_file(self, path: Path) -> None:
        self.clicks += 1
        self.page.set_input_files("input[type=file]", path)


def test_first_sync_with_three_fields_takes_at_most_fifteen_clicks_and_ten_typed_fields(
    through_the_login: Page, live_server: Any, attio: Any, customers: Path, worker: None
) -> None:
    page, person = through_the_login, Newcomer(through_the_login)
    page.goto(f"{live_server.url}/")
    person.click(page.get_by_role("link", name="Companies to Attio"))
    person.click(page.get_by_role("link", name="CSV files"))
    person.choose_file(customers)
    person.press("Connect and test")
    person.press("Use these rows")
    person.press("Use the simulator")
    expect(page.locator("[data-suggestions]")).to_contain_text("city of an address")
    person.press("Accept all")
    person.press("Review")
    expect(page.locator("[data-results]")).to_contain_text("Would create")
    person.click(page.locator("button[name=start]"))
    page.wait_for_url("**/admin/activations/run/*/change/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("run 1")
    expect(page.locator("#content")).to_contain_text("2 companies created in Attio")
    sent = [request["body"]["data"]["values"] for request in attio.log if request["method"] == "PUT"]
    assert {values["name"]: values["primary_location"]["country_code"] for values in sent} == {
        "Acme": "FR",
        "Bolt": "DE",
    }
    assert (person.clicks <= 15, person.typed <= 10) == (True, True), (person.clicks, person.typed)


def test_first_sync_to_intercom_with_custom_attributes_takes_at_most_thirteen_clicks(
    through_the_login: Page,
    live_server: Any,
    intercom: Any,
    customers: Path,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, person = through_the_login, Newcomer(through_the_login)
    monkeypatch.setenv(simulators.VARIABLE, "intercom")
    page.goto(f"{live_server.url}/")
    person.click(page.get_by_role("link", name="Companies to Intercom"))
    person.click(page.get_by_role("link", name="CSV files"))
    person.choose_file(customers)
    person.press("Connect and test")
    person.press("Use these rows")
    person.press("Use the simulator")
    person.click(page.get_by_text("Create new companies and update existing ones"))
    person.press("Continue")
    person.press("Accept all")
    person.press("Add all 3")
    expect(page.locator("[data-add-all]")).to_be_hidden()
    person.press("Review")
    expect(page.locator("[data-results]")).to_contain_text("Would create")
    person.click(page.locator("button[name=start]"))
    page.wait_for_url("**/admin/activations/run/*/change/")
    expect(page.locator("#content")).to_contain_text("2 companies created in Intercom")
    created = [each["body"] for each in intercom.log if (each["method"], each["path"]) == ("POST", "/companies")]
    assert {body["name"]: body["custom_attributes"] for body in created} == {
        "Acme": {"domain": "acme.com", "country": "FR", "city": "Paris"},
        "Bolt": {"domain": "bolt.org", "country": "DE", "city": "Berlin"},
    }
    assert (person.clicks <= 13, person.typed <= 10) == (True, True), (person.clicks, person.typed)


@pytest.mark.parametrize("width", [1280, 390])
def test_seven_clicks_lead_to_the_mapping(
    width: int, signed_in: Page, live_server: Any, attio: Any, customers: Path, requests_outside: list[str]
) -> None:
    page = signed_in
    page.set_viewport_size({"width": width, "height": 850})
    page.goto(f"{live_server.url}/")
    page.wait_for_url("**/admin/start/")
    press(page.get_by_role("link", name="Companies to Attio"))
    page.get_by_label("Search kinds of sources").fill("csv")
    expect(page.get_by_role("link", name="PostgreSQL")).to_be_hidden()
    press(page.get_by_role("link", name="CSV files"))
    page.set_input_files("input[type=file]", customers)
    press(page.get_by_role("button", name="Connect and test"))
    expect(page.locator("summary").filter(has_text="id identifies each row, and name is its name")).to_be_visible()
    assert fits(page)
    press(page.get_by_role("button", name="Use these rows"))
    expect(page.get_by_role("heading", name="Where to find the access token")).to_be_visible()
    assert fits(page)
    press(page.get_by_role("button", name="Use the simulator"))
    page.wait_for_url("**/activations/activation/add/**")
    expect(page.locator("[data-accept-all]")).to_be_visible()
    page.goto(f"{live_server.url}/admin/start/")
    expect(page.locator("[aria-current=step]")).to_contain_text("Map the fields")
    assert fits(page)
    assert requests_outside == []


def test_pages_fit_a_phone_before_the_font_of_their_icons_is_loaded(signed_in: Page, live_server: Any) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 850})
    signed_in.route("**/Material-Symbols*", lambda route: route.abort())
    signed_in.goto(f"{live_server.url}/admin/start/?service=attio.companies")
    assert fits(signed_in)
    icon = signed_in.locator("header .material-symbols-outlined:visible").first.bounding_box()
    assert icon
    assert icon["width"] <= icon["height"]


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways, once its styles are loaded."""
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
