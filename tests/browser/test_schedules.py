"""The schedule step of the editor: every kind, its next runs, its start and end, and the choices of the activation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation
from tests.browser.pages import destination, goto, step
from tests.browser.test_editor import ADD, model  # noqa: F401

if TYPE_CHECKING:
    from segments.models import DataModel

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def picture(page: Page, name: str) -> None:
    """Keeps a screenshot if PICTURES names a directory."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_every_kind_of_schedule_is_entered_and_says_when_it_runs(
    signed_in: Page,
    live_server: Any,
    model: DataModel,  # noqa: F811
    attio: Any,
) -> None:
    away = destination("attio", "attio.companies")
    other = Activation.objects.create(
        name="Before", model=model, destination=away, match_column="domain", match_field="domains"
    )
    page = signed_in
    goto(page, live_server, f"{ADD}?records=model:{model.pk}&destination={away.pk}#schedule")
    step(page, "schedule")
    page.get_by_role("button", name="Weekdays at 9:00").click()
    row = page.locator("[data-schedules] > li").nth(0)
    expect(row.locator("[data-next] li")).to_have_count(5)
    expect(row.get_by_label("Cron expression")).to_be_hidden()

    row.get_by_text("Start and end").click()
    row.get_by_label("End").fill("2020-01-01T08:00")
    expect(row.locator("[data-next]")).to_contain_text("No more runs: the schedule has ended.")
    row.get_by_label("Start").fill("2030-01-01T08:00")
    expect(row.locator("[data-words]")).to_contain_text("The end must be after the start.")
    row.get_by_label("End").fill("2031-01-01T08:00")
    expect(row.locator("[data-words]")).to_contain_text("from 1 Jan 2030, 08:00")

    page.get_by_role("button", name="Add another schedule").click()
    page.locator("[data-schedules] > li").nth(1).get_by_label("When", exact=True).select_option("after")
    after = page.locator("[data-schedules] > li").nth(1)
    after.get_by_label("Activation").select_option(str(other.pk))
    expect(after.locator("[data-words]")).to_contain_text("After “Before” has completed")
    expect(after.locator("[data-next]")).to_contain_text("A run starts as soon as")

    page.get_by_role("button", name="When the data changed").click()
    changed = page.locator("[data-schedules] > li").nth(2)
    expect(changed.locator("[data-words]")).to_contain_text("When the data changed, checked every 5 minutes")
    changed.get_by_label("Column (optional)").fill("mrr")
    page.get_by_label("If a run is still in progress").select_option("queue")
    page.locator("#id_catch_up").uncheck()
    for dark in (False, True):
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", dark)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            picture(page, f"schedule-{width}-{'dark' if dark else 'light'}")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    step(page, "data")
    page.fill("#id_name", "Scheduled")
    step(page, "mapping")
    page.click("text=Accept all")
    page.locator("[data-savebar] button[name=_save]").click()
    page.wait_for_url("**/change/**")
    saved = Activation.objects.get(name="Scheduled")
    assert (saved.overlap, saved.catch_up) == ("queue", False)
    kinds = {schedule.kind: schedule for schedule in saved.schedules.all()}
    assert kinds["after"].after == other
    assert (kinds["data_changed"].watch_column, kinds["data_changed"].every) == ("mrr", 5)
    starts_at = kinds["weekly"].starts_at
    assert starts_at
    assert f"{starts_at.astimezone(kinds['weekly'].timezone):%Y-%m-%d %H:%M}" == "2030-01-01 08:00"


def test_preset_replaces_the_only_schedule_and_another_one_can_be_added(
    signed_in: Page,
    live_server: Any,
    model: DataModel,  # noqa: F811
    attio: Any,
) -> None:
    away = destination("attio", "attio.companies")
    page = signed_in
    goto(page, live_server, f"{ADD}?records=model:{model.pk}&destination={away.pk}#schedule")
    step(page, "schedule")
    rows = page.locator("[data-schedules] > li:visible")
    for _ in range(rows.count()):
        rows.first.get_by_role("button", name="Remove this schedule").click()
    expect(page.get_by_role("button", name="Add another schedule")).to_be_hidden()
    page.get_by_role("button", name="Every 15 minutes").click()
    expect(rows).to_have_count(1)
    expect(page.get_by_text("Choosing a different one replaces this schedule.")).to_be_visible()
    page.get_by_role("button", name="Weekdays at 9:00").click()
    expect(rows).to_have_count(1)
    expect(rows.locator("[data-words]")).to_contain_text("Monday, Tuesday, Wednesday, Thursday, and Friday")
    for dark in (False, True):
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", dark)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            picture(page, f"preset-{width}-{'dark' if dark else 'light'}")
    page.get_by_role("button", name="Add another schedule").click()
    expect(rows).to_have_count(2)
    expect(page.get_by_text("Choosing a different one replaces this schedule.")).to_be_hidden()
    page.get_by_role("button", name="Hourly").click()
    expect(rows).to_have_count(3)
