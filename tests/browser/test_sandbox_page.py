"""The page of each simulator in a real browser, on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from destinations.registry import platforms, samples, services
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture(params=sorted(platforms.all))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(sandboxes[request.param]("token")) as running:
        yield running


@pytest.fixture
def sandbox(server: Server) -> Sandbox:
    return server.sandbox


@pytest.fixture
def opened(page: Page, server: Server) -> Iterator[Page]:
    """The page of the simulator. Afterwards, checks that no script failed and nothing overflowed the width."""
    script_errors: list[str] = []
    page.on("pageerror", lambda error: script_errors.append(str(error)))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{server.url}/_sandbox")
    yield page
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert script_errors == []


def test_new_record_appears_automatically_and_as_text(opened: Page, sandbox: Sandbox) -> None:
    expect(opened.get_by_text("Nothing here yet")).to_be_visible()
    sandbox.example(42)
    collection = next(iter(sandbox.collections().values()))
    (record,) = collection.records.values()
    texts = [value for value in collection.values_of(record).values() if isinstance(value, str) and " " in value]
    expect(opened.get_by_text(texts[0]).first).to_be_visible()
    opened.get_by_label("Filter records").fill("nobody")
    expect(opened.get_by_text("No record contains this text.")).to_be_visible()


def test_faults_and_switches_can_be_set_on_the_page(opened: Page, sandbox: Sandbox) -> None:
    opened.get_by_role("tab", name="Faults and behavior").click()
    opened.get_by_label("Fault", exact=True).select_option(label="Close the connection after storing the record")
    opened.get_by_label("Path contains").fill("/companies")
    opened.get_by_role("button", name="Add", exact=True).first.click()
    expect(opened.get_by_text("1 × cut_after")).to_be_visible()
    assert [(fault.action, fault.path) for fault in sandbox.faults] == [("cut_after", "/companies")]
    flag = next(switch for switch in sandbox.switch_table if switch.kind == "flag" and not switch.default)
    opened.locator(f"#switch-{flag.name}").check()
    expect(opened.locator(".changed")).to_have_count(1)
    assert sandbox.switches[flag.name] is True


def test_attribute_can_be_archived_on_the_page(opened: Page, sandbox: Sandbox) -> None:
    sample = next(each for each in samples.all.values() if services[each.slug].platform.slug == sandbox.slug)
    sandbox._switch({**sample.arrange})
    opened.get_by_role("tab", name="Attributes").click()
    row = opened.locator("tr", has_text=sample.custom)
    row.get_by_role("button", name="Archive").click()
    expect(row.get_by_role("button", name="Restore")).to_be_visible()
    attributes = sandbox.collections()[sample.kind].attributes()
    assert [entry["name"] for entry in attributes if entry["archived"]] == [sample.custom]
