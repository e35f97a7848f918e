"""Actions on the pages that several browser tests share: saving, opening, and building conditions."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from destinations.models import Connection, Destination
from segments.models import DataModel, Segment
from tests.browser.conftest import TOKEN

PAYING = {"field": "mrr", "is": "greater_than", "value": 0}
FRENCH = {"field": "country", "is": "equals", "value": "FR"}
SPANISH = {"field": "country", "is": "equals", "value": "ES"}


def press(place: Locator) -> None:
    """Clicks, and waits until a page that this opens has loaded its scripts. A click waits for its beginning only."""
    place.click()
    place.page.wait_for_load_state()


def save(page: Page) -> None:
    press(page.locator("button[name=_save]"))


def goto(page: Page, live_server: Any, path: str) -> None:
    page.goto(f"{live_server.url}{path}")


def step(page: Page, name: str) -> None:
    """Opens a step of the activation editor."""
    page.click(f"[data-tab={name}]")


def attribute(page: Page, select: str, name: str) -> None:
    """Chooses an attribute by typing its name, as a person does with the keyboard."""
    page.fill(f"{select}-search", name)
    page.locator(f"{select}-list [data-value='{name}']").click()


def destination(platform: str, service: str, **config: Any) -> Destination:
    """A destination of the simulator that the test runs."""
    connection = Connection.objects.create(name=platform, platform=platform, config=config, secrets={"token": TOKEN})
    return Destination.objects.create(name=f"{platform} companies", connection=connection, service=service)


def root(page: Page) -> Any:
    return page.locator("[data-tree] > .d-group")


def add(page: Page, group: Any, button: str) -> Any:
    """Presses a button at the bottom of a group, and returns the condition that it adds."""
    group.locator("> .d-adders button", has_text=button).click()
    return group.locator("> .d-list > li").last


def field(condition: Any, column: str, operator: str) -> Any:
    condition.get_by_label("Field", exact=True).select_option(column)
    condition.get_by_label("Operator", exact=True).select_option(operator)
    return condition


def opened(page: Page, live_server: Any, model: DataModel, *conditions: dict[str, Any]) -> Segment:
    segment = Segment.objects.create(name="Chosen", model=model, where={"all": list(conditions)})
    goto(page, live_server, f"/admin/segments/segment/{segment.pk}/change/")
    expect(page.locator("[data-segment-count]")).to_be_visible()
    return segment


def stored(page: Page, segment: Segment) -> Any:
    save(page)
    segment.refresh_from_db()
    return segment.where
