"""Of several beat processes, one is active. Another takes over when it stops, or when its lease has ended."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from activations.models import BeatLease
from activations.scheduling import beat, standby
from dinmo.celery import app

DUE_SECONDS = 0.01

# Beat closes connections that are old, which ends a transaction.
pytestmark = pytest.mark.django_db(transaction=True)


class Beat(beat.Scheduler):
    """A scheduler that records what it starts instead of sending it."""

    producer = None

    def __init__(self) -> None:
        self.started: list[str] = []
        super().__init__(app=app)
        # It would save at the end of all tests.
        self._finalize.cancel()

    def setup_schedule(self) -> None:
        self.update_from_dict({"sweep": {"task": "activations.tasks.sweep", "schedule": DUE_SECONDS}})

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **options: Any) -> None:
        self.started.append(entry.name)

    def run(self) -> list[str]:
        """Ticks once the task is due, and renews the lease before. Returns what it has started."""
        self.started.clear()
        self.renew_at = 0.0
        time.sleep(DUE_SECONDS * 5)
        for _ in range(3):
            self.tick()
        return self.started


@pytest.fixture(autouse=True)
def _no_lease(db: None) -> None:
    BeatLease.objects.all().delete()


def expire() -> None:
    BeatLease.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_second_beat_starts_nothing_while_the_first_is_active() -> None:
    first, second = Beat(), Beat()
    assert first.run()[0] == "sweep"
    assert second.run() == []
    assert second.tick() == beat.STANDBY_SECONDS


def test_second_beat_takes_over_at_once_when_the_first_stops() -> None:
    first, second = Beat(), Beat()
    first.run()
    second.run()
    first.close()
    assert second.run()[0] == "sweep"
    assert first.run() == []


def test_second_beat_takes_over_when_the_lease_of_a_killed_one_has_ended() -> None:
    first, second = Beat(), Beat()
    first.run()
    assert second.run() == []
    expire()
    assert second.run()[0] == "sweep"


def test_beat_that_was_frozen_stops_when_it_wakes() -> None:
    first, second = Beat(), Beat()
    first.run()
    expire()
    second.run()
    assert first.run() == []


def test_beat_that_takes_over_knows_what_the_other_has_started() -> None:
    first, second = Beat(), Beat()
    second.schedule  # noqa: B018  # read before the first one starts anything
    first.run()
    first.close()
    stored = PeriodicTask.objects.get(name="sweep").total_run_count
    second.run()
    second.close()
    assert PeriodicTask.objects.get(name="sweep").total_run_count > stored


def test_late_release_leaves_the_lease_of_the_other_alone() -> None:
    standby.take("first")
    expire()
    assert standby.take("second")
    standby.release("first")
    assert not standby.take("first")


def test_database_that_fails_lets_no_beat_be_active(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Beat()
    first.run()
    monkeypatch.setattr(standby, "take", lambda owner: (_ for _ in ()).throw(OperationalError))
    assert first.run() == []
    monkeypatch.setattr(standby, "take", lambda owner: True)
    assert first.run()[0] == "sweep"
