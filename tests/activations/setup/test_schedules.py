"""Schedules: their periodic tasks, their next runs, and no firing that counts twice."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import PeriodicTask

from activations.models import Activation, Schedule
from activations.setup import schedules
from core.errors import Misconfigured
from destinations.models import Connection, Destination
from segments.models import DataModel, Source

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def activation() -> Activation:
    source = Source.objects.create(name="Shop", engine="sqlite")
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    connection = Connection.objects.create(name="Ours", platform="attio")
    destination = Destination.objects.create(name="Attio", connection=connection, service="attio.companies")
    return Activation.objects.create(
        name="A", model=model, destination=destination, match_column="d", match_field="domains"
    )


def schedule(activation: Activation, **values: Any) -> Schedule:
    saved = Schedule.objects.create(activation=activation, **values)
    schedules.sync(saved)
    return saved


def test_each_schedule_has_one_periodic_task_that_an_unchanged_save_leaves_alone(activation: Activation) -> None:
    saved = schedule(activation, every=45)
    before = PeriodicTask.objects.get(name=f"schedule:{saved.pk}")
    schedules.sync(saved)
    after = PeriodicTask.objects.get(name=f"schedule:{saved.pk}")
    assert (after.date_changed, after.interval.every, after.expire_seconds) == (before.date_changed, 45, 2700)


def test_pausing_disables_tasks_and_resuming_enables_them(activation: Activation) -> None:
    saved = schedule(activation, every=45)
    for paused in (True, False):
        activation.paused = paused
        activation.save()
        schedules.sync_all(activation)
        assert PeriodicTask.objects.get(name=f"schedule:{saved.pk}").enabled is not paused


def test_removed_schedule_no_longer_fires(activation: Activation) -> None:
    schedules.remove(schedule(activation, every=45))
    assert not PeriodicTask.objects.filter(name__startswith="schedule:").exists()


def test_every_45_minutes_means_every_45_minutes(activation: Activation) -> None:
    saved = schedule(activation, every=45)
    assert saved.task
    saved.task.last_run_at = NOON
    assert schedules.next_runs(saved, NOON, 3) == [NOON + timedelta(minutes=45 * n) for n in (1, 2, 3)]


def test_cron_in_paris_keeps_its_hour_when_daylight_saving_time_ends(activation: Activation) -> None:
    saved = schedule(activation, kind="cron", cron="0 9 * * *", timezone=ZoneInfo("Europe/Paris"))
    before_the_change = datetime(2026, 10, 23, 12, tzinfo=UTC)
    hours = [time.astimezone(UTC).hour for time in schedules.next_runs(saved, before_the_change, 3)]
    assert hours == [7, 8, 8]


def test_weekly_schedule_fires_on_its_days(activation: Activation) -> None:
    saved = schedule(activation, kind="weekly", days=["monday", "wednesday"], at=time(9, 0))
    assert [time.strftime("%A %H:%M") for time in schedules.next_runs(saved, NOON, 3)] == [
        "Monday 09:00",
        "Wednesday 09:00",
        "Monday 09:00",
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"every": 0},
        {"kind": "cron", "cron": "0 9 * *"},
        {"kind": "cron", "cron": "99 9 * * *"},
        {"kind": "cron", "cron": "*/x 9 * * *"},
        {"kind": "cron", "cron": "0 0 31 2 *"},
        {"kind": "cron", "cron": "words in a cron line here"},
        {"kind": "weekly", "days": [], "at": time(9)},
        {"kind": "weekly", "days": ["someday"], "at": time(9)},
        {"kind": "weekly", "days": ["monday"]},
    ],
)
def test_schedule_that_can_never_fire_is_refused(activation: Activation, values: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        schedule(activation, **values)


def test_only_one_of_two_beat_processes_counts(activation: Activation) -> None:
    interval, cron = schedule(activation, every=15), schedule(activation, kind="cron", cron="*/15 * * * *")
    for saved in (interval, cron):
        assert schedules.claim_firing(saved, NOON)
        assert not schedules.claim_firing(saved, NOON + timedelta(seconds=1))
        assert schedules.claim_firing(saved, NOON + timedelta(minutes=15))
