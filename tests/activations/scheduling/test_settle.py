"""Settling: each slot has exactly one run or a recorded reason, whoever settles it, whenever, and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from django.db import connection

from activations.models import Activation, Run, Schedule, SkippedSlot, SystemPause
from activations.runs import dispatch, requests
from activations.scheduling import periodic_tasks, settle
from tests.activations.scheduling.test_periodic_tasks import activation  # noqa: F401

START = datetime(2026, 6, 1, 9, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)


@pytest.fixture
def every_ten(activation: Activation) -> Schedule:  # noqa: F811
    return Schedule.objects.create(activation=activation, every=10, anchored_at=START, settled_until=START)


def at(hour_and_minute: str) -> datetime:
    hour, minute, *second = map(int, hour_and_minute.split(":"))
    return START.replace(hour=hour, minute=minute, second=second[0] if second else 0)


def end(run: Run, when: datetime, state: str = Run.State.SUCCEEDED, **changes: Any) -> None:
    Run.objects.filter(pk=run.pk).update(state=state, finished_at=when, **changes)
    settle.run_ended(run.pk, when)


def history(schedule: Schedule) -> list[str]:
    """What became of the slots, in order: `10 run`, `20-40 running`."""
    runs = [
        (run.due_at, f"{run.due_at:%M} {run.trigger}") for run in Run.objects.filter(schedule=schedule) if run.due_at
    ]
    skipped = [
        (slot.last_due_at, f"{slot.first_due_at:%M}-{slot.last_due_at:%M} {slot.number} × {slot.reason}")
        for slot in SkippedSlot.objects.filter(schedule=schedule)
    ]
    return [text for _, text in sorted([*runs, *skipped])]


class Case(NamedTuple):
    """What happens in order, and what became of the slots of an activation that runs every ten minutes from 09:00.

    Args:
        events: `09:10` looks at the slots at that time. `09:12 ends` ends the open run, `09:12 begins` lets a worker
            begin it, and `09:12 holds` holds it for approval.
    """

    says: str
    events: str
    expected: list[str]
    overlap: str = "skip"
    catch_up: bool = True


CASES = [
    Case("one run each", "09:10 / 09:12 ends / 09:20 / 09:22 ends", ["10 schedule", "20 schedule"]),
    Case("nothing before the first slot", "09:05 / 09:09:59", []),
    Case("looking twice starts one run", "09:10 / 09:10:01 / 09:10:30", ["10 schedule"]),
    Case("a look shortly after", "09:10:59", ["10 schedule"]),
    Case("a late look catches up", "09:12", ["10 catch_up"]),
    Case("a late look does nothing if that is the choice", "09:12", ["10-10 1 × missed"], catch_up=False),
    Case("down for three slots, caught up once", "09:38", ["10-20 2 × caught_up", "30 catch_up"]),
    Case("down for three slots, not caught up", "09:38", ["10-30 3 × missed"], catch_up=False),
    Case("back just in time for the last slot", "09:30:20", ["10-20 2 × caught_up", "30 schedule"]),
    Case("back just in time, older ones missed", "09:30:20", ["10-20 2 × missed", "30 schedule"], catch_up=False),
    Case("missed slots in a row are one record", "09:12 / 09:22 / 09:32", ["10-30 3 × missed"], catch_up=False),
    Case("a run in progress", "09:10 / 09:11 begins / 09:20 / 09:30", ["10 schedule", "20-30 2 × running"]),
    Case(
        "in progress, then ended",
        "09:10 / 09:11 begins / 09:20 / 09:25 ends / 09:30",
        ["10 schedule", "20-20 1 × running", "30 schedule"],
    ),
    Case(
        "skipped again after a run is a new record",
        "09:10 / 09:11 begins / 09:20 / 09:25 ends / 09:30 / 09:31 begins / 09:40",
        ["10 schedule", "20-20 1 × running", "30 schedule", "40-40 1 × running"],
    ),
    Case(
        "queued once, however many slots there are",
        "09:10 / 09:11 begins / 09:20 / 09:30 / 09:35 ends / 09:36 ends / 09:40",
        ["10 schedule", "20-30 2 × queued", "40 schedule"],
        overlap="queue",
    ),
    Case(
        "a run that no worker has begun needs no second one",
        "09:10 / 09:20 / 09:30 ends",
        ["10 schedule", "20-20 1 × running"],
        overlap="queue",
    ),
    Case("held", "09:10 / 09:11 holds / 09:20 / 09:30", ["10 schedule", "20-30 2 × held"]),
    Case("held runs never queue", "09:10 / 09:11 holds / 09:20", ["10 schedule", "20-20 1 × held"], overlap="queue"),
    Case("the clock steps back by two minutes", "09:10 / 09:10:30 ends / 09:08 / 09:09", ["10 schedule"]),
    Case("and reaches the slot again", "09:10 / 09:10:30 ends / 09:08 / 09:10:10", ["10 schedule"]),
    Case("and goes on", "09:10 / 09:10:30 ends / 09:08 / 09:20", ["10 schedule", "20 schedule"]),
    Case("a clock that was hours ahead", "12:10 / 12:11 ends / 09:11 / 09:20", ["20 schedule"]),
    Case(
        "both choices off and a run in progress",
        "09:10 / 09:11 begins / 09:32",
        ["10 schedule", "20-30 2 × missed"],
        catch_up=False,
    ),
    Case("down while a run is in progress", "09:10 / 09:11 begins / 09:32", ["10 schedule", "20-30 2 × running"]),
]


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_slots_have_the_stated_runs_and_reasons(case: Case, every_ten: Schedule) -> None:
    Activation.objects.update(overlap=case.overlap, catch_up=case.catch_up)
    for event in case.events.split(" / "):
        time, _, what = event.partition(" ")
        run = Run.objects.filter(state__in=Run.OPEN).first()
        if what == "ends":
            assert run
            end(run, at(time))
        elif what:
            state = {"begins": Run.State.DELIVERING, "holds": Run.State.HELD}[what]
            Run.objects.filter(state__in=Run.OPEN).update(state=state)
        else:
            settle.settle(every_ten.pk, at(time))
    assert history(every_ten) == case.expected


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_the_sweep_alone_gives_the_same(case: Case, every_ten: Schedule) -> None:
    with patch.object(settle, "settle", lambda pk, now: settle.settle_all(now)):
        test_slots_have_the_stated_runs_and_reasons(case, every_ten)


@pytest.mark.django_db
def test_run_that_was_due_meanwhile_starts_once_the_run_ends(every_ten: Schedule) -> None:
    Activation.objects.update(overlap="queue")
    settle.settle(every_ten.pk, at("09:10"))
    Run.objects.update(state=Run.State.PLANNING)
    for time in ("09:20", "09:30"):
        settle.settle(every_ten.pk, at(time))
    first = Run.objects.get()
    assert (first.follow_up, first.missed_firings) == (True, 2)
    end(first, at("09:35"))
    settle.start_follow_ups(at("09:36"))
    second = Run.objects.exclude(pk=first.pk).get()
    assert (second.state, second.trigger, second.due_at, second.follow_up) == ("queued", "schedule", None, False)
    end(second, at("09:37"))
    assert Run.objects.count() == 2


@pytest.mark.django_db
def test_sweep_starts_what_a_worker_that_died_at_the_end_left(every_ten: Schedule) -> None:
    Activation.objects.update(overlap="queue")
    settle.settle(every_ten.pk, at("09:10"))
    Run.objects.update(state=Run.State.FAILED, follow_up=True)
    settle.start_follow_ups(at("09:11"))
    assert Run.objects.filter(state=Run.State.QUEUED).count() == 1


@pytest.mark.django_db
def test_test_of_one_record_does_not_replace_the_run_that_is_due(every_ten: Schedule) -> None:
    test = requests.request(every_ten.activation, Run.Trigger.MANUAL, only_key="7")
    settle.settle(every_ten.pk, at("09:10"))
    assert history(every_ten) == ["10-10 1 × queued"]
    end(test, at("09:11"))
    assert Run.objects.filter(only_key="", trigger="schedule").count() == 1


@pytest.mark.django_db
def test_vendor_that_said_wait_is_a_reason(every_ten: Schedule) -> None:
    limited = requests.request(every_ten.activation, Run.Trigger.MANUAL)
    refusal = {"error_code": "unavailable", "continue_at": at("11:00")}
    end(limited, at("09:05"), Run.State.FAILED, **refusal)
    settle.settle(every_ten.pk, at("09:10"))
    settle.settle(every_ten.pk, at("09:20"))
    assert history(every_ten) == ["10-20 2 × vendor_wait"]
    settle.settle(every_ten.pk, at("11:00"))
    assert Run.objects.filter(schedule=every_ten).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("by", ["person", "system", "draft"])
def test_paused_activation_has_no_slots_and_none_to_catch_up_on(every_ten: Schedule, by: str) -> None:
    one = every_ten.activation
    if by == "system":
        pause = SystemPause.objects.create(activation=one, cause="source", since=START, next_check_at=START)
    else:
        Activation.objects.update(**{"paused" if by == "person" else "is_draft": True})
    for time in ("09:10", "09:20"):
        settle.settle(every_ten.pk, at(time))
        settle.settle_all(at(time))
    if by == "system":
        pause.delete()
    Activation.objects.update(paused=False, is_draft=False)
    settle.settle_all(at("09:25"))
    assert history(every_ten) == []
    settle.settle_all(at("09:30"))
    assert history(every_ten) == ["30 schedule"]


@pytest.mark.django_db
def test_resuming_counts_the_interval_from_then(every_ten: Schedule) -> None:
    periodic_tasks.resume(every_ten.activation, at("09:14"))
    settle.settle_all(at("09:23"))
    assert history(every_ten) == []
    settle.settle_all(at("09:24"))
    assert history(every_ten) == ["24 schedule"]


@pytest.mark.django_db
def test_two_schedules_of_one_activation_that_are_due_together_start_one_run(every_ten: Schedule) -> None:
    Activation.objects.update(overlap="queue")
    hourly = Schedule.objects.create(
        activation=every_ten.activation, kind="cron", cron="10 * * * *", settled_until=START
    )
    settle.settle_all(at("09:10"))
    assert history(every_ten) == ["10 schedule"]
    assert history(hourly) == ["10-10 1 × running"]
    end(Run.objects.get(), at("09:11"))
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_schedule_that_is_not_valid_does_not_stop_the_others(every_ten: Schedule) -> None:
    Schedule.objects.create(activation=every_ten.activation, kind="cron", cron="0 7 L * *", settled_until=START)
    settle.settle_all(at("09:10"))
    assert history(every_ten) == ["10 schedule"]


@pytest.mark.django_db
def test_mark_of_a_yearly_schedule_moves_along(every_ten: Schedule) -> None:
    Schedule.objects.update(kind="cron", cron="0 0 1 1 *")
    settle.settle_all(START + timedelta(days=2))
    assert Schedule.objects.get().settled_until == START + timedelta(days=2)


@pytest.mark.django_db
def test_old_records_of_slots_are_deleted(every_ten: Schedule) -> None:
    every_ten.skipped_slots.create(reason="missed", first_due_at=START, last_due_at=START)
    settle.prune(START + timedelta(days=89))
    assert SkippedSlot.objects.count() == 1
    settle.prune(START + timedelta(days=91))
    assert SkippedSlot.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("overlap", ["skip", "queue"])
def test_slot_that_many_settle_at_the_same_time_starts_one_run(every_ten: Schedule, overlap: str) -> None:
    Activation.objects.update(overlap=overlap)

    def look(_: int) -> None:
        try:
            settle.settle(every_ten.pk, at("09:10"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(look, range(16)))
    assert history(every_ten) == ["10 schedule"]
    assert not Run.objects.get().follow_up


class TestAfter:
    @pytest.fixture
    def follows(self, activation: Activation) -> Schedule:  # noqa: F811
        copy = Activation.objects.get(pk=activation.pk)
        copy.pk, copy.name = None, "B"
        copy.save()
        return Schedule.objects.create(activation=copy, kind="after", after=activation, settled_until=START)

    @staticmethod
    def run(schedule: Schedule, time: str, state: str = "succeeded", **values: Any) -> None:
        before = schedule.after
        assert before
        number = before.take_number("next_run_number")
        run = Run.objects.create(activation=before, number=number, trigger="manual", **values)
        end(run, at(time), state)

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("values", "starts"),
        [
            ({}, True),
            ({"state": "completed_with_warnings"}, True),
            ({"state": "failed"}, False),
            ({"state": "cancelled"}, False),
            ({"dry_run": True}, False),
            ({"only_key": "7"}, False),
        ],
    )
    def test_only_a_completed_run_of_all_records_starts_one(
        self, follows: Schedule, values: dict[str, Any], starts: bool
    ) -> None:
        self.run(follows, "09:10", **values)
        assert history(follows) == (["10 schedule"] if starts else [])

    @pytest.mark.django_db
    def test_each_completed_run_counts_once(self, follows: Schedule) -> None:
        self.run(follows, "09:10")
        settle.settle_all(at("09:10:30"))
        Run.objects.update(state="succeeded")
        self.run(follows, "09:20")
        assert history(follows) == ["10 schedule", "20 schedule"]

    @pytest.mark.django_db
    def test_completed_while_its_own_run_is_in_progress(self, follows: Schedule) -> None:
        Activation.objects.update(overlap="queue")
        self.run(follows, "09:10")
        Run.objects.filter(schedule=follows).update(state="planning")
        self.run(follows, "09:15")
        own = Run.objects.get(schedule=follows)
        end(own, at("09:16"))
        assert history(follows) == ["10 schedule", "15-15 1 × queued"]
        assert Run.objects.filter(activation=follows.activation).count() == 2

    @pytest.mark.django_db
    def test_sweep_finds_what_a_worker_that_died_left(self, follows: Schedule) -> None:
        with patch.object(settle, "run_ended", lambda run_id, now: None):
            self.run(follows, "09:10")
            self.run(follows, "09:11")
        settle.settle_all(at("09:11:30"))
        assert history(follows) == ["10-10 1 × caught_up", "11 schedule"]

    @pytest.mark.django_db
    def test_nothing_follows_while_it_is_paused(self, follows: Schedule) -> None:
        Activation.objects.filter(pk=follows.activation_id).update(paused=True)
        self.run(follows, "09:10")
        settle.settle_all(at("09:12"))
        Activation.objects.update(paused=False)
        settle.settle_all(at("09:13"))
        assert history(follows) == []

    @pytest.mark.django_db
    def test_start_and_end_bound_it(self, follows: Schedule) -> None:
        Schedule.objects.update(starts_at=at("09:15"), ends_at=at("09:25"))
        for time in ("09:10", "09:20", "09:30"):
            self.run(follows, time)
            Run.objects.update(state="succeeded")
        assert history(follows) == ["20 schedule"]
