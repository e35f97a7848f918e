"""A person looks at a run that waits for approval, discards its plan, and approves the next one."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.execute import execute
from activations.models import Activation, FieldMapping, Run
from activations.runs import dispatch, requests
from destinations.models import Connection, Destination
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import run
from tests.browser.conftest import TOKEN
from tests.browser.pages import goto
from tests.browser.walk import examine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def guarded(tmp_path: Path, settings: Any, attio: Any, monkeypatch: pytest.MonkeyPatch) -> Activation:
    """Thirty companies at the destination, all of which have new names in the source."""
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    monkeypatch.setattr("destinations.pacing.SHARE_OF_LIMIT", 100.0)
    settings.SOURCE_FILES_ROOT = tmp_path
    with sqlite3.connect(tmp_path / "crm.sqlite3") as database:
        database.execute("create table companies (id integer primary key, name text, domain text)")
        rows = [(n, f"Company {n}", f"company{n}.com") for n in range(1, 31)]
        database.executemany("insert into companies values (?, ?, ?)", rows)
    source = Source.objects.create(name="CRM", engine="sqlite", config={"path": "crm.sqlite3"})
    model = DataModel.objects.create(
        name="Companies", source=source, table="companies", primary_key="id", display_column="name"
    )
    refresh_columns(model)
    connection = Connection.objects.create(name="Ours", platform="attio", secrets={"token": TOKEN})
    activation = Activation.objects.create(
        name="Guarded",
        model=model,
        destination=Destination.objects.create(name="Attio", connection=connection, service="attio.companies"),
        match_column="domain",
        match_field="domains",
    )
    FieldMapping(activation=activation, column="name", target="name").save()
    assert run(activation, "manual").created == 30
    with sqlite3.connect(tmp_path / "crm.sqlite3") as database:
        database.execute("update companies set name = 'Renamed ' || id")
    return activation


def path_of(shown: Run) -> str:
    return f"/admin/activations/run/{shown.pk}/change/"


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("PICTURES_TO")
    if folder:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})


def test_a_held_run_is_discarded_and_the_next_one_approved(
    signed_in: Page, live_server: Any, guarded: Activation, requests_outside: list[str]
) -> None:
    page = signed_in
    held = run(guarded)
    goto(page, live_server, path_of(held))
    expect(page.locator("[data-sentence]")).to_have_text(
        "Waiting for approval. Would send 30 companies to Attio: 30 changed."
    )
    expect(page.locator("[data-hold]")).to_contain_text("30 of 30 records would change (100%). The limit is 50%.")
    expect(page.locator("#hold .d-examples li").first).to_contain_text("Company 1 →is now Renamed 1")
    picture(page, "held")
    goto(page, live_server, f"/admin/activations/activation/{guarded.pk}/change/")
    picture(page, "held-activation")
    page.get_by_role("link", name="Approve or discard").click()

    press(page, "Discard")
    execute(held.pk)
    goto(page, live_server, path_of(held))
    expect(page.locator("[data-sentence]")).to_have_text("Discarded by ops. Nothing was sent.")

    held = run(guarded)
    goto(page, live_server, path_of(held))
    press(page, "Approve")
    while execute(held.pk):
        pass
    goto(page, live_server, path_of(held))
    expect(page.locator("[data-sentence]")).to_have_text("30 companies updated in Attio.")
    expect(page.locator("[data-decision]")).to_contain_text("Approved by")
    picture(page, "approved")
    assert requests_outside == []


def press(page: Page, name: str) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_pages_about_a_held_run_are_accessible_on_every_screen(
    signed_in: Page, live_server: Any, guarded: Activation
) -> None:
    held = run(guarded)
    assert requests.held_run(guarded) == held
    dry = run(guarded, "manual", dry_run=True)
    addresses = [
        path_of(held),
        path_of(dry),
        f"/admin/activations/activation/{guarded.pk}/review/?run={dry.pk}",
        f"/admin/activations/activation/{guarded.pk}/change/?step=alerts",
    ]
    for place, address in enumerate(addresses):
        goto(signed_in, live_server, address)
        picture(signed_in, f"page-{place}")
    found = {address: examine(signed_in, f"{live_server.url}{address}") for address in addresses}
    assert {address: problems for address, problems in found.items() if problems} == {}
