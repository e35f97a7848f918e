"""Discovery is kept for each connection: pages do not ask the vendor again, and a refresh says what changed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.errors import Misconfigured
from destinations import discovery
from destinations.contract import Field, Option
from destinations.models import Connection, Destination
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
TOKEN = "discovery-token"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TEXT = Field("motto", "Motto", "text")


@pytest.fixture
def attio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with Server(sandboxes["attio"](TOKEN)) as server:
        monkeypatch.setenv("ATTIO_API_URL", server.url)
        yield server.sandbox


@pytest.fixture
def destination(attio: Any) -> Destination:
    connection = Connection.objects.create(name="Our Attio", platform="attio", secrets={"token": TOKEN})
    return Destination.objects.create(name="Companies", connection=connection, service="attio.companies")


@pytest.fixture
def staff() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


def attribute(attio: Any, name: str) -> Any:
    return attio.workspace.stores["companies"].schema.attributes[name]


def test_what_is_kept_is_what_the_vendor_said(destination: Destination, attio: Any) -> None:
    first = discovery.fields(destination, NOW)
    asked = len(attio.log)
    again = discovery.fields(destination, datetime.now(UTC))
    assert (again.fields, again.found_at, len(attio.log)) == (first.fields, NOW, asked)


def test_pages_ask_the_vendor_once(destination: Destination, attio: Any, staff: Client) -> None:
    for _ in range(2):
        assert "domains" in staff.get(f"/admin/destinations/destination/{destination.pk}/fields/").content.decode()
        assert staff.get(f"/api/destinations/{destination.pk}/fields/").json()["fields"]
    assert len([entry for entry in attio.log if entry["path"].endswith("/companies/attributes")]) == 1


def test_other_settings_are_asked_anew(destination: Destination, attio: Any) -> None:
    discovery.fields(destination, NOW)
    Connection.objects.update(secrets={"token": "another"})
    assert discovery.cached(Destination.objects.get()) is None
    with pytest.raises(Misconfigured):
        discovery.fields(Destination.objects.get(), NOW)


def test_a_refresh_says_in_words_what_changed(destination: Destination, attio: Any, staff: Client) -> None:
    discovery.fields(destination, NOW)
    attribute(attio, "description").archived = True
    attribute(attio, "angellist").writable = False
    told = staff.post(f"/api/destinations/{destination.pk}/fields/", {}, content_type="application/json").json()
    assert told["changes"] == [
        "Gone, archived or deleted: 'description'.",
        "'angellist' can't be written any more. Attio sets it automatically.",
    ]
    assert (
        staff.post(f"/api/destinations/{destination.pk}/fields/", {}, content_type="application/json").json()["changes"]
        == []
    )


def test_the_button_of_the_destination_refreshes(destination: Destination, attio: Any, staff: Client) -> None:
    discovery.fields(destination, NOW)
    attribute(attio, "description").archived = True
    press = f"/admin/destinations/destination/{destination.pk}/do/refresh/"
    assert "Gone, archived or deleted" in staff.post(press, follow=True).content.decode()
    assert "The fields are as they were." in staff.post(press, follow=True).content.decode()


def test_a_refresh_without_an_answer_keeps_what_was_found(
    destination: Destination, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = discovery.fields(destination, NOW).fields
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:9")
    assert (
        staff.post(f"/api/destinations/{destination.pk}/fields/", {}, content_type="application/json").status_code
        == 503
    )
    assert discovery.fields(destination, NOW).fields == kept


@pytest.mark.parametrize(
    ("now", "kind", "message"),
    [
        (dataclasses.replace(TEXT, type="number"), "type", "'motto' was text and is number now."),
        (dataclasses.replace(TEXT, multiple=True), "type", "'motto' was text and is text, list now."),
        (
            dataclasses.replace(TEXT, writable=False, read_only_reason="So."),
            "read_only",
            "'motto' can't be written any more. So.",
        ),
        (dataclasses.replace(TEXT, required=True), "required", "'motto' is required now."),
        (dataclasses.replace(TEXT, options=(Option("1", "A"),)), "options", "'motto' has other options: new A."),
        (None, "gone", "'motto' is gone: it was archived or deleted."),
    ],
)
def test_every_difference_is_told(now: Field | None, kind: str, message: str) -> None:
    (found,) = discovery.differences([TEXT], [now] if now else [])
    assert (found.kind, found.message) == (kind, message)


def test_what_is_the_same_is_no_difference() -> None:
    assert list(discovery.differences([TEXT], [dataclasses.replace(TEXT, label="Another label")])) == []
    assert [one.kind for one in discovery.differences([], [TEXT])] == ["new"]
