"""Start: from an empty installation to the editor of a first activation, left and resumed at any step."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from activations.models import Activation, Draft, Run
from destinations import simulators
from destinations.models import Connection, Destination
from destinations.registry import platforms
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from segments.models import DataModel, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CSV = b"id,name,domain\n1,Acme,acme.com\n2,Bolt,bolt.com\n"
START = "/admin/start/"


@pytest.fixture
def person(db: None, settings: Any, tmp_path: Path) -> Client:
    settings.SOURCE_FILES_ROOT = tmp_path
    client = Client()
    client.force_login(User.objects.create_superuser("ops"))
    return client


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The simulators as `make up` runs them."""
    with ExitStack() as opened:
        for slug in ("attio", "intercom"):
            server = opened.enter_context(Server(sandboxes[slug](simulators.token())))
            monkeypatch.setenv(platforms[slug].url_variable, server.url)
        monkeypatch.setenv(simulators.VARIABLE, "attio intercom")
        yield


def upload(person: Client) -> Any:
    file = SimpleUploadedFile("paying-customers.csv", CSV)
    data: dict[str, Any] = {"upload": file, "timezone": "UTC", "setting_path": "", "_test": "1"}
    defaults = {"separator": "detect", "quote": "double", "decimal": "point"}
    for name, value in {**defaults, "encoding": "detect", "bad_lines": "refuse"}.items():
        data[f"setting_{name}"] = value
    return person.post(f"{START}source/?engine=csv", data)


def test_one_thread_leads_from_a_file_to_the_editor(person: Client, simulated: None) -> None:
    assert person.get(f"{START}?service=attio.companies")["Location"] == f"{START}source/"
    assert upload(person)["Location"] == f"{START}rows/"
    page = person.get(f"{START}rows/")
    assert page.context["preview"].key.column == "id"
    table = page.context["preview"].table
    chosen = {"table": table, "key": "id", "display": "name", "save": "1"}
    assert person.post(f"{START}rows/", chosen)["Location"] == f"{START}vendor/"
    end = person.post(f"{START}vendor/", {"_simulator": "1", "name": ""})["Location"]
    model, destination = DataModel.objects.get(), Destination.objects.get()
    address = f"/admin/activations/activation/add/?records=model%3A{model.pk}&destination={destination.pk}&draft=latest"
    assert end == f"{address}#mapping"
    assert (model.name, model.display_column, model.primary_key) == ("Paying customers", "name", "id")
    assert (destination.name, destination.service) == ("Attio companies", "attio.companies")
    connection = Connection.objects.get()
    assert connection.name == f"Attio · {connection.workspace_name}"
    assert connection.health == "ok"


def test_setup_is_resumed_where_it_was_left(person: Client) -> None:
    person.get(f"{START}?service=attio.companies")
    upload(person)
    page = person.get(START)
    assert [step.name for step in page.context["steps"] if step.done] == ["what", "source"]
    assert page.context["begun"].next.url == f"{START}rows/"


def again_in_a_new_browser() -> Client:
    browser = Client()
    browser.force_login(User.objects.get())
    return browser


def test_connected_source_is_used_in_a_different_browser(person: Client) -> None:
    person.get(f"{START}?service=attio.companies")
    upload(person)
    other = again_in_a_new_browser()
    assert "Paying customers is connected" in other.get(START).content.decode()
    assert other.get(f"{START}?service=attio.companies")["Location"] == f"{START}rows/"


def test_setup_goes_on_in_a_different_browser_until_its_first_run(person: Client, simulated: None) -> None:
    test_one_thread_leads_from_a_file_to_the_editor(person, simulated)
    page = again_in_a_new_browser().get(START)
    assert [step.name for step in page.context["steps"] if step.done] == ["what", "source", "rows", "vendor"]
    model, destination = DataModel.objects.get(), Destination.objects.get()
    entered = {"records": [f"model:{model.pk}"], "destination": [str(destination.pk)], "name": ["Half-made"]}
    continued = page.context["begun"].next.url
    assert again_in_a_new_browser().get(continued).context["draft"] is None
    # Stored only after the page with the link was sent, as when a person leaves the editor right after a click.
    draft = Draft.objects.create(owner=User.objects.get(), data=entered)
    Draft.objects.create(owner=User.objects.get(), data={**entered, "destination": ["0"]})
    assert again_in_a_new_browser().get(continued).context["draft"] == draft
    activation = Activation.objects.create(name="A", model=model, destination=destination, match_column="id")
    assert again_in_a_new_browser().get(START).context["begun"].next.name == "run"
    Run.objects.create(activation=activation, number=1, trigger="manual")
    assert again_in_a_new_browser().get(START).context["begun"] is None


def test_setup_that_was_started_over_begins_from_nothing(person: Client) -> None:
    person.get(f"{START}?service=attio.companies")
    upload(person)
    other = again_in_a_new_browser()
    other.post(f"{START}again/")
    assert other.get(f"{START}?service=attio.companies")["Location"] == f"{START}source/"


def test_each_page_is_named_after_its_step(person: Client) -> None:
    person.get(f"{START}?service=attio.companies")
    assert heading(person.get(f"{START}source/")) == "Connect a source"
    assert heading(person.get(f"{START}source/?engine=csv")) == "Connect a source"
    upload(person)
    assert heading(person.get(f"{START}rows/")) == "Choose the rows"
    assert heading(person.get(f"{START}vendor/")) == "Connect Attio"
    assert heading(person.get(START)) == "Get started"


def heading(page: Any) -> str:
    return " ".join(re.findall(r"<h1[^>]*>(.*?)</h1>", page.content.decode(), re.DOTALL)[0].split())


