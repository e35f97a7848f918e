"""Every page works for everybody: with a screen reader, in the dark, on a phone, and under a strict content policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import TOKEN
from tests.browser.installation import install
from tests.browser.walk import addresses, examine, visit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

FOR_VISITORS = ("password/forgotten/", "password/new/#token", "invitation/#token", "inactive/", "sso/cancelled/")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.usefixtures("attio", "intercom")
def test_no_page_has_a_finding(signed_in: Page, live_server: Any, shop: Path, requests_outside: list[str]) -> None:
    install(shop.name, TOKEN)
    # From here on, the first steps are pages with content instead of ways back to the first of them.
    visit(signed_in, f"{live_server.url}/admin/start/?service=attio.companies")
    findings = {address: examine(signed_in, f"{live_server.url}{address}") for address in addresses()}
    assert {address: found for address, found in findings.items() if found} == {}
    assert len(findings) > 60
    assert requests_outside == []


def test_no_page_of_an_empty_installation_has_a_finding(signed_in: Page, live_server: Any) -> None:
    lists = [address for address in addresses() if address.endswith(("/add/", "/")) and "docs" not in address]
    findings = {address: examine(signed_in, f"{live_server.url}{address}") for address in lists}
    assert {address: found for address, found in findings.items() if found} == {}


def test_no_page_for_visitors_has_a_finding(page: Page, live_server: Any) -> None:
    pages = ("/admin/login/?next=/admin/", "/setup/#token", *(f"/accounts/{name}" for name in FOR_VISITORS))
    findings = {address: examine(page, f"{live_server.url}{address}") for address in pages}
    assert {address: found for address, found in findings.items() if found} == {}


def test_a_finding_is_found(page: Page, live_server: Any) -> None:
    page.route("**/broken/", lambda route: route.fulfill(content_type="text/html", body=BROKEN))
    found = " ".join(examine(page, f"{live_server.url}/broken/"))
    for expected in ("image-alt", "color-contrast", "stays light", "sideways", "IMG onerror", "script: const"):
        assert expected in found, expected


@pytest.mark.parametrize(
    "markup",
    [
        "<script>const inline = 1;</script>",
        '<img alt="" src="data:," onerror="1">',
        "<style>p { color: red }</style>",
        '<script src="https://cdn.example.com/x.js"></script>',
        '<iframe title="x" src="/admin/login/"></iframe>',
    ],
)
def test_what_the_content_policy_refuses_is_found(page: Page, live_server: Any, markup: str) -> None:
    """The policy is the one that the application sends."""
    policy = page.goto(f"{live_server.url}/admin/login/").all_headers()["content-security-policy"]  # type: ignore[union-attr]
    body = f"<!doctype html><html lang=en><title>x</title><main><h1>x</h1>{markup}</main></html>"
    headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
    page.route("**/planted/", lambda route: route.fulfill(headers=headers, body=body))
    found = examine(page, f"{live_server.url}/planted/")
    assert [each for each in found if each.startswith("console: ") and "Content Security Policy" in each]


BROKEN = """<!doctype html><html lang="en"><head><title>x</title></head><body><main><h1>x</h1>
<img src="data:," onerror="1"><p style="color: #ccc; background: #fff">pale</p><div style="width: 900px">wide</div>
<script>const inline = 1;</script></main></body></html>"""
