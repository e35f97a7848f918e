"""A mapping that is added later applies to all records or from now on, as chosen when a run first plans with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations.models import Run
from tests.activations.environment import TRIES
from tests.activations.memory_story import Story, die_in
from tests.activations.vendor import KILLED_AFTER, LOST_BEFORE, UNREACHABLE, Immovable, Movable

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)


def test_mapping_from_now_on_hides_no_unanswered_write(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.add_mapping("x", "c", "new")
    assert story.run().unchanged == 1
    story.rows(("1", "m", "B", "A"))
    story.vendor.faults = {"m": [LOST_BEFORE] * TRIES}
    assert story.run().unknown == 1
    assert story.run().accepted == 1
    assert [record["c"] for record in story.vendor.records.values()] == ["B"]


def test_mapping_from_now_on_sends_an_empty_value_once_it_is_filled(story: Story) -> None:
    story.rows(("1", "m", None, "A"))
    story.run()
    story.add_mapping("x", "c", "new")
    assert story.run().unchanged == 1
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert [record["c"] for record in story.vendor.records.values()] == ["A"]


@pytest.mark.parametrize("service", [Movable, Immovable])
@pytest.mark.parametrize("value", ["A", None])
def test_mapping_from_now_on_stays_unsent_when_a_later_one_applies_to_all_records(
    begin: Callable[[type[Movable]], Story], service: type[Movable], value: str | None
) -> None:
    """What must be at the destination depends on the choice for each mapping, not on the activation's latest one."""
    story = begin(service)
    story.rows(("1", "m", value, "A"))
    assert [story.run().planned for _ in range(2)] == [1, 0]
    story.add_mapping("x", "d", "new")
    assert [story.run().planned for _ in range(4)] == [0] * 4
    story.add_mapping("x", "c", "all")
    assert [story.run().planned for _ in range(2)] == [int(value is not None), 0]
    assert story.at_vendor("a", "c", "d") == {"m": (value, value, None)}
    story.rows(("1", "m", "B", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor("a", "c", "d") == {"m": ("B", "B", "B")}


def test_choice_can_change_until_the_first_run_with_the_mapping(story: Story) -> None:
    """A dry run shows what would be sent, and settles nothing: a person may still choose otherwise."""
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.add_mapping("x", "c", "all")
    assert story.run(dry_run=True).planned == 1
    story.add_mapping("x", "d", "new")
    assert (story.run().planned, story.at_vendor("c", "d")) == (0, {"m": (None, None)})


@pytest.mark.parametrize("backfill", ["all", "new"])
def test_mapping_for_all_records_is_sent_for_a_rejected_row_despite_a_later_choice(story: Story, backfill: str) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "A"))
    story.run()
    story.vendor.rejected = {"B"}
    story.add_mapping("x", "c", "all")
    assert ((done := story.run()).accepted, done.rejected) == (1, 1)
    story.vendor.rejected = set()
    story.add_mapping("y", "d", backfill)
    story.run()
    assert story.at_vendor("c") == {"m": ("A",), "n": ("B",)}


def test_mapping_for_all_records_is_sent_after_a_failed_run_despite_a_later_choice(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BREAKER_FAILURES", 1)
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.run()
    story.add_mapping("x", "c", "all")
    story.vendor.faults = {"n": [UNREACHABLE] * TRIES}
    assert story.run().state == "failed"
    story.vendor.faults = {}
    story.add_mapping("x", "d", "new")
    story.run()
    assert story.at_vendor("c", "d") == {"m": ("A", None), "n": ("A", None)}


def test_mapping_from_now_on_stays_unsent_for_a_returning_row_despite_a_later_choice(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows()
    story.add_mapping("x", "d", "new")
    story.run()
    story.rows(("1", "m", "A", "A"))
    story.add_mapping("x", "c", "all")
    story.run()
    assert story.at_vendor("c", "d") == {"m": ("A", None)}


def test_mapping_from_now_on_stays_unsent_when_its_first_run_is_cancelled_while_it_plans(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.run()
    story.rows(("1", "m", "A", "A"), ("2", "n", "bad", "A"))
    story.add_mapping("x", "d", "new")
    die_in(monkeypatch, "delivering")
    live = story.run_until_killed()
    Run.objects.filter(pk=live).update(cancel_requested=True)
    assert story.resume(live).state == "cancelled"
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.add_mapping("x", "c", "all")
    story.run()
    assert story.at_vendor("c", "d") == {"m": ("A", None), "n": ("A", None)}


def test_mapping_from_now_on_that_is_added_during_a_run_stays_unsent_for_its_records(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.vendor.faults = {"m": [KILLED_AFTER]}
    live = story.run_until_killed()
    story.add_mapping("x", "d", "new")
    assert story.resume(live).accepted == 2
    assert (story.run().planned, story.at_vendor("d")) == (0, {"m": (None,), "n": (None,)})


def test_change_after_a_rejection_in_the_first_run_of_a_mapping_from_now_on_is_sent(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.vendor.rejected = {"B"}
    story.add_mapping("x", "d", "new")
    story.rows(("1", "m", "B", "A"))
    assert story.run().rejected == 1
    story.vendor.rejected = set()
    story.rows(("1", "m", "C", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor("d") == {"m": ("C",)}
