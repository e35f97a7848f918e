"""The screens and endpoints of connections and destinations, tested against simulated vendors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from destinations.models import Connection, Destination
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
TOKEN = "screens-token"


@pytest.fixture
def staff(db: None) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


@pytest.fixture
def attio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with Server(sandboxes["attio"](TOKEN)) as server:
        monkeypatch.setenv("ATTIO_API_URL", server.url)
        yield server.sandbox


@pytest.fixture
def connection(staff: Client, attio: Any) -> Connection:
    staff.post(
        "/admin/destinations/connection/add/?platform=attio",
        {"name": "Our Attio", "setting_token": TOKEN, "_save": "Save"},
    )
    return Connection.objects.get()


@pytest.fixture
def destination(staff: Client, connection: Connection) -> Destination:
    values = {"name": "Attio companies", "connection": connection.pk, "service": "attio.companies"}
    staff.post("/admin/destinations/destination/add/", values)
    return Destination.objects.get()


def test_test_button_checks_the_connection_at_the_vendor(staff: Client, connection: Connection) -> None:
    page = staff.post(f"/admin/destinations/connection/{connection.pk}/do/test/", follow=True).content.decode()
    connection.refresh_from_db()
    assert connection.health == "ok"
    assert connection.workspace_name in page
    assert TOKEN not in page


def press_test_button(staff: Client, connection: Connection) -> str:
    return staff.post(f"/admin/destinations/connection/{connection.pk}/do/test/", follow=True).content.decode()


def test_workspace_is_shown_with_its_logo_loaded_without_a_referrer(
    staff: Client, connection: Connection, attio: Any
) -> None:
    attio.switches.update(workspace_name="Acme <Inc>", workspace_logo_url="https://cdn.attio.com/logo.png?v=1&w=2")
    page = press_test_button(staff, connection)
    (logo,) = re.findall(r"<img[^>]*d-logo[^>]*>", page)
    assert 'src="https://cdn.attio.com/logo.png?v=1&amp;w=2"' in logo
    assert 'alt="Logo of Acme &lt;Inc&gt;"' in logo
    assert 'referrerpolicy="no-referrer"' in logo


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.attio.com/logo.png",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "//cdn.attio.com/logo.png",
        "https://user:word@cdn.attio.com/logo.png",
        f"https://cdn.attio.com/logo.png?token={TOKEN}",
        'https://x/" onerror="alert(1)',
        None,
    ],
)
def test_unsafe_logo_is_not_loaded(url: str | None, staff: Client, connection: Connection, attio: Any) -> None:
    attio.switches.update(workspace_name="Acme", workspace_logo_url=url)
    page = press_test_button(staff, connection)
    assert "Acme" in page
    assert '<img class="d-logo' not in page
    assert TOKEN not in page


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"scopes": "record_permission:read"}, "Records: read-write (record_permission:read-write)"),
        ({"scopes": "record_permission:read-write"}, "Object configuration: read (object_configuration:read)"),
        ({"revoked": True}, "does not recognize this access token"),
    ],
)
def test_missing_permission_of_an_attio_token_is_named(
    switches: dict[str, Any], words: str, staff: Client, connection: Connection, attio: Any
) -> None:
    attio.switches.update(switches)
    assert words in press_test_button(staff, connection)


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"region": "EU"}, "This workspace is in EU (Europe), but the connection is set to US (United States)"),
        (
            {"missing_scopes": ["Read and list users and companies"]},
            "lacks the permission “Read and list users and companies”",
        ),
        ({"plan_restricted": True}, "The plan of this Intercom workspace does not include this"),
        ({"token_error": "token_revoked"}, "Intercom rejected the access token"),
        ({}, "Region US"),
    ],
)
def test_result_of_an_intercom_check_is_shown(
    switches: dict[str, Any], words: str, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(sandboxes["intercom"](TOKEN)) as server:
        monkeypatch.setenv("INTERCOM_API_URL", server.url)
        server.sandbox.switches.update(switches)
        connection = Connection.objects.create(
            name="I", platform="intercom", config={"region": "us"}, secrets={"token": TOKEN}
        )
        assert words in press_test_button(staff, connection)


def change(staff: Client, connection: Connection, **values: str) -> Any:
    path = f"/admin/destinations/connection/{connection.pk}/change/"
    return staff.post(path, {"name": connection.name, "_save": "Save", **values}, follow=True)


def test_stored_token_is_not_sent_to_a_different_region(staff: Client) -> None:
    connection = Connection.objects.create(
        name="I", platform="intercom", config={"region": "us"}, secrets={"token": TOKEN}
    )
    page = f"/admin/destinations/connection/{connection.pk}/change/"
    answer = staff.post(page, {"name": "I", "setting_region": "eu", "setting_token": ""})
    assert answer.context["adminform"].form.errors == {
        "setting_token": ["Enter the access token again, because the region has changed."]
    }
    staff.post(page, {"name": "J", "setting_region": "us", "setting_token": ""})
    connection.refresh_from_db()
    assert (connection.name, connection.config, connection.secrets) == ("J", {"region": "us"}, {"token": TOKEN})


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_working_token_is_tested_when_it_is_saved(staff: Client, connection: Connection) -> None:
    assert (connection.health, connection.workspace_name) == ("ok", "Sandbox")
    page = staff.get(f"/admin/destinations/connection/{connection.pk}/change/").content.decode()
    assert "The connection works. Its workspace is Sandbox." in page


@pytest.mark.parametrize(
    ("slug", "values", "place", "words"),
    [
        ("attio", {"setting_token": "wrong"}, "setting_token", "does not recognize this access token"),
        ("intercom", {"setting_token": "wrong"}, "setting_token", "Intercom rejected the access token"),
        ("intercom", {"setting_token": TOKEN, "setting_region": "eu"}, "setting_region", "Change the region to US"),
    ],
)
def test_wrong_settings_are_refused_at_their_field_and_not_saved(
    staff: Client, monkeypatch: pytest.MonkeyPatch, slug: str, values: dict[str, str], place: str, words: str
) -> None:
    with Server(sandboxes[slug](TOKEN)) as server:
        monkeypatch.setenv(f"{slug.upper()}_API_URL", server.url)
        given = {"name": "New", "setting_region": "us", "_save": "Save", **values}
        answer = staff.post(f"/admin/destinations/connection/add/?platform={slug}", given)
    assert words in errors(answer)[place][0]
    assert "wrong" not in errors(answer)[place][0]
    assert not Connection.objects.exists()


def test_refused_token_leaves_the_working_one_in_place(staff: Client, connection: Connection) -> None:
    assert "setting_token" in errors(change(staff, connection, setting_token="wrong"))
    stored = Connection.objects.get()
    assert (stored.secrets["token"], stored.health) == (TOKEN, "ok")


def test_settings_that_can_not_be_tested_are_saved_with_a_warning_and_as_not_working(
    staff: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:9")
    page = change(staff, connection, setting_token="another").content.decode()
    assert "Saved, but the connection could not be tested." in page
    stored = Connection.objects.get()
    assert (stored.secrets["token"], stored.health, stored.workspace_name) == ("another", "failed", "")


def test_renaming_a_connection_asks_the_vendor_nothing(staff: Client, connection: Connection, attio: Any) -> None:
    attio.log.clear()
    change(staff, connection, name="Renamed")
    assert (Connection.objects.get().name, list(attio.log)) == ("Renamed", [])


def test_token_is_asked_for_again_if_something_else_is_refused(staff: Client, connection: Connection) -> None:
    Connection.objects.create(name="Taken", platform="attio")
    answer = change(staff, connection, name="Taken", setting_token=TOKEN)
    assert "Enter this again" in errors(answer)["setting_token"][0]
    assert TOKEN not in answer.content.decode()


def test_service_of_a_different_platform_is_refused(staff: Client, connection: Connection) -> None:
    values = {"name": "Odd", "connection": connection.pk, "service": "intercom.companies"}
    response = staff.post("/admin/destinations/destination/add/", values)
    assert "Our Attio is not a connection to Intercom." in response.context["adminform"].form.errors["service"][0]


def test_only_services_of_the_platform_are_offered(staff: Client, connection: Connection) -> None:
    offered = staff.get(f"/api/connections/{connection.pk}/services/").json()["services"]
    assert {service["service"].split(".")[0] for service in offered} == {"attio"}


def test_service_of_a_destination_cannot_be_changed(staff: Client, destination: Destination) -> None:
    staff.post(
        f"/admin/destinations/destination/{destination.pk}/change/",
        {"name": "Renamed", "service": "intercom.companies"},
    )
    destination.refresh_from_db()
    assert (destination.name, destination.service) == ("Renamed", "attio.companies")


def test_fields_of_a_destination_come_from_the_vendor(staff: Client, destination: Destination) -> None:
    fields = {
        field["name"]: field for field in staff.get(f"/api/destinations/{destination.pk}/fields/").json()["fields"]
    }
    assert fields["domains"]["matchable"]
    assert not fields["record_id"]["matchable"]
    page = staff.get(f"/admin/destinations/destination/{destination.pk}/fields/").content.decode()
    assert "record_id" in page
    assert "read-only" in page
    details = staff.get(f"/api/destinations/{destination.pk}/").json()
    assert (details["default_mode"], details["creates_fields"]) == ("upsert", False)


def test_unreachable_vendor_is_reported_on_the_page_and_in_json(
    staff: Client, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:9")
    response = staff.get(f"/api/destinations/{destination.pk}/fields/")
    assert (response.status_code, bool(response.json()["message"])) == (503, True)
    page = staff.get(f"/admin/destinations/destination/{destination.pk}/fields/")
    assert page.status_code == 200
    assert response.json()["message"] in page.content.decode().replace("&#x27;", "'")


def test_every_list_page_opens(staff: Client) -> None:
    for path in (
        "/admin/auth/user/",
        "/admin/auth/group/",
        "/admin/django_celery_beat/periodictask/",
        "/admin/destinations/connection/",
    ):
        assert staff.get(path).status_code == 200, path
