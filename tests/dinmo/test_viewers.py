"""People who may only view cause no writes, and have one pending preview for each page."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from activations.models import Run
from destinations import vendor
from destinations.models import Discovery
from dinmo.api import urlpatterns as api_patterns
from segments.models import Catalog, Column, DataModel, Question, Source
from segments.reading import superseding
from segments.sources.discovery import refresh_columns

if TYPE_CHECKING:
    from pathlib import Path

    from activations.models import Activation

pytestmark = pytest.mark.django_db
PAGES = [
    "/admin/", "/admin/segments/source/1/tables/", "/admin/destinations/destination/1/fields/",
    *(f"/admin/{name}/{page}" for page in ("", "1/change/") for name in (
        "segments/source", "segments/datamodel", "segments/segment", "destinations/connection",
        "destinations/destination", "activations/activation", "activations/run", "activations/change",
        "activations/warning",
    )),
]  # fmt: skip
BODY = json.dumps({"model": 1, "where": {}, "limit": {}, "column": "name", "table": "companies", "other": 1})


@pytest.fixture
def viewer(one_of_each: Activation, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The browser of a person with every permission to view. The model lacks a column that the source has gained."""
    settings.SOURCE_FILES_ROOT = tmp_path
    monkeypatch.setattr(vendor, "fields", lambda destination, now: [])
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("create table companies (id integer primary key, name text)")
    Source.objects.update(config={"path": "shop.sqlite3"})
    refresh_columns(DataModel.objects.get())
    Column.objects.filter(name="name").delete()
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


def writes(queries: CaptureQueriesContext) -> list[str]:
    """The statements that changed something other than the registration of a preview."""
    verbs = ("INSERT", "UPDATE", "DELETE", "REPLACE")
    statements = [query["sql"] for query in queries.captured_queries if query["sql"].startswith(verbs)]
    return [sql for sql in statements if '"segments_question"' not in sql]


@pytest.mark.parametrize("path", PAGES)
def test_page_writes_nothing_for_a_viewer(viewer: Client, path: str) -> None:
    for method in ("GET", "POST"):
        with CaptureQueriesContext(connection) as queries:
            answer = viewer.generic(method, path)
        assert answer.status_code < 500
        assert writes(queries) == []
    assert not Catalog.objects.exists()
    assert not Discovery.objects.exists()


@pytest.mark.parametrize("path", [str(pattern.pattern).replace("<int:pk>", "1") for pattern in api_patterns])
def test_endpoint_writes_nothing_for_a_viewer(viewer: Client, path: str) -> None:
    for method in ("GET", "POST"):
        with CaptureQueriesContext(connection) as queries:
            answer = viewer.generic(method, f"/api/{path}", BODY, content_type="application/json")
        assert answer.status_code in (200, 400, 401, 403, 404, 405, 503)
        assert writes(queries) == []


def test_viewer_without_a_trigger_token_can_not_start_a_run(viewer: Client) -> None:
    runs = Run.objects.count()
    assert viewer.post("/api/trigger/").status_code == 401
    assert viewer.post("/api/trigger/", headers={"Authorization": "Bearer dt_guessed"}).status_code == 401
    assert Run.objects.count() == runs


def test_viewer_sees_a_column_that_the_source_has_gained(viewer: Client) -> None:
    columns = viewer.get("/api/models/1/columns/").json()["columns"]
    assert [column["name"] for column in columns] == ["id", "name"]
    assert not Column.objects.filter(name="name").exists()


def test_viewer_can_not_refresh_the_tables_of_a_source(viewer: Client, staff: Client) -> None:
    assert "Refresh" not in viewer.get("/admin/segments/source/1/tables/").content.decode()
    assert viewer.post("/admin/segments/source/1/tables/").status_code == 403
    assert staff.post("/admin/segments/source/1/tables/").status_code == 302
    assert Catalog.objects.exists()


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check asks the database, however soon after the last one."""
    monkeypatch.setattr(superseding, "CHECK_SECONDS", 0)


@pytest.mark.usefixtures("always")
def test_newer_preview_of_a_page_ends_the_earlier_one() -> None:
    page = superseding.page_of(7, "tab")
    check = superseding.register(page, 1)
    superseding.register(page, 2)
    with pytest.raises(superseding.Superseded):
        check()


@pytest.mark.usefixtures("always")
def test_request_without_a_page_ends_the_one_before_it() -> None:
    page = superseding.page_of(7, "/api/segments/preview/")
    check = superseding.register(page)
    superseding.register(page)
    with pytest.raises(superseding.Superseded):
        check()


@pytest.mark.usefixtures("always")
def test_nobody_else_can_end_a_preview() -> None:
    check = superseding.register(superseding.page_of(7, "tab"), 1)
    for _ in range(20):
        superseding.register(superseding.page_of(70, "tab"), 2)
    check()


@pytest.mark.usefixtures("always")
def test_person_with_many_pages_has_few_pending_previews() -> None:
    checks = [superseding.register(superseding.page_of(7, f"tab {number}"), 1) for number in range(20)]
    ended = 0
    for check in checks:
        try:
            check()
        except superseding.Superseded:
            ended += 1
    assert ended == 20 - superseding.MOST_PAGES
    assert Question.objects.count() == superseding.MOST_PAGES


def test_viewers_previews_are_registered_for_the_person(viewer: Client) -> None:
    viewer.post("/api/segments/preview/", BODY, content_type="application/json")
    viewer.get("/api/models/1/preview/")
    person = User.objects.get(username="viewer").pk
    pages = set(Question.objects.values_list("page", flat=True))
    assert pages == {f"{person}:/api/segments/preview/", f"{person}:/api/models/1/preview/"}


@pytest.mark.django_db(transaction=True)
def test_preview_does_not_wait_for_the_write_lock(viewer: Client) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has a lock of the whole database")
    body = json.dumps({**json.loads(BODY), "model": DataModel.objects.get().pk})
    other = sqlite3.connect(connection.settings_dict["NAME"])
    other.execute("begin immediate")
    try:
        answer = viewer.post("/api/segments/preview/", body, content_type="application/json")
    finally:
        other.rollback()
        other.close()
    assert (answer.status_code, answer.json()["count"]) == (200, 0)
