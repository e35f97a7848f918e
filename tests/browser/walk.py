"""Walks every page of the application, and examines it as a person with a screen reader or a phone would need it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from axe_playwright_python.base import AXE_SCRIPT
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from activations.models import Change
from activations.screens.run.rows import timeline
from dinmo.docs import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.urls import URLPattern
    from playwright.sync_api import Page, Request

NO_PAGES = {"csv", "do", "progress", "result", "live", "download", "comparison", "attached", "timeline"}
"""The last parts of the names of addresses that return no whole page, or only answer a form."""
OWN = ("profile", "confirm_email", "own_sessions", "mfa_index")
"""The pages of a person's own account."""
STEPS = ("start", "start-source", "start-rows", "start-vendor")
"""The pages of the first steps."""
AXE = """async (rules) => {
    const found = await axe.run(document, { ...(rules && { runOnly: rules }), resultTypes: ["violations"] });
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}"""
INLINE_CODE = """() => [
    ...[...document.querySelectorAll("*")].flatMap((element) => element.getAttributeNames()
        .filter((name) => name.startsWith("on")).map((name) => `${element.tagName} ${name}`)),
    ...[...document.scripts].filter((script) => !script.src && !script.nonce && !/json/.test(script.type))
        .map((script) => `script: ${script.textContent.trim().slice(0, 60)}`),
    ...[...document.querySelectorAll("a[href^='javascript:']")].map((link) => link.outerHTML.slice(0, 80)),
]"""
IS_DARK = """() => {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return alpha === 255 && red + green + blue < 200;
}"""
IDLE = "() => new Promise((done) => requestIdleCallback(done, { timeout: 1000 }))"
TICK_MS, QUIET_TICKS, MOST_TICKS = 40, 3, 250
THEME_MS, MOST_THEME_TICKS = 200, 25
"""How long colors take to change, and how often they are looked at on a busy machine."""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def addresses() -> Iterator[str]:
    """Every page for people who have signed in, with the first row of each model where an address needs one."""
    yield from ("/admin/", "/admin/password_change/", "/admin/docs/", "/admin/activations/", "/no/such/page/")
    yield from (reverse("docs", args=[name]) for name in list(files.pages())[:3])
    yield from (reverse(name) for name in (*STEPS, *OWN))
    for model, model_admin in admin.site._registry.items():
        for pattern in model_admin.get_urls():
            if address := _address(pattern, model):
                yield address
    for engine in ("csv", "postgres"):
        yield f"/admin/segments/source/add/?engine={engine}"
    yield "/admin/destinations/connection/add/?platform=attio"
    for change in Change.objects.exclude(key="").order_by("pk")[:1]:
        yield timeline(change.run.activation.data_model.pk, change.key)


def _address(pattern: URLPattern, model: type[Model]) -> str | None:
    name = str(pattern.name or "")
    if not name or name in NO_PAGES or name.rpartition("_")[2] in NO_PAGES:
        return None
    row = model._default_manager.order_by("pk").first()
    for arguments in ([], [row.pk] if row else []):
        try:
            return reverse(f"admin:{name}", args=arguments)
        except NoReverseMatch:
            continue
    if row is None:
        return None
    raise AssertionError(f"The walk has no example for the page {name} ({pattern.pattern}).")


@contextmanager
def settled(page: Page) -> Iterator[None]:
    """Waits, after what the block does, until scripts are idle and no request has been open for a moment.

    The state `networkidle` would take half a second longer for each page.
    """
    pending: set[Request] = set()

    def begin(request: Request) -> None:
        pending.add(request)

    def end(request: Request) -> None:
        pending.discard(request)

    page.on("request", begin)
    page.on("requestfinished", end)
    page.on("requestfailed", end)
    try:
        yield
        quiet, ticks = 0, 0
        while quiet < QUIET_TICKS and ticks < MOST_TICKS:
            page.evaluate(IDLE)
            page.wait_for_timeout(TICK_MS)
            quiet, ticks = (0 if pending else quiet + 1), ticks + 1
    finally:
        page.remove_listener("request", begin)
        page.remove_listener("requestfinished", end)
        page.remove_listener("requestfailed", end)


def visit(page: Page, address: str) -> None:
    """Opens a page, and waits until it has loaded what it asks for."""
    with settled(page):
        page.goto(address)


def examine(page: Page, address: str) -> list[str]:
    """What is wrong with a page: for assistive technology, in the dark, on a phone, and in its own code."""
    findings: list[str] = []
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"script error: {error}"))
    page.on("console", lambda line: errors.append(f"console: {line.text}") if _is_bad(line) else None)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visit(page, address)
    page.evaluate(AXE_SCRIPT)
    findings += [f"1280 light: {each}" for each in page.evaluate(AXE, None)]
    findings += [f"inline code: {each}" for each in page.evaluate(INLINE_CODE)]
    page.emulate_media(color_scheme="dark")
    if not _becomes_dark(page):
        findings.append("dark: the page stays light")
    findings += [f"dark: {each}" for each in page.evaluate(AXE, ["color-contrast", "link-in-text-block"])]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(100)
    findings += [f"390 dark: {each}" for each in page.evaluate(AXE, None)]
    if (pixels := page.evaluate(SIDEWAYS)) > 0:
        findings.append(f"390: scrolls sideways by {pixels} px")
    findings += errors
    return findings


def _becomes_dark(page: Page) -> bool:
    for _ in range(MOST_THEME_TICKS):
        page.wait_for_timeout(THEME_MS)
        if page.evaluate(IS_DARK):
            page.wait_for_timeout(THEME_MS)
            return True
    return False


def _is_bad(line: Any) -> bool:
    """A page that does not exist, or that nobody may open, logs its own status as an error."""
    return line.type == "error" and not any(status in line.text for status in ("status of 403", "status of 404"))
