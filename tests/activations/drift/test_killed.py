"""A worker that is killed while it checks for drift, or restores, loses and repeats nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Change, Drift, FieldMapping, Run
from activations.runs import drift_checks, restores
from activations.scheduling import settle
from tests.activations.test_compare_first import Comparing
from tests.activations.vendor import Killed

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.contract import Field, Held
    from tests.activations.memory_story import Story
    from tests.activations.vendor import Movable

pytestmark = pytest.mark.django_db(transaction=True)


class Showing(Comparing):
    """Shows the values of its records."""

    slug = "memory.showing"

    def shown(self, field: Field, held: Held) -> Any:
        return held.values.get(field.name)


@pytest.fixture
def edited(begin: Callable[[type[Movable]], Story]) -> Story:
    """Six records, of which three were edited at the vendor."""
    story = begin(Showing)
    story.rows(*((str(n), f"m{n}", "A", "B") for n in range(1, 7)))
    story.run()
    for number in (2, 4, 5):
        remote_id = next(pk for pk, record in story.vendor.records.items() if record["key"] == f"m{number}")
        story.vendor.records[remote_id]["a"] = "theirs"
    story.vendor.requests.clear()
    return story


def killed(story: Story, run_id: int, step: int, before: bool) -> Run:
    """Executes a run whose worker is killed at this step, and again by a different worker to its end."""
    story.environment.kill.arm(step, before)
    with suppress(Killed):
        story.resume(run_id)
    story.environment.kill.arm(None, before)
    Run.objects.update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
    return story.resume(run_id)


BEFORE = pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])


@BEFORE
@pytest.mark.parametrize("step", range(1, 16))
def test_killed_check_finds_each_difference_once(edited: Story, step: int, before: bool) -> None:
    checked = drift_checks.check(Activation.objects.get(), "manual", enqueue=False)
    done = killed(edited, checked.pk, step, before)
    assert (done.state, done.planned, done.matched, done.updates) == ("succeeded", 6, 3, 3)
    found = Drift.objects.values_list("change__key", "field").order_by("change__key")
    assert list(found) == [("2", "a"), ("4", "a"), ("5", "a")]
    assert Change.objects.filter(run=done).count() == 3
    assert edited.vendor.requests == []


@BEFORE
@pytest.mark.parametrize("step", range(1, 14))
def test_killed_restore_sends_each_value(edited: Story, step: int, before: bool) -> None:
    checked = drift_checks.check(Activation.objects.get(), "manual", enqueue=False)
    edited.resume(checked.pk)
    started = restores.restore(restores.selected(checked), checked, "manual", enqueue=False)
    done = killed(edited, started.pk, step, before)
    assert set(edited.at_vendor().values()) == {("A", "B")}
    assert all(dict(request.values) == {"a": "A"} for request in edited.vendor.requests)
    assert 3 <= len(edited.vendor.requests) <= 4
    assert (done.unknown + done.not_sent + done.rejected, done.accepted + done.matched) == (0, 3)
    assert edited.run().planned == 0


@BEFORE
@pytest.mark.parametrize("step", range(8, 16))
def test_check_that_is_killed_at_its_end_still_restores_once(edited: Story, step: int, before: bool) -> None:
    FieldMapping.objects.filter(target="a").update(policy=FieldMapping.Policy.RESTORE)
    checked = drift_checks.check(Activation.objects.get(), "schedule", enqueue=False)
    killed(edited, checked.pk, step, before)
    settle.start_follow_ups(datetime.now(UTC))
    (started,) = Run.objects.filter(only_fields__isnull=False)
    edited.resume(started.pk)
    assert set(edited.at_vendor().values()) == {("A", "B")}
    assert len(edited.vendor.requests) == 3
