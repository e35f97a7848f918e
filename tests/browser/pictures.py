"""Takes the pictures of the documentation: `python -m tests.browser.pictures`.

Starts an empty installation with `manage.py up`, follows docs/tutorial-attio.md and docs/tutorial-intercom.md in
Chromium, and stores each screen in docs/pictures/. If a step of a tutorial no longer works, it stops there.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

from dinmo.local.machine import free_port
from tests.browser.chromium import CHROMIUM, FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SAMPLE = DOCS / "companies.csv"
WIDTH, HEIGHT = 1280, 900
QUALITY = 80
LARGEST = 150_000
"""Bytes of one picture."""
READY = "Press Ctrl-C"
ENDED = re.compile("Completed|Succeeded")
RUN_MS = 90_000
"""How long a run of eight rows may take, on a busy machine."""


@dataclass(frozen=True)
class Installation:
    """Where an installation is, and its first login."""

    url: str
    username: str
    password: str


@contextmanager
def installation() -> Iterator[Installation]:
    """An empty installation, run by `manage.py up` as its first user would, and ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="dinmo-pictures-") as directory:
        environment = {
            **os.environ,
            "VAR_DIR": f"{directory}/var",
            "SOURCE_FILES_ROOT": f"{directory}/data",
            "PORT": str(free_port(8380)),
        }
        command = [sys.executable, "manage.py", "up"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield _announced(process)
            finally:
                process.terminate()
                process.wait(timeout=60)


def _announced(process: subprocess.Popen[str]) -> Installation:
    text = ""
    for line in process.stdout or ():
        text += line
        if READY in line:
            break
    found = re.search(r"ready at (\S+?)/?\n.*Sign in +(\S+).*Password +(\S+)", text, re.DOTALL)
    if not found:
        raise SystemExit(f"The installation did not start:\n{text}")
    return Installation(*found.groups())


def take(page: Page, name: str) -> None:
    """Stores what the window shows as docs/pictures/NAME.webp.

    Raises:
        SystemExit: the picture is too large.
    """
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    content = base64.b64decode(answer["data"])
    if len(content) > LARGEST:
        raise SystemExit(f"{name} has {len(content):,} bytes, and may have {LARGEST:,}.")
    path = DOCS / "pictures" / f"{name}.webp"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    sys.stdout.write(f"{path.relative_to(ROOT)}  {len(content):,} bytes\n")


def sign_in(page: Page, on: Installation) -> None:
    page.goto(f"{on.url}/")
    page.fill("input[name=username]", on.username)
    page.fill("input[name=password]", on.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/start/")


def attio(page: Page, on: Installation) -> None:
    """Follows docs/tutorial-attio.md."""
    page.goto(f"{on.url}/admin/start/")
    take(page, "start")
    page.get_by_role("link", name="Companies to Attio").click()
    take(page, "source-kinds")
    page.get_by_role("link", name="CSV files").click()
    page.set_input_files("input[type=file]", SAMPLE)
    take(page, "source-csv")
    page.get_by_role("button", name="Connect and test").click()
    expect(page.get_by_role("button", name="Use these rows")).to_be_visible()
    take(page, "rows")
    page.get_by_role("button", name="Use these rows").click()
    expect(page.get_by_role("button", name="Use the simulator")).to_be_visible()
    take(page, "attio-connection")
    page.get_by_role("button", name="Use the simulator").click()
    page.wait_for_url("**/activations/activation/add/**")
    accept_suggestions(page)
    expect(page.locator("[data-rows] > li").last.locator("[data-samples]")).to_contain_text("→")
    page.evaluate("scrollTo(0, 0)")
    take(page, "attio-mapping")
    schedule(page)
    review(page, "attio")
    take_run(page, "attio")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("[data-count=unchanged]")).to_have_text("7", timeout=RUN_MS)


def intercom(page: Page, on: Installation) -> None:
    """Follows docs/tutorial-intercom.md, after the other tutorial: its source and rows are kept."""
    page.goto(f"{on.url}/admin/start/")
    page.get_by_role("link", name="Companies to Intercom").click()
    page.get_by_role("button", name="Use the simulator").wait_for()
    take(page, "intercom-connection")
    page.get_by_role("button", name="Use the simulator").click()
    page.wait_for_url("**/activations/activation/add/**")
    step(page, "destination")
    page.check("text=Create new companies and update existing ones")
    take(page, "intercom-destination")
    accept_suggestions(page)
    for column in ("country", "seats"):
        page.check(f"input[name=custom_columns][value={column}]")
    page.locator("[data-custom]").scroll_into_view_if_needed()
    take(page, "intercom-mapping")
    step(page, "schedule")
    page.get_by_role("button", name="Every 15 minutes").click()
    review(page, "intercom")
    take_run(page, "intercom")
    page.goto(f"{on.url}/admin/")
    take(page, "overview")


def step(page: Page, name: str) -> None:
    """Opens a step of the activation."""
    page.click(f"[data-tab={name}]")


def accept_suggestions(page: Page) -> None:
    step(page, "mapping")
    page.get_by_role("button", name="Accept all").click()


def schedule(page: Page) -> None:
    step(page, "schedule")
    page.get_by_role("button", name="Weekdays at 9:00").click()
    expect(page.locator("[data-next]:visible")).not_to_be_empty()
    take(page, "schedule")


def review(page: Page, name: str) -> None:
    page.click("[data-savebar] button[name=_review]")
    expect(page.locator("[data-results]")).to_contain_text("Would create", timeout=RUN_MS)
    take(page, f"{name}-review")


def take_run(page: Page, name: str) -> None:
    """Starts the activation, and waits until its first run has ended."""
    page.click("button[name=start]")
    page.wait_for_url("**/admin/activations/run/*/change/")
    expect(page.locator(".d-facts .d-pill").first).to_have_text(ENDED, timeout=RUN_MS)
    take(page, f"{name}-run")


def main() -> None:
    with installation() as on, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
            locale="en-US",
            timezone_id="Europe/Paris",
        )
        page.set_default_timeout(30_000)
        sign_in(page, on)
        attio(page, on)
        intercom(page, on)
        browser.close()


if __name__ == "__main__":
    main()
