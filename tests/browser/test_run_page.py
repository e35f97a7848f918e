"""A person looks at a run: while it goes on, what it did, why some records were not accepted, and at one record."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.delivery.recorder import Recorder
from activations.models import Activation, FieldMapping, Run
from activations.runs import dispatch
from destinations.models import Connection, Destination
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import run
from tests.browser.conftest import TOKEN
from tests.browser.pages import goto, press
from tests.browser.walk import examine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def away(shop: Path, attio: Any, monkeypatch: pytest.MonkeyPatch) -> Activation:
    """Five companies: one has no domain, and the countries of two are no employee range."""
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    monkeypatch.setattr("destinations.pacing.SHARE_OF_LIMIT", 100.0)
    with sqlite3.connect(shop) as database:
        database.execute("update companies set country = '11-50' where id < 3")
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": shop.name})
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    connection = Connection.objects.create(name="Ours", platform="attio", secrets={"token": TOKEN})
    destination = Destination.objects.create(name="Attio", connection=connection, service="attio.companies")
    activation = Activation.objects.create(
        name="Away", model=model, destination=destination, match_column="domain", match_field="domains"
    )
    FieldMapping(activation=activation, column="name", target="name").save()
    FieldMapping(activation=activation, column="country", target="employee_range").save()
    return activation


def path_of(shown: Run) -> str:
    return f"/admin/activations/run/{shown.pk}/change/"


def test_from_a_sentence_to_the_cause_to_the_request_of_one_record(
    signed_in: Page, live_server: Any, away: Activation, requests_outside: list[str]
) -> None:
    page = signed_in
    ended = run(away, "manual")
    goto(page, live_server, path_of(ended))
    expect(page.locator("[data-sentence]")).to_have_text("2 companies created in Attio, 3 can't be sent.")

    page.locator("#outcome-created").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-listed]")).to_have_attribute("data-listed", "2")
    page.locator("#causes li", has_text="Employee range").get_by_role("link", name="Show them").click()
    expect(page.locator("[data-listed]")).to_have_attribute("data-listed", "2")
    expect(page.locator("#run-records tbody tr").first).to_contain_text("has no such option")

    page.fill("#changes input[name=q]", "acme.example")
    page.select_option("#changes select[name=outcome]", "")
    press(page.locator("#changes form button"))
    page.locator("#run-records tbody td").nth(2).click()
    page.wait_for_url("**/activations/change/**")
    expect(page.locator("#exchange-request")).to_contain_text("Acme")
    expect(page.get_by_text("Status 200")).to_be_visible()
    assert requests_outside == []


def test_live_run_says_how_far_it_is_and_turns_into_its_result(
    signed_in: Page, live_server: Any, away: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = signed_in
    seen: list[str] = []
    monkeypatch.setattr(Recorder, "record", watched(page, live_server, seen, Recorder.record))
    run(away, "manual")
    assert seen[0].startswith("Sending 2 companies to Attio.")
    expect(page.locator("[data-sentence]")).to_have_text("2 companies created in Attio, 3 can't be sent.")
    expect(page.locator(".d-stage-done")).to_have_count(4)


def watched(page: Page, live_server: Any, seen: list[str], method: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the page of the run before its first answer is recorded, and leaves it open."""

    def call(*args: Any, **more: Any) -> Any:
        if not seen:
            goto(page, live_server, path_of(Run.objects.latest("pk")))
            expect(page.locator("[data-progress]")).to_contain_text("0 of 2")
            page.click("text=All counts and their meanings")
            with page.expect_response(lambda response: "/progress/" in response.url):
                seen.append(page.locator("[data-sentence]").inner_text())
            expect(page.locator("details[data-keep-open]")).to_have_attribute("open", "")
        return method(*args, **more)

    return call


def test_pages_of_runs_and_records_are_accessible_on_every_screen(
    signed_in: Page, live_server: Any, away: Activation
) -> None:
    dry, ended, later = run(away, "manual", dry_run=True), run(away, "manual"), run(away, "manual")
    rejected, accepted = (ended.changes.filter(outcome=outcome).latest("pk").pk for outcome in ("invalid", "accepted"))
    addresses = [*map(path_of, (dry, ended, later)), "/admin/activations/run/", "/admin/activations/change/"]
    addresses += [f"/admin/activations/change/{change}/change/" for change in (rejected, accepted)]
    found = {address: examine(signed_in, f"{live_server.url}{address}") for address in addresses}
    assert {address: problems for address, problems in found.items() if problems} == {}
