"""Requests that are too large, unreadable, or met by a busy database are answered in the caller's format."""

from __future__ import annotations

import io
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from dinmo.api import urlpatterns as api_patterns
from segments.models import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
MEGABYTE = 1_000_000
NESTED = ["[" * 3000, '{"a":' * 3000, '{"where": ' + "[" * 100_000]
API = [f"/api/{str(pattern.pattern).replace('<int:pk>', '1')}" for pattern in api_patterns]


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def all_pages(patterns: list[Any], prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from all_pages(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and "(?P" not in path:
            for name in ("<int:pk>", "<path:object_id>", "<int:content_type_id>", "<id>", "<slug:name>"):
                path = path.replace(name, "1")
            yield path


PAGES = sorted(set(all_pages(get_resolver().url_patterns)))
TAKES_FILES = ("/admin/start/source/", "/admin/segments/source/add/", "/admin/segments/source/1/change/")


def send(path: str, length: int | str, browser: Client | None = None, **more: Any) -> int:
    """The status of the answer to a POST whose body must not be read."""
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "wsgi.input": Unread(), "CONTENT_LENGTH": str(length),
        "CONTENT_TYPE": "multipart/form-data; boundary=x", **more,
    }  # fmt: skip
    status: int = (browser or Client()).request(**environ).status_code
    return status


def test_pages_are_walked() -> None:
    assert set(TAKES_FILES) < set(PAGES)
    assert set(API) < set(PAGES)


@pytest.mark.parametrize("path", PAGES)
def test_large_body_without_a_login_is_refused_unread(path: str) -> None:
    assert send(path, 400 * MEGABYTE) == 413


def test_large_body_is_refused_unread_where_no_file_is_taken(staff: Client) -> None:
    for path in PAGES:
        if path not in TAKES_FILES:
            assert send(path, 20 * MEGABYTE, staff) == 413, path


def test_file_beyond_the_limit_is_refused_unread(staff: Client) -> None:
    for path in TAKES_FILES:
        assert send(path, settings.SOURCE_UPLOAD_MAX_BYTES + 2 * MEGABYTE, staff) == 413


def test_file_from_a_person_who_may_not_upload_is_refused_unread() -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_source"))
    browser = Client()
    browser.force_login(viewer)
    for path in TAKES_FILES:
        assert send(path, 20 * MEGABYTE, browser) == 413


def test_body_of_unknown_length_is_refused_unread(staff: Client) -> None:
    for path in ("/admin/login/", "/api/segments/preview/", *TAKES_FILES):
        assert send(path, "", staff, HTTP_TRANSFER_ENCODING="chunked") == 411


def test_upload_within_the_limit_is_stored(staff: Client, tmp_path: Any, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    file = io.BytesIO(b"id,name\n" + b"1,Acme\n" * 500_000)
    file.name = "big.csv"
    values = {"name": "Big", "timezone": "UTC", "upload": file, "_save": "Save"}
    answer = staff.post("/admin/segments/source/add/?engine=csv", values)
    assert answer.status_code == 302
    assert Source.objects.get().config["path"] == "uploads/big.csv"


@pytest.mark.parametrize("path", API)
def test_deeply_nested_json_is_a_400_on_every_address_of_the_api(path: str) -> None:
    for logged_in in (False, True):
        browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
        if logged_in:
            browser.force_login(User.objects.get_or_create(username="ops", is_staff=True, is_superuser=True)[0])
        for body in NESTED:
            answer = browser.generic("POST", path, body, content_type="application/json")
            assert answer.status_code in (400, 401, 403, 405, 413), path
            assert answer.headers["Content-Type"] == "application/json"


def test_unstorable_text_anywhere_in_json_is_a_400(staff: Client) -> None:
    for text in ("\ud800", "\x00"):
        body = json.dumps({"model": 1, "where": {"all": [{"field": text}]}})
        answer = staff.generic("POST", "/api/segments/preview/", body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "request_unreadable")


@pytest.mark.parametrize("path", ["/admin/?a=%00", "/admin/segments/source/?q=%00", "/api/sources/1/sample/?table=%00"])
def test_null_character_in_an_address_is_a_400(staff: Client, path: str) -> None:
    answer = staff.get(path)
    assert answer.status_code == 400
    assert "null character" in answer.content.decode()


def test_unknown_address_of_the_api_is_answered_in_json(staff: Client) -> None:
    answer = staff.get("/api/nothing/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def locked(*_: Any, **__: Any) -> Any:
    try:
        cause = sqlite3.OperationalError("database is locked")
        cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise cause
    except sqlite3.OperationalError as error:
        raise OperationalError("database is locked") from error


@pytest.mark.parametrize("path", ["/api/sources/1/tables/", "/admin/segments/source/"])
def test_busy_database_is_a_503_in_the_callers_format(
    staff: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.db.models.sql.compiler.SQLCompiler.execute_sql", locked)
    answer = staff.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    text = answer.content.decode()
    assert "The database is busy" in text
    assert text.startswith("{" if path.startswith("/api/") else "<!doctype html>")


def test_busy_database_outside_of_a_view_is_a_503_too(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionStore, "load", locked)
    answer = staff.get("/api/sources/1/tables/")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")


def test_invalid_sql_stays_a_server_error(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise DatabaseError("a bug")

    monkeypatch.setattr(SessionStore, "load", fail)
    answer = staff.get("/api/sources/1/tables/")
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")


@pytest.mark.parametrize("page", ["x", "0", "9999"])
def test_search_page_that_does_not_exist_is_a_400(staff: Client, page: str) -> None:
    assert staff.get("/admin/search/", {"s": "source", "page": page}).status_code == 400
