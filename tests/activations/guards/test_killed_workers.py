"""A worker dies at every step of holding, approving and discarding a run: nothing is sent early, lost or repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from activations.execute import execute
from activations.guards import decide
from activations.models import Activation, HeldPlan, Record, Run
from activations.runs import requests
from tests.activations.vendor import Killed

if TYPE_CHECKING:
    from tests.activations.memory_story import Story

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [("1", "a", "one", "1"), ("2", "b", "two", "2")]
AFTER = [("1", "c", "one", "1"), ("2", "b", "two", "2"), ("3", "a", "three", "3")]
"""Row 3 takes over the record of row 1, which gets a new one."""
SENT = {"a": ("three", "3"), "b": ("two", "2"), "c": ("one", "1")}


def through_all_kills(story: Story, run: Run, before: bool) -> tuple[Run, int]:
    """Works on the run with workers that die at their first, second, third … step, until one lives. Counts the dead."""
    deaths = 0
    while True:
        story.environment.kill.arm(deaths + 1, before)
        try:
            while execute(run.pk):
                pass
            return Run.objects.get(pk=run.pk), deaths
        except Killed:
            deaths += 1
            Run.objects.filter(pk=run.pk).update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
        finally:
            story.environment.kill.arm(None, False)


def held(story: Story, before: bool) -> Run:
    story.rows(*BEFORE)
    story.run("manual")
    Activation.objects.update(hold_creates=0)
    story.rows(*AFTER)
    story.sent()
    run, deaths = through_all_kills(
        story, requests.request(Activation.objects.get(), "schedule", enqueue=False), before
    )
    assert deaths > 3
    assert (run.state, run.new, run.known, len(run.hold), story.sent()) == ("held", 1, 1, 1, [])
    assert HeldPlan.objects.count() == 1
    return run


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
def test_an_approved_plan_is_sent_completely(story: Story, before: bool) -> None:
    run = held(story, before)
    decide.approve(run, "ops", enqueue=False)
    run, deaths = through_all_kills(story, run, before)
    assert deaths > 3
    assert (run.accepted, run.not_sent, run.unknown) == (2, 0, 0)
    assert story.at_vendor() == SENT
    assert not HeldPlan.objects.exists()
    Activation.objects.update(hold_creates=None)
    story.sent()
    assert (story.run().unchanged, story.sent()) == (3, [])


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
def test_a_discarded_plan_leaves_everything_as_it_was(story: Story, before: bool) -> None:
    run = held(story, before)
    accepted = list(Record.objects.filter(key__in="12").order_by("key").values("match_digest", "remote_id"))
    assert all(record["remote_id"] for record in accepted)
    decide.discard(run, "ops", enqueue=False)
    run, deaths = through_all_kills(story, run, before)
    assert deaths > 0
    assert (run.state, run.not_sent, story.sent()) == ("cancelled", 2, [])
    story.rows(*BEFORE)
    assert (story.run().unchanged, story.sent()) == (2, [])
    assert list(Record.objects.filter(key__in="12").order_by("key").values("match_digest", "remote_id")) == accepted
