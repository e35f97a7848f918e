"""The page of trigger tokens in a browser: a token is copied once, and revoked after a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from activations.models import TriggerToken
from tests.browser.conftest import TOKEN
from tests.browser.installation import install
from tests.browser.pages import goto
from tests.browser.walk import examine

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from destinations.sandbox.base import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_token_is_created_copied_and_revoked(
    signed_in: Page, live_server: Any, shop: Path, attio: Sandbox, intercom: Sandbox
) -> None:
    activation = install(shop.name, TOKEN)
    page, address = signed_in, f"/admin/activations/activation/{activation.pk}/tokens/"
    goto(page, live_server, address)
    page.get_by_label("Name").fill("dbt")
    page.get_by_role("button", name="Create").click()
    assert page.locator("#trigger-secret").inner_text().startswith("dt_")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#trigger-secret").inner_text()
    goto(page, live_server, address)
    expect(page.locator("#trigger-secret")).to_have_count(0)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke dbt").click()
    expect(page.get_by_text("Requests with it are refused from now on.")).to_be_visible()
    assert TriggerToken.objects.get().revoked_at is not None
    assert examine(page, f"{live_server.url}{address}") == []
