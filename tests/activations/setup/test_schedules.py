"""Schedules: their periodic tasks, when they fire next, and that no firing counts twice."""

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
    made = Schedule.objects.create(activation=activation, **values)
    schedules.sync(made)
    return made


def test_each_schedule_has_one_periodic_task_that_is_left_alone_where_nothing_changed(activation: Activation) -> None:
    made = schedule(activation, every=45)
    before = PeriodicTask.objects.get(name=f"schedule:{made.pk}")
    schedules.sync(made)
    after = PeriodicTask.objects.get(name=f"schedule:{made.pk}")
    assert (after.date_changed, after.interval.every, after.expire_seconds) == (before.date_changed, 45, 2700)


def test_pausing_disables_and_resuming_enables(activation: Activation) -> None:
    made = schedule(activation, every=45)
    for paused in (True, False):
        activation.paused = paused
        activation.save()
        schedules.sync_all(activation)
        assert PeriodicTask.objects.get(name=f"schedule:{made.pk}").enabled is not paused


def test_a_removed_schedule_fires_no_more(activation: Activation) -> None:
    schedules.remove(schedule(activation, every=45))
    assert not PeriodicTask.objects.filter(name__startswith="schedule:").exists()


def test_every_45_minutes_means_every_45_minutes(activation: Activation) -> None:
    made = schedule(activation, every=45)
    assert made.task
    made.task.last_run_at = NOON
    assert schedules.next_runs(made, NOON, 3) == [NOON + timedelta(minutes=45 * n) for n in (1, 2, 3)]


def test_a_cron_in_paris_keeps_its_hour_over_the_change_to_winter_time(activation: Activation) -> None:
    made = schedule(activation, kind="cron", cron="0 9 * * *", timezone=ZoneInfo("Europe/Paris"))
    before_the_change = datetime(2026, 10, 23, 12, tzinfo=UTC)
    hours = [moment.astimezone(UTC).hour for moment in schedules.next_runs(made, before_the_change, 3)]
    assert hours == [7, 8, 8]


def test_days_of_the_week_fire_on_those_days(activation: Activation) -> None:
    made = schedule(activation, kind="weekly", days=["monday", "wednesday"], at=time(9, 0))
    assert [moment.strftime("%A %H:%M") for moment in schedules.next_runs(made, NOON, 3)] == [
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
def test_a_schedule_that_can_never_fire_is_refused(activation: Activation, values: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        schedule(activation, **values)


def test_of_two_beats_only_one_firing_counts(activation: Activation) -> None:
    interval, cron = schedule(activation, every=15), schedule(activation, kind="cron", cron="*/15 * * * *")
    for made in (interval, cron):
        assert schedules.claim_firing(made, NOON)
        assert not schedules.claim_firing(made, NOON + timedelta(seconds=1))
        assert schedules.claim_firing(made, NOON + timedelta(minutes=15))
