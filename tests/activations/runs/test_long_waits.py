"""A vendor that accepts no more requests for hours: the run ends in words, and continues then and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from activations import tasks
from activations.models import Activation, Run, Schedule
from activations.runs import outages
from core.errors import Unavailable
from destinations.models import Budget
from destinations.sandbox.wire import Fault
from tests.activations.conftest import run, writes
from tests.activations.scheduling.clock import make_due

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop
    from tests.activations.memory_story import Story

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def daily_limit(hours: float = 7, **what: Any) -> Unavailable:
    moment = datetime.now(UTC) + timedelta(hours=hours)
    return Unavailable("daily_limit", "The daily limit is reached.", throttled=True, not_before=moment, **what)


def refused(story: Story, refusal: Unavailable) -> Run:
    story.rows(("1", "m", "A", "B"), ("2", "n", "A", "B"))
    story.vendor.refusal = refusal
    return story.run()


def test_run_ends_and_says_when_it_continues(story: Story) -> None:
    refusal = daily_limit()
    ended = refused(story, refusal)
    assert (ended.state, ended.error_code, ended.accepted, ended.not_sent) == ("failed", "unavailable", 0, 2)
    assert ended.continue_at == refusal.not_before
    assert f"Memory accepts no more requests until {refusal.not_before:%Y-%m-%d %H:%M} UTC." in ended.error_message
    assert ended.error_message.startswith("The daily limit is reached.")
    assert ended.error_message.endswith("the rest is sent automatically then.")


def test_long_retry_after_ends_the_run_as_well(story: Story) -> None:
    ended = refused(story, Unavailable("busy", "Too busy.", retry_after=7200.0))
    assert ended.continue_at is not None
    assert abs(ended.continue_at - datetime.now(UTC) - 2 * HOUR) < timedelta(minutes=2)


def test_paused_activation_is_not_said_to_continue_automatically(story: Story) -> None:
    Activation.objects.update(paused=True)
    assert refused(story, daily_limit()).error_message.endswith("the rest is sent with the next run after that.")


@pytest.mark.parametrize("seconds", [99999999999999.0, float("inf"), 10.0**300])
def test_senseless_wait_is_cut_short_and_never_stored_beyond_the_limit(story: Story, seconds: float) -> None:
    ended = refused(story, Unavailable("throttled", "Slow down.", throttled=True, retry_after=seconds))
    assert ended.continue_at is not None
    assert ended.continue_at <= datetime.now(UTC) + 36 * HOUR
    now = datetime.now(UTC).timestamp()
    assert all(max(budget.next_at, budget.blocked_until) <= now + 36 * 3600 for budget in Budget.objects.all())


def test_no_request_is_sent_until_then_whoever_starts_a_run(story: Story) -> None:
    refused(story, daily_limit())
    story.vendor.refusal = None
    story.vendor.batches.clear()
    again = story.run("manual")
    assert (again.state, again.error_code, again.write_requests, again.rows) == ("failed", "unavailable", 0, 0)
    assert again.continue_at is not None
    assert "Memory accepts no more requests until" in again.error_message
    assert story.vendor.batches == []
    assert story.run("manual", dry_run=True).state == "planned"


def test_run_continues_then_and_not_before(story: Story) -> None:
    ended = refused(story, daily_limit(hours=7))
    story.vendor.refusal = None
    now = timezone.now()
    assert outages.continue_later(now + 6 * HOUR) == []
    Budget.objects.update(blocked_until=now.timestamp() - 1)
    (next_run,) = outages.continue_later(now + 7 * HOUR)
    assert (next_run.trigger, next_run.pk > ended.pk) == ("catch_up", True)
    assert story.resume(next_run.pk).accepted == 2


def test_schedule_starts_no_run_before_then(story: Story) -> None:
    refused(story, daily_limit())
    schedule = Schedule.objects.create(activation=story.activation, kind="interval", every=1, unit="minutes")
    make_due(schedule)
    tasks.fire(schedule.pk)
    assert Run.objects.count() == 1
    Run.objects.update(continue_at=timezone.now() - HOUR)
    make_due(schedule)
    tasks.fire(schedule.pk)
    assert Run.objects.count() == 2


def test_limit_that_planning_meets_ends_the_run_too(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = daily_limit()

    def refuse(client: Any) -> None:
        raise refusal

    monkeypatch.setattr(story.environment.service, "fields", refuse)
    story.rows(("1", "m", "A", "B"))
    assert story.run().continue_at == refusal.not_before
    assert {round(budget.blocked_until) for budget in Budget.objects.all()} == {round(refusal.not_before.timestamp())}  # type: ignore[union-attr]


def test_clock_that_is_set_back_does_not_stop_the_activation(story: Story) -> None:
    ended = refused(story, daily_limit())
    Run.objects.update(continue_at=timezone.now() + timedelta(days=400), finished_at=timezone.now() + 300 * HOUR)
    Budget.objects.update(
        blocked_until=(timezone.now() + timedelta(days=400)).timestamp(),
        next_at=(timezone.now() + timedelta(days=400)).timestamp(),
    )
    story.vendor.refusal = None
    (next_run,) = outages.continue_later(timezone.now())
    assert story.resume(next_run.pk).accepted == ended.not_sent
    Run.objects.update(continue_at=None, state="failed", error_code="unavailable")
    Run.objects.update(finished_at=timezone.now() + timedelta(days=400))
    assert len(outages.continue_later(timezone.now())) == 1


def test_vendors_header_of_a_day_ends_the_run_and_the_workspace_sends_again_afterwards(
    to_attio: Activation, attio: Sandbox, shop: Shop
) -> None:
    shop.fill(3)
    attio.faults.append(Fault("reply", "PUT", "/records", status=429, headers={"Retry-After": "86400"}))
    ended = run(to_attio)
    assert (ended.state, ended.error_code) == ("failed", "unavailable")
    assert "Attio accepts no more requests until" in ended.error_message
    writes(attio)
    assert run(to_attio).state == "failed"
    assert writes(attio) == []
    Budget.objects.update(blocked_until=timezone.now().timestamp() - 1)
    assert run(to_attio).accepted + ended.accepted == 3
