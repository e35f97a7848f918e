"""The overview: problems by cause, activations with their last runs, and numbers per day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import TOKEN
from tests.browser.installation import install
from tests.browser.test_search import picture
from tests.browser.walk import examine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_overview_shows_problems_first_and_leads_to_their_runs(
    signed_in: Page, live_server: Any, attio: Any, intercom: Any, shop: Path
) -> None:
    activation = install(shop.name, TOKEN)
    page = signed_in
    assert examine(page, f"{live_server.url}/admin/") == []
    page.set_viewport_size({"width": 1280, "height": 900})
    causes = page.get_by_role("region", name="Needs attention")
    expect(causes).to_contain_text("Attio refused the token")
    strips = page.get_by_role("region", name="Activations", exact=True)
    expect(strips.get_by_role("listitem").first).to_contain_text(activation.name)
    expect(strips).to_contain_text("Last 2 runs: 1 with exceptions, 1 failed.")
    chart = page.evaluate(
        "() => Chart.getChart(document.querySelector('canvas[data-days]')).data.datasets.map((set) => set.data.at(-1))"
    )
    assert chart == [4, 0, 1]
    picture(page, "overview")
    page.get_by_text("Numbers per day").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("4")
    causes.get_by_role("link").first.click()
    expect(page).not_to_have_url(f"{live_server.url}/admin/")


def test_empty_installation_leads_to_the_start(signed_in: Page, live_server: Any) -> None:
    picture(signed_in, "empty")
    signed_in.locator(".d-empty").get_by_role("link", name="Get started").click()
    expect(signed_in).to_have_url(f"{live_server.url}/admin/start/")
