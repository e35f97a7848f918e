"""A schedule that looks at the data: a run for each change, none without one, and a problem that is shown."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Run, Schedule
from activations.runs import dispatch, requests
from activations.scheduling import settle
from segments.models import DataModel, Source
from tests.activations.scheduling.test_periodic_tasks import activation  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db
START = datetime(2026, 6, 1, 9, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    settings.SOURCE_FILES_ROOT = tmp_path
    write(tmp_path / "shop.sqlite3", "create table companies (id integer, updated integer)")
    return tmp_path / "shop.sqlite3"


@pytest.fixture
def schedule(activation: Activation, path: Path) -> Schedule:  # noqa: F811
    Source.objects.update(config={"path": path.name})
    DataModel.objects.get().columns.create(name="updated", type="integer", native="INTEGER")
    marks = {"anchored_at": START, "settled_until": START}
    return Schedule.objects.create(activation=activation, kind="data_changed", every=5, **marks)


def write(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def look(schedule: Schedule, minute: int) -> int:
    """Looks at the data at a time. Returns how many runs there are then, all of them ended."""
    now = START + timedelta(minutes=minute, seconds=1)
    settle.settle(schedule.pk, now)
    Run.objects.filter(state="queued").update(state="succeeded", finished_at=now)
    return Run.objects.count()


def test_first_look_starts_a_run_only_if_there_was_none(schedule: Schedule) -> None:
    assert look(schedule, 5) == 1


def test_first_look_of_an_activation_that_has_run_only_remembers(schedule: Schedule, path: Path) -> None:
    requests.request(schedule.activation, Run.Trigger.MANUAL)
    Run.objects.update(state="succeeded")
    assert look(schedule, 5) == 1
    write(path, "insert into companies values (1, 1)")
    assert look(schedule, 10) == 2


def test_each_change_starts_one_run_and_no_change_none(schedule: Schedule, path: Path) -> None:
    assert [look(schedule, minute) for minute in (5, 6, 10, 15)] == [1, 1, 1, 1]
    write(path, "insert into companies values (1, 1)")
    assert [look(schedule, minute) for minute in (17, 20, 25)] == [1, 2, 2]
    assert Run.objects.latest("pk").due_at == START + timedelta(minutes=20)


def test_change_during_a_run_is_noticed_by_the_next_look(schedule: Schedule, path: Path) -> None:
    settle.settle(schedule.pk, START + timedelta(minutes=5))
    Run.objects.update(state="planning")
    write(path, "insert into companies values (1, 1)")
    settle.settle(schedule.pk, START + timedelta(minutes=10))
    assert [(one.reason, one.number) for one in schedule.skipped_slots.all()] == [("running", 1)]
    Run.objects.update(state="succeeded")
    assert [look(schedule, minute) for minute in (15, 20)] == [2, 2]


def test_column_decides_if_one_is_watched(schedule: Schedule, path: Path) -> None:
    Schedule.objects.update(watch_column="updated")
    write(path, "insert into companies values (1, 10)")
    assert look(schedule, 5) == 1
    write(path, "insert into companies values (2, 9)")
    assert look(schedule, 10) == 1
    write(path, "insert into companies values (3, 11)")
    assert look(schedule, 15) == 2


def test_signal_that_can_not_be_read_is_stored_and_starts_nothing(schedule: Schedule, path: Path) -> None:
    assert look(schedule, 5) == 1
    path.rename(path.with_suffix(".away"))
    assert [look(schedule, minute) for minute in (10, 15)] == [1, 1]
    schedule.refresh_from_db()
    assert "There is no file" in schedule.signal_problem
    path.with_suffix(".away").rename(path)
    assert look(schedule, 20) == 1
    schedule.refresh_from_db()
    assert schedule.signal_problem == ""


def test_source_without_a_counter_says_so(schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segments.isolation.reader.IsolatedReader.change_signal", lambda self, **_: None)
    assert look(schedule, 5) == 0
    schedule.refresh_from_db()
    assert "no change counter" in schedule.signal_problem


def test_page_of_the_activation_shows_what_started_no_run(schedule: Schedule, admin_client: Client) -> None:
    Schedule.objects.update(signal_problem="There is no file.")
    schedule.skipped_slots.create(reason="running", first_due_at=START, last_due_at=START, number=3)
    page = admin_client.get(f"/admin/activations/activation/{schedule.activation_id}/change/").content.decode()
    assert "The data could not be checked. There is no file." in page
    assert "A run was in progress" in page
    assert "3 times" in page


def test_activation_that_another_follows_can_not_be_deleted(schedule: Schedule, admin_client: Client) -> None:
    first = schedule.activation
    second = Activation.objects.get(pk=first.pk)
    second.pk, second.name = None, "B"
    second.save()
    Schedule.objects.create(activation=second, kind="after", after=first)
    address = f"/admin/activations/activation/{first.pk}/delete/"
    page = admin_client.post(address, {"post": "yes"}, follow=True).content.decode()
    assert "B runs after A. Change its schedule first." in page
    assert Activation.objects.filter(pk=first.pk).exists()
