"""Schedules and the periodic tasks that wake them: each has one, which changes and goes with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from activations.models import Activation, Schedule
from activations.scheduling import definition, periodic_tasks
from activations.scheduling.beat import Entry, Scheduler, SlotTimes
from core.errors import Misconfigured
from destinations.models import Connection, Destination
from dinmo.celery import app
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
    periodic_tasks.sync(saved)
    return saved


def test_each_schedule_has_one_periodic_task_that_an_unchanged_save_leaves_alone(activation: Activation) -> None:
    saved = schedule(activation, every=45)
    before = PeriodicTask.objects.get(name=f"schedule:{saved.pk}")
    periodic_tasks.sync(saved)
    after = PeriodicTask.objects.get(name=f"schedule:{saved.pk}")
    assert (after.date_changed, after.interval.every, after.expire_seconds) == (before.date_changed, 45, 2700)


def test_pausing_disables_tasks_and_resuming_enables_them(activation: Activation) -> None:
    saved = schedule(activation, every=45)
    for paused in (True, False):
        activation.paused = paused
        activation.save()
        periodic_tasks.sync_all(activation)
        assert PeriodicTask.objects.get(name=f"schedule:{saved.pk}").enabled is not paused


def test_removed_schedule_no_longer_fires(activation: Activation) -> None:
    periodic_tasks.remove(schedule(activation, every=45))
    assert not PeriodicTask.objects.filter(name__startswith="schedule:").exists()


def test_every_45_minutes_means_every_45_minutes(activation: Activation) -> None:
    saved = schedule(activation, every=45, anchored_at=NOON)
    assert definition.next_runs(saved, NOON, 3) == [NOON + timedelta(minutes=45 * n) for n in (1, 2, 3)]


def test_cron_in_paris_keeps_its_hour_when_daylight_saving_time_ends(activation: Activation) -> None:
    saved = schedule(activation, kind="cron", cron="0 9 * * *", timezone=ZoneInfo("Europe/Paris"))
    before_the_change = datetime(2026, 10, 23, 12, tzinfo=UTC)
    hours = [time.astimezone(UTC).hour for time in definition.next_runs(saved, before_the_change, 3)]
    assert hours == [7, 8, 8]


def test_weekly_schedule_fires_on_its_days(activation: Activation) -> None:
    saved = schedule(activation, kind="weekly", days=["monday", "wednesday"], at=time(9, 0))
    assert [time.strftime("%A %H:%M") for time in definition.next_runs(saved, NOON, 3)] == [
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


def test_saving_a_changed_schedule_lets_beat_read_it_again(activation: Activation) -> None:
    saved = schedule(activation, every=45)
    before = PeriodicTask.objects.get().date_changed
    saved.ends_at = NOON
    saved.save()
    assert periodic_tasks.sync(saved) == "updated"
    assert PeriodicTask.objects.get().date_changed > before


def test_resumed_schedule_counts_from_now(activation: Activation) -> None:
    saved = schedule(activation, every=45)
    Activation.objects.update(paused=True)
    periodic_tasks.sync_all(activation)
    Schedule.objects.update(anchored_at=NOON, settled_until=NOON)
    Activation.objects.update(paused=False)
    periodic_tasks.sync_all(activation)
    saved.refresh_from_db()
    assert saved.anchored_at == saved.settled_until > NOON


def test_heal_restores_missing_altered_and_extra_tasks_and_says_so(activation: Activation) -> None:
    missing, altered = schedule(activation, every=45), schedule(activation, kind="cron", cron="0 7 * * *")
    PeriodicTask.objects.filter(name=f"schedule:{missing.pk}").delete()
    PeriodicTask.objects.filter(name=f"schedule:{altered.pk}").update(enabled=False)
    PeriodicTask.objects.create(name="schedule:999", task=periodic_tasks.TASK, interval=altered_interval())
    PeriodicTask.objects.create(name="by hand", task=periodic_tasks.TASK, interval=altered_interval())
    anchors = list(Schedule.objects.order_by("pk").values_list("anchored_at", flat=True))
    done = list(periodic_tasks.heal())
    assert [line.partition(":")[0] for line in done] == ["Created", "Updated", "Removed", "Removed"]
    assert set(PeriodicTask.objects.filter(task=periodic_tasks.TASK).values_list("name", "enabled")) == {
        (f"schedule:{missing.pk}", True),
        (f"schedule:{altered.pk}", True),
    }
    assert list(periodic_tasks.heal()) == []
    assert Schedule.objects.get(pk=missing.pk).anchored_at == anchors[0]


def altered_interval() -> IntervalSchedule:
    return IntervalSchedule.objects.get_or_create(every=7, period="minutes")[0]


def test_beat_wakes_a_schedule_at_its_slots_and_at_no_others(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = schedule(activation, kind="cron", cron="0 7 3 * fri", timezone=ZoneInfo("Europe/Paris"))
    entry = Entry(PeriodicTask.objects.get(pk=saved.task_id), app)
    assert isinstance(entry.schedule, SlotTimes)
    assert Scheduler.Entry is Entry

    def due(now: datetime, last: datetime) -> tuple[bool, float]:
        monkeypatch.setattr(entry.schedule, "now", lambda: now)
        is_due, seconds = entry.schedule.is_due(last)
        return is_due, seconds

    tuesday, friday = datetime(2026, 6, 2, 12, tzinfo=UTC), datetime(2026, 6, 5, 5, tzinfo=UTC)
    assert due(tuesday, tuesday) == (False, 17 * 3600)  # The 3rd is a Wednesday.
    assert due(friday, friday - timedelta(days=1)) == (True, 7 * 24 * 3600)
    assert due(friday + timedelta(minutes=1), friday)[0] is False
    assert due(friday - timedelta(hours=1), friday) == (False, 3600)  # The clock was set back.


def test_expression_of_an_earlier_version_goes_on_as_celery_reads_it(activation: Activation) -> None:
    days, _ = CrontabSchedule.objects.get_or_create(
        minute="0", hour="7", day_of_month="*", month_of_year="*", day_of_week="fri-mon"
    )
    saved = Schedule.objects.create(activation=activation, kind="cron", cron="0 7 L * *")
    kwargs = json.dumps({"schedule_id": saved.pk})
    task: Any = PeriodicTask.objects.create(name="s", task=periodic_tasks.TASK, crontab=days, kwargs=kwargs)
    assert isinstance(Entry(task, app).schedule, crontab)
