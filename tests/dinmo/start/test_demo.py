"""The demo: loaded and removed by one click each, and only where it can work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from activations.models import Activation, Run
from core.errors import Misconfigured
from destinations.models import Connection, Destination
from dinmo.demo import data, loading
from segments.models import DataModel, Segment, Source
from tests.dinmo.start.test_start import person, simulated

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["person", "simulated"]


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker picks up the runs."""
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)


def test_one_click_loads_two_activations_and_starts_them(person: Client, simulated: None, idle: None) -> None:
    person.post("/admin/start/demo/load/")
    assert {run.activation.name for run in Run.objects.all()} == set(loading.names()["activations"])
    assert set(Connection.objects.values_list("health", flat=True)) == {"ok"}
    assert DataModel.objects.get().display_column == "name"
    assert "The demo is loaded" in person.get("/admin/start/").content.decode()


def test_one_click_removes_what_the_demo_created_and_nothing_else(person: Client, simulated: None, idle: None) -> None:
    own = Source.objects.create(name="Own", engine="csv", config={"path": "own.csv"})
    person.post("/admin/start/demo/load/")
    answer = person.post("/admin/start/demo/remove/", follow=True)
    assert "remove the demo again" in answer.content.decode()
    Run.objects.update(state=Run.State.CANCELLED)
    person.post("/admin/start/demo/remove/")
    assert list(Source.objects.all()) == [own]
    for model in (Activation, Run, Segment, DataModel, Destination, Connection):
        assert not model.objects.exists(), model


def test_what_something_else_uses_stays(person: Client, simulated: None, idle: None) -> None:
    loading.load()
    Run.objects.update(state=Run.State.CANCELLED)
    DataModel.objects.create(name="Mine", source=Source.objects.get(), table="companies", primary_key="id")
    assert loading.remove() == ["Demo shop"]
    assert Source.objects.exists()


def test_demo_stays_while_an_activation_of_a_person_follows_it(person: Client, simulated: None, idle: None) -> None:
    loading.load()
    Run.objects.update(state=Run.State.CANCELLED)
    followed = Activation.objects.earliest("pk")
    mine = Activation.objects.create(name="Mine", model=followed.data_model, destination=followed.destination)
    mine.schedules.create(kind="after", after=followed)
    count = Activation.objects.count()
    answer = person.post("/admin/start/demo/remove/", follow=True)
    assert "“Mine” runs after an activation of the demo" in answer.content.decode()
    assert Activation.objects.count() == count
    mine.delete()
    assert loading.remove() == []


def test_source_of_a_person_with_a_name_of_the_demo_is_never_removed(
    person: Client, simulated: None, idle: None
) -> None:
    own = Source.objects.create(name="Demo shop", engine="sqlite", config={"path": "demo/companies.sqlite3"})
    assert not loading.state().loaded
    assert loading.remove() == []
    Source.objects.update(name="Own")
    loading.load()
    Run.objects.update(state=Run.State.CANCELLED)
    Source.objects.exclude(pk=own.pk).update(name="Renamed")
    Source.objects.filter(pk=own.pk).update(name="Demo shop")
    assert loading.state().loaded
    assert loading.remove() == []
    assert list(Source.objects.all()) == [own]


def test_row_of_a_restored_database_is_not_taken_for_the_demo_s(person: Client, simulated: None, idle: None) -> None:
    loading.load()
    Run.objects.update(state=Run.State.CANCELLED)
    Source.objects.update(created_at=timezone.now())
    loading.remove()
    assert Source.objects.exists()


def test_demo_never_overwrites_what_has_its_names(person: Client, simulated: None) -> None:
    Segment.objects.create(
        name="Paying companies in France and Germany",
        model=DataModel.objects.create(
            name="Other",
            source=Source.objects.create(name="Other", engine="csv", config={}),
            table="other",
            primary_key="id",
        ),
    )
    with pytest.raises(Misconfigured, match="Paying companies in France and Germany"):
        loading.load()
    assert not Connection.objects.exists()


def test_without_simulators_the_demo_says_what_it_needs(person: Client) -> None:
    answer = person.post("/admin/start/demo/load/", follow=True)
    assert "needs the simulators of Attio and Intercom" in answer.content.decode()


def test_two_people_can_not_load_the_demo_at_the_same_time(
    person: Client, simulated: None, idle: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str] = []
    write = data.write

    def interrupted(root: Path) -> Path:
        pages.append(person.post("/admin/start/demo/load/", follow=True).content.decode())
        return write(root)

    monkeypatch.setattr(data, "write", interrupted)
    loading.load()
    assert "being loaded or removed already" in pages[0]
    assert Run.objects.count() == 2


@pytest.mark.parametrize("missing", ["segments.delete_segment", "destinations.delete_destination"])
def test_demo_is_removed_by_those_who_may_delete_all_of_it(db: None, simulated: None, idle: None, missing: str) -> None:
    loading.load()
    app, _, codename = missing.partition(".")
    user = User.objects.create_user("some", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(content_type__app_label=app, codename=codename))
    browser = Client()
    browser.force_login(user)
    assert browser.post("/admin/start/demo/remove/").status_code == 403
    assert Run.objects.exists()
