"""Fixtures of the browser tests: Chromium, a signed-in page, both vendor simulators, a worker and sources."""

from __future__ import annotations

import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from playwright.sync_api import expect

from activations import tasks
from activations.runs import dispatch
from destinations.registry import platforms
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.segments.renewals import in_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

TOKEN = "browser-token"
PATIENCE_MS = 20_000
"""How long a page may take for anything on a busy machine. A page that is ready earlier is not waited for."""
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM or os.environ.get("REQUIRE_BROWSER"):
        return
    skip = pytest.mark.skip(reason="Chromium not found. Install chromium, or set CHROMIUM_PATH.")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _database_from_async_loops() -> None:
    # Playwright's event loop runs in the main thread, and Django refuses database access there by default.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture
def requests_outside(page: Page, live_server: Any) -> list[str]:
    """The URLs of all requests that pages send to other servers."""
    outside: list[str] = []

    def record(request: Any) -> None:
        if not request.url.startswith((live_server.url, "data:", "blob:")):
            outside.append(request.url)

    page.on("request", record)
    return outside


@pytest.fixture
def refused_by_policy(page: Page) -> Iterator[None]:
    """Fails the test if a page does what its content security policy refuses."""
    refused: list[str] = []
    page.on("console", lambda line: refused.append(line.text) if "Content Security Policy" in line.text else None)
    yield
    assert refused == []


@pytest.fixture
def signed_in(page: Page, live_server: Any, transactional_db: None, refused_by_policy: None) -> Page:
    """The overview, open in a superuser's session. The form that begins one is filled in by `through_the_login`."""
    page.set_default_timeout(PATIENCE_MS)
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops", "ops@example.com"))
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/admin/")
    return page


@pytest.fixture
def through_the_login(page: Page, live_server: Any, transactional_db: None, refused_by_policy: None) -> Page:
    """A page on which a superuser has signed in through the login form."""
    page.set_default_timeout(PATIENCE_MS)
    User.objects.create_superuser("ops", "ops@example.com", "a-long-password")
    page.goto(f"{live_server.url}/admin/")
    page.fill("input[name=username]", "ops")
    page.fill("input[name=password]", "a-long-password")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    return page


@pytest.fixture
def attio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield from _vendor("attio", monkeypatch)


@pytest.fixture
def intercom(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield from _vendor("intercom", monkeypatch)


def _vendor(slug: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    platform = platforms[slug]
    sandbox = sandboxes[platform.slug](TOKEN)
    with Server(sandbox) as server:
        monkeypatch.setenv(platform.url_variable, server.url)
        yield sandbox


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker in this process that executes every queued run."""
    threads: list[threading.Thread] = []

    def work(run_id: int) -> None:
        try:
            tasks.execute(run_id)
        finally:
            connections.close_all()

    def enqueue(run_id: int) -> None:
        threads.append(threading.Thread(target=work, args=[run_id]))
        threads[-1].start()

    monkeypatch.setattr(dispatch, "enqueue", enqueue)
    yield
    for thread in threads:
        thread.join(timeout=30)


@pytest.fixture
def shop(settings: Any, tmp_path: Path) -> Path:
    """A SQLite file with companies, one of them without a domain."""
    settings.SOURCE_FILES_ROOT = tmp_path
    path = tmp_path / "shop.sqlite3"
    rows = [
        (1, "Acme", "acme.example.com", "FR", 120.5, 12),
        (2, "Bolt", "bolt.example.com", "DE", 40.0, 3),
        (3, "Crux", "crux.example.com", "FR", 0.0, 1),
        (4, "Délice", "delice.example.com", "ES", 75.0, 8),
        (5, "No domain", None, "FR", 60.0, 2),
    ]
    with sqlite3.connect(path) as database:
        database.execute(
            """create table companies
            (id integer primary key, name text, domain text, country text, mrr real, seats integer)"""
        )
        database.executemany("insert into companies values (?, ?, ?, ?, ?, ?)", rows)
    return path


@pytest.fixture
def companies(tmp_path: Path, settings: Any, transactional_db: None) -> DataModel:
    """A model of 400 companies in SQLite."""
    settings.SOURCE_FILES_ROOT = tmp_path
    in_sqlite(tmp_path)
    shop = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
    model = DataModel.objects.create(name="Companies", source=shop, table="companies", primary_key="id")
    refresh_columns(model)
    return model
