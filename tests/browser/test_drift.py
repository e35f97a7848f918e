"""A person finds what was edited at the destination, leaves one value and restores the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation, Drift, LeftValue, Run
from activations.runs import dispatch
from tests.activations.conftest import run
from tests.activations.drift.test_check import carry_out, edit
from tests.browser.pages import goto
from tests.browser.test_held_run import guarded, picture  # noqa: F401
from tests.browser.walk import examine

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_drift_is_found_left_and_restored(
    signed_in: Page,
    live_server: Any,
    guarded: Activation,  # noqa: F811
    attio: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    Activation.objects.update(hold_change_percent=None)
    guarded.refresh_from_db()
    run(guarded, "manual")
    for company in ("Renamed 2", "Renamed 3"):
        edit(attio, company, name=f"{company}, edited by hand")
    edit(attio, "Renamed 4", "vendor", name="Filled in")
    page, address = signed_in, f"/admin/activations/activation/{guarded.pk}/drift/"
    page.on("dialog", lambda dialog: dialog.accept())
    goto(page, live_server, f"/admin/activations/activation/{guarded.pk}/change/")
    page.get_by_role("link", name="Check for drift").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
    page.get_by_role("button", name="Check for drift").click()
    page.wait_for_url("**/run/**")
    checked = carry_out(Run.objects.get(kind="drift"))
    goto(page, live_server, address)
    expect(page.locator("[data-sentence]")).to_have_text("Compared 30 companies with 1 request: 3 edited.")
    expect(page.get_by_text("A person")).to_have_count(2)
    expect(page.get_by_text("Attio itself, such as by enrichment")).to_have_count(1)
    picture(page, "drift")
    assert examine(page, f"{live_server.url}{address}") == []
    goto(page, live_server, address)
    left = Drift.objects.get(run=checked, change__key="4")
    page.get_by_role("button", name=f"Leave theirs: {left.change}").click()
    expect(page.get_by_text("Left 1 value as it is.")).to_be_visible()
    assert LeftValue.objects.count() == 1
    page.get_by_role("button", name="Restore ours: name").click()
    page.wait_for_url("**/run/**")
    assert carry_out(Run.objects.get(only_fields__isnull=False)).accepted == 2
    goto(page, live_server, address)
    expect(page.locator("[data-field=name] td").nth(1)).to_have_text("0")
