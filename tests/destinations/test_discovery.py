"""Discovered fields are stored for each connection: pages send no further request, and a refresh reports changes."""

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


def test_second_read_returns_the_stored_fields_without_a_request(destination: Destination, attio: Any) -> None:
    first = discovery.fields(destination, NOW)
    requests_sent = len(attio.log)
    second = discovery.fields(destination, datetime.now(UTC))
    assert (second.fields, second.found_at, len(attio.log)) == (first.fields, NOW, requests_sent)


def test_pages_request_the_fields_once(destination: Destination, attio: Any, staff: Client) -> None:
    for _ in range(2):
        assert "domains" in staff.get(f"/admin/destinations/destination/{destination.pk}/fields/").content.decode()
        assert staff.get(f"/api/destinations/{destination.pk}/fields/").json()["fields"]
    assert len([entry for entry in attio.log if entry["path"].endswith("/companies/attributes")]) == 1


def test_changed_settings_discard_the_stored_fields(destination: Destination, attio: Any) -> None:
    discovery.fields(destination, NOW)
    Connection.objects.update(secrets={"token": "another"})
    assert discovery.cached(Destination.objects.get()) is None
    with pytest.raises(Misconfigured):
        discovery.fields(Destination.objects.get(), NOW)


def test_refresh_reports_changes_as_sentences(destination: Destination, attio: Any, staff: Client) -> None:
    discovery.fields(destination, NOW)
    attribute(attio, "description").archived = True
    attribute(attio, "angellist").writable = False
    result = staff.post(f"/api/destinations/{destination.pk}/fields/", {}, content_type="application/json").json()
    assert result["changes"] == [
        "Archived or deleted: “description”.",
        "“angellist” is now read-only. Attio sets it automatically.",
    ]
    assert (
        staff.post(f"/api/destinations/{destination.pk}/fields/", {}, content_type="application/json").json()["changes"]
        == []
    )


def test_refresh_button_reports_changes_once(destination: Destination, attio: Any, staff: Client) -> None:
    discovery.fields(destination, NOW)
    attribute(attio, "description").archived = True
    press = f"/admin/destinations/destination/{destination.pk}/do/refresh/"
    assert "Archived or deleted" in staff.post(press, follow=True).content.decode()
    assert "The fields haven&#x27;t changed." in staff.post(press, follow=True).content.decode()


def test_failed_refresh_keeps_the_stored_fields(
    destination: Destination, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = discovery.fields(destination, NOW).fields
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:9")
    assert (
        staff.post(f"/api/destinations/{destination.pk}/fields/", {}, content_type="application/json").status_code
        == 503
    )
    assert discovery.fields(destination, NOW).fields == stored


@pytest.mark.parametrize(
    ("now", "kind", "message"),
    [
        (dataclasses.replace(TEXT, type="number"), "type", "“motto” changed from text to number."),
        (dataclasses.replace(TEXT, multiple=True), "type", "“motto” changed from text to text, list."),
        (
            dataclasses.replace(TEXT, writable=False, read_only_reason="So."),
            "read_only",
            "“motto” is now read-only. So.",
        ),
        (dataclasses.replace(TEXT, required=True), "required", "“motto” is now required."),
        (dataclasses.replace(TEXT, options=(Option("1", "A"),)), "options", "The options of “motto” changed: added A."),
        (None, "gone", "“motto” is gone. It was archived or deleted."),
    ],
)
def test_every_difference_has_a_sentence(now: Field | None, kind: str, message: str) -> None:
    (difference,) = discovery.differences([TEXT], [now] if now else [])
    assert (difference.kind, difference.message) == (kind, message)


def test_changed_label_is_not_a_difference() -> None:
    assert list(discovery.differences([TEXT], [dataclasses.replace(TEXT, label="Another label")])) == []


def test_added_field_is_a_difference() -> None:
    assert [difference.kind for difference in discovery.differences([], [TEXT])] == ["new"]