def test_step_that_needs_an_earlier_one_leads_back_to_it(person: Client) -> None:
    assert person.get(f"{START}rows/")["Location"] == START
    person.get(f"{START}?service=attio.companies")
    assert person.get(f"{START}rows/")["Location"] == f"{START}source/"
    assert person.get(f"{START}vendor/").status_code == 200


def test_what_exists_already_is_offered(person: Client, simulated: None) -> None:
    test_one_thread_leads_from_a_file_to_the_editor(person, simulated)
    person.post(f"{START}again/")
    person.get(f"{START}?service=attio.people")
    assert person.post(f"{START}source/", {"_use": Source.objects.get().pk})["Location"] == f"{START}rows/"
    assert person.post(f"{START}rows/", {"_use": DataModel.objects.get().pk})["Location"] == f"{START}vendor/"
    assert "Use Attio" in person.get(f"{START}vendor/").content.decode()
    assert "/activation/add/" in person.post(f"{START}vendor/", {"_use": Connection.objects.get().pk})["Location"]
    assert Connection.objects.count() == 1
    assert set(Destination.objects.values_list("name", flat=True)) == {"Attio companies", "Attio people"}


def test_source_whose_test_fails_stays_on_its_step(person: Client) -> None:
    person.get(f"{START}?service=attio.companies")
    settings = {"host": "127.0.0.1", "port": "1", "database": "shop", "user": "me", "password": "x", "schema": "public"}
    data = {f"setting_{name}": value for name, value in settings.items()} | {"setting_sslmode": "automatic"}
    answer = person.post(f"{START}source/?engine=postgres", {**data, "timezone": "UTC", "_test": "1"}, follow=True)
    source = Source.objects.get()
    assert answer.request["PATH_INFO"] + "?" + answer.request["QUERY_STRING"] == f"{START}source/?edit={source.pk}"
    page = answer.content.decode()
    assert "✓ Found the host" in page
    assert "✗ Connect to the source" in page


def test_key_that_repeats_is_refused_with_the_numbers(person: Client, tmp_path: Path) -> None:
    person.get(f"{START}?service=attio.companies")
    (tmp_path / "twice.csv").write_text("kind,name\nx,Acme\nx,Bolt\n")
    source = Source.objects.create(name="Twice", engine="csv", config={"path": "twice.csv"})
    person.post(f"{START}source/", {"_use": source.pk})
    answer = person.post(f"{START}rows/", {"table": "twice", "key": "kind", "save": "1"})
    assert "repeats the" in answer.content.decode()
    assert not DataModel.objects.exists()


def test_query_is_previewed_before_it_is_used(person: Client, tmp_path: Path) -> None:
    person.get(f"{START}?service=intercom.companies")
    (tmp_path / "shop.csv").write_bytes(CSV)
    source = Source.objects.create(name="Shop", engine="csv", config={"path": "shop.csv"})
    person.post(f"{START}source/", {"_use": source.pk})
    query = "select id, name from shop where id > 1"
    page = person.post(f"{START}rows/?query=1", {"sql": query, "show": "1"})
    assert page.context["preview"].rows == [["2", "Bolt"]]
    wrong = person.post(f"{START}rows/?query=1", {"sql": "select nope from shop", "show": "1"})
    assert "nope" in wrong.context["preview"].problem
    person.post(f"{START}rows/?query=1", {"sql": query, "key": "id", "display": "name", "save": "1"})
    assert DataModel.objects.get().sql == query


def test_start_is_for_people_who_may_set_everything_up(db: None) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="add_source"))
    client = Client()
    client.force_login(viewer)
    for page in ("", "source/", "rows/", "vendor/"):
        assert client.get(f"{START}{page}").status_code == 403
    for action in ("demo/load/", "demo/remove/"):
        assert client.post(f"{START}{action}").status_code == 403


def test_simulator_is_offered_only_where_it_runs(person: Client) -> None:
    person.get(f"{START}?service=attio.companies")
    assert "Use the simulator" not in person.get(f"{START}vendor/").content.decode()
    page = person.get(START)
    assert "Start this installation with “make up”" in page.content.decode()
    assert "Load the demo</button>" not in page.content.decode()


@pytest.mark.parametrize("hidden", ["view_source", "view_datamodel", "view_connection"])
def test_start_needs_the_right_to_see_what_it_offers(person: Client, hidden: str) -> None:
    Source.objects.create(name="Payroll", engine="csv", config={"path": "payroll.csv"})
    user = User.objects.create_user("adder", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename=hidden))
    browser = Client()
    browser.force_login(user)
    browser.get(f"{START}?service=attio.companies")
    for page in ("source", "rows", "vendor"):
        answer = browser.post(f"{START}{page}/", {"_use": Source.objects.get().pk})
        assert answer.status_code == 403
        assert "Payroll" not in answer.content.decode()


def test_connections_are_offered_to_those_who_may_see_them(simulated: None, db: None) -> None:
    connection = Connection.objects.create(name="Their Attio", platform="attio", secrets={"token": "token-of-attio"})
    user = User.objects.create_user("adder", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_connection", "add_destination"]))
    browser = Client()
    browser.force_login(user)
    page = "/admin/destinations/connection/add/?service=attio.companies"
    assert "Their Attio" not in browser.get(page).content.decode()
    assert browser.post(page, {"_use": connection.pk}).status_code == 403
    assert not Destination.objects.exists()


@pytest.mark.parametrize("chosen", ["9" * 5_000, "9" * 30, "-1", "²", ""])
def test_button_with_an_impossible_value_chooses_nothing(person: Client, chosen: str) -> None:
    person.get(f"{START}?service=attio.companies")
    for page in (f"{START}source/", f"{START}vendor/", "/admin/destinations/connection/add/?service=attio.companies"):
        assert person.post(page, {"_use": chosen}).status_code == 200
    assert not Destination.objects.exists()
