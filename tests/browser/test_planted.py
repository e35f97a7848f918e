"""Names, values and answers with markup in them are shown as text on every page, and run nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Change
from tests.browser.planted import MARK, plant
from tests.browser.walk import addresses, settled, visit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Dialog, Page

    from destinations.sandbox.base import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OPEN = """() => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    for (const each of document.querySelectorAll("template")) document.body.append(each.content.cloneNode(true));
    for (const each of document.querySelectorAll("button[aria-expanded=false]")) each.click();
    for (const each of document.querySelectorAll("[role=combobox], input[type=search]")) {
        each.focus();
        each.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    }
    for (const each of document.querySelectorAll("*")) each.dispatchEvent(new MouseEvent("mouseover"));
}"""
"""Opens what is folded, and moves the pointer over everything."""
FOUND = """(mark) => [
    ...(window.__xss ? [`ran: ${window.__xss}`] : []),
    ...[...document.querySelectorAll(`[src*="${mark}"], [onerror], [onload], [onmouseover]`)]
        .map(({ outerHTML }) => outerHTML),
    ...[...document.scripts].filter(({ text }) => text.startsWith("window.__xss")).map(({ outerHTML }) => outerHTML),
    ...[...document.querySelectorAll("*")].flatMap((element) => [...element.attributes]
        .filter(({ name, value }) => ["href", "src", "action", "formaction", "data", "hx-get", "hx-post", "xlink:href"]
            .includes(name) && /^[\\s\\0-\\x20]*(javascript|data:text|vbscript)/i.test(value))
        .map(({ name, value }) => `${element.tagName} ${name}=${value}`)),
    ...(/49\\$/.test(document.body.textContent) ? ["a template was evaluated"] : []),
]"""
"""What ran, what markup became part of the page, and which links run code."""


def attacks(page: Page, address: str) -> list[str]:
    """What planted markup does on a page. Also opens what is folded there."""
    visit(page, address)
    found = page.evaluate(FOUND, MARK)
    with settled(page):
        page.evaluate(OPEN)
    return sorted({*found, *page.evaluate(FOUND, MARK)})


@pytest.mark.usefixtures("intercom")
def test_planted_markup_is_text_on_every_page(signed_in: Page, live_server: Any, shop: Path, attio: Sandbox) -> None:
    plant(shop, attio)
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    signed_in.on("dialog", refuse)
    shown = 0
    findings: dict[str, list[str]] = {}
    run = Change.objects.filter(outcome="accepted").values_list("run", flat=True)[0]
    more = ["/admin/search/?q=planted", f"/admin/activations/run/{run}/change/"]
    for address in [*addresses(), *more]:
        findings[address] = attacks(signed_in, f"{live_server.url}{address}")
        shown += MARK in signed_in.content()
    assert {address: found for address, found in findings.items() if found} == {}
    assert dialogs == []
    assert shown > 40


def test_attack_is_found(page: Page, live_server: Any) -> None:
    body = f"""<html><body><p>{{x}}49${{49}}</p><img src="x-{MARK}" onerror="window.__xss = 1">
        <a href=" javascript:alert(1)">x</a><script>window.__xss=2</script></body></html>"""
    page.route("**/broken/", lambda route: route.fulfill(content_type="text/html", body=body))
    found = " ".join(attacks(page, f"{live_server.url}/broken/"))
    for expected in ("ran: ", "IMG", "A href= javascript", "<script>", "a template was evaluated"):
        assert expected.lower() in found.lower(), expected
