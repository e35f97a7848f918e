"""Warnings that no run finds, because they are about runs that don't happen or don't end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from activations.alerts import watch
from activations.models import Activation, Run, Schedule, SkippedSlot, Warning
from tests.activations.alerts.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def hourly(to_attio: Activation) -> Schedule:
    return Schedule.objects.create(activation=to_attio, every=1, unit="hours", anchored_at=NOON, settled_until=NOON)


def completed(activation: Activation, at: datetime, number: int = 1, state: str = "succeeded") -> Run:
    run = Run.objects.create(activation=activation, number=number, state=state, trigger="schedule")
    Run.objects.filter(pk=run.pk).update(finished_at=at, created_at=at)
    return run


def kinds_open() -> list[str]:
    return list(Warning.objects.filter(closed_at=None).values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("slots", "number", "hour", "overdue"),
    [((1, 2), 2, 3, True), ((1, 2), 2, 2, False), ((1,), 2, 9, False), ((3, 1, 2), 2, 3, True), ((1, 2), 0, 9, False)],
)
def test_age_is_counted_in_slots_that_are_over(slots: Sequence[int], number: int, hour: int, overdue: bool) -> None:
    due = [NOON + slot * HOUR for slot in slots]
    assert bool(watch.overdue_since(due, number, NOON + hour * HOUR)) is overdue


def test_no_success_for_two_intervals_is_stale_and_one_is_not(hourly: Schedule) -> None:
    completed(hourly.activation, NOON)
    completed(hourly.activation, NOON + HOUR, 2, "failed")
    watch.look(NOON + 1.5 * HOUR)
    assert kinds_open() == []
    watch.look(NOON + 2.2 * HOUR)
    assert kinds_open() == ["stale"]
    assert "No run has completed since 2026-11-29 12:00 UTC" in Warning.objects.get().message


def test_run_that_is_at_work_and_a_paused_activation_are_not_stale(hourly: Schedule) -> None:
    run = completed(hourly.activation, NOON, state="delivering")
    watch.look(NOON + 9 * HOUR)
    assert kinds_open() == []
    Run.objects.filter(pk=run.pk).update(state="failed")
    watch.look(NOON + 9 * HOUR)
    assert kinds_open() == ["stale"]
    Activation.objects.update(paused=True)
    watch.look(NOON + 10 * HOUR)
    assert kinds_open() == []


def test_limit_of_the_age_can_be_switched_off(hourly: Schedule) -> None:
    Activation.objects.update(thresholds={"stale_intervals": None})
    watch.look(NOON + 9 * HOUR)
    assert kinds_open() == []


def test_run_that_takes_longer_than_its_limit_is_reported_while_it_runs(hourly: Schedule) -> None:
    Activation.objects.update(thresholds={"run_minutes": 30})
    run = completed(hourly.activation, NOON, state="delivering")
    Run.objects.filter(pk=run.pk).update(started_at=NOON)
    watch.look(NOON + timedelta(minutes=29))
    assert kinds_open() == []
    watch.look(NOON + timedelta(minutes=31))
    assert kinds_open() == ["slow_run"]


def test_missed_slots_are_reported_unless_a_run_caught_them_up(hourly: Schedule) -> None:
    completed(hourly.activation, NOON)
    slot = SkippedSlot.objects.create(
        schedule=hourly, reason="caught_up", first_due_at=NOON + HOUR, last_due_at=NOON + HOUR
    )
    watch.look(NOON + 1.1 * HOUR)
    assert kinds_open() == []
    SkippedSlot.objects.filter(pk=slot.pk).update(reason="missed")
    watch.look(NOON + 1.1 * HOUR)
    assert kinds_open() == ["schedule_missed"]
    assert Warning.objects.get().message.startswith("1 run was not started")
