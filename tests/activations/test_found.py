"""Defects that the state machine found, each as the shortest sequence of runs that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from activations import finish
from activations.execute import execute
from activations.models import Activation, Record, Run
from activations.runs import requests
from activations.runs.lease import Lease
from activations.screens.run import record_list
from tests.activations.environment import TRIES
from tests.activations.memory_story import Story, die_in
from tests.activations.vendor import KILLED_AFTER, LOST_AFTER, UNREACHABLE, Immovable, Killed, Movable

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)


def test_record_that_never_reached_the_vendor_is_not_sent_rather_than_rejected(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.vendor.faults = {"m": [UNREACHABLE] * TRIES}
    done = story.run()
    assert (done.not_sent, done.rejected, done.state) == (1, 0, "completed_with_warnings")
    assert story.run().accepted == 1


def test_run_whose_worker_dies_while_it_fails_does_not_look_complete(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BREAKER_FAILURES", 1)
    story.rows(("1", "m", "A", "A"))
    story.vendor.faults = {"m": [UNREACHABLE] * 2}
    end = finish._end

    def die(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(finish, "_end", end)
        raise Killed

    monkeypatch.setattr(finish, "_end", die)
    done = story.resume(story.run_until_killed())
    assert (done.state, done.error_code, done.not_sent) == ("failed", "unavailable", 1)


def test_change_that_a_dead_worker_may_have_sent_stays_ambiguous(story: Story) -> None:
    """A → B was applied by a worker that died, the next one can't reach the vendor, and the source returns to A."""
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", "m", "B", "A"))
    story.vendor.faults = {"m": [KILLED_AFTER, *[UNREACHABLE] * TRIES]}
    done = story.resume(story.run_until_killed())
    assert (done.unknown, story.at_vendor()) == (1, {"m": ("B", "A")})
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "A")}


def test_rejection_after_an_unanswered_write_voids_the_baseline(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", "m", "B", "A"))
    story.vendor.faults = {"m": [LOST_AFTER]}
    write = story.vendor._write

    def reject_the_second(*args: Any) -> Any:
        outcome = write(*args)
        story.vendor.rejected = {"B"}
        return outcome

    story.vendor._write = reject_the_second  # type: ignore[method-assign, assignment]
    assert story.run().rejected == 1
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "A")}


def test_record_created_again_inherits_nothing_of_the_deleted_one(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.vendor.records.clear()
    story.rows(("1", "m", None, "B"))
    assert story.run().accepted == 1
    story.rows(("1", "m", "A", "B"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "B")}


def test_deleted_record_that_is_rejected_is_sent_when_its_row_returns(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.vendor.records.clear()
    story.vendor.rejected = {"B"}
    story.rows(("1", "m", "B", "A"))
    assert story.run().rejected == 1
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "A")}


def test_record_found_in_insert_mode_after_a_crash_is_left_alone(story: Story) -> None:
    Activation.objects.update(mode="insert")
    story.rows(("1", "m", "A", "A"))
    story.vendor.add("m", {"a": "theirs"})
    story.vendor.faults = {"m": []}
    find = story.environment.service.find

    def die_once(*args: Any) -> Any:
        story.environment.service.find = find  # type: ignore[method-assign]
        raise Killed

    story.environment.service.find = die_once  # type: ignore[method-assign, assignment]
    done = story.resume(story.run_until_killed())
    assert (done.accepted, done.skipped, story.at_vendor()) == (0, 1, {"m": ("theirs", None)})


def test_known_records_that_swap_matches_stay_known_although_planning_started_twice(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "B"))
    story.run()
    story.rows(("1", "n", "A", "A"), ("2", "m", "B", "B"))
    die_in(monkeypatch, "delivering")
    done = story.resume(story.run_until_killed())
    assert (done.new, done.known, story.at_vendor()) == (0, 2, {"n": ("A", "A"), "m": ("B", "B")})


def test_plan_of_a_run_that_is_cancelled_before_it_counts_voids_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A different key would have taken the record over, but the run is cancelled and the source is as it was."""
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("2", "m", "B", "B"))
    die_in(monkeypatch, "delivering")
    live = story.run_until_killed()
    Run.objects.filter(pk=live).update(cancel_requested=True)
    assert story.resume(live).state == "cancelled"
    story.rows(("1", "m", "A", "A"))
    assert ((done := story.run()).planned, done.unchanged) == (0, 1)


def test_row_is_counted_once_although_planning_started_twice(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.rows(("1", None, "A", "A"))
    die_in(monkeypatch, "delivering")
    done = story.resume(story.run_until_killed())
    assert (done.rows, done.invalid) == (1, 1)


def test_twins_are_reported_although_planning_started_twice(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "m", "A", "A"))
    die_in(monkeypatch, "delivering")
    done = story.resume(story.run_until_killed())
    assert (done.invalid, done.changes.filter(code="match_twin").count()) == (2, 2)


def test_records_that_left_are_counted_although_planning_started_twice(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows()
    die_in(monkeypatch, "delivering")
    assert story.resume(story.run_until_killed()).left == 1


def test_invalid_row_releases_its_previous_match(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", None, "A", "A"), ("2", "m", "B", "B"))
    assert (first := story.run()).invalid == 1, first.counts()
    assert (again := story.run()).invalid == 1, again.counts()


def test_waiting_row_keeps_its_match(story: Story) -> None:
    story.vendor.rejected = {"A"}
    story.rows(("1", "m", "A", None))
    story.run()
    story.run()
    story.rows(("1", "m", "A", None), ("2", "m", "B", None))
    assert story.run().invalid == 2


def test_rejected_row_that_returns_to_the_accepted_values_does_not_wait(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.vendor.rejected = {"B"}
    story.rows(("1", "m", "B", "A"))
    assert story.run().rejected == 1
    story.rows(("1", "m", "A", "A"))
    done = story.run()
    assert (done.waiting, done.unchanged, done.state) == (0, 1, "succeeded")


def test_every_one_of_300_rows_with_the_same_key_is_invalid(story: Story) -> None:
    story.rows(*[("1", f"m{number}", "A", "A") for number in range(300)])
    assert story.run().invalid == 300
    assert story.run().invalid == 300


def test_record_with_a_changed_match_inherits_nothing_of_the_previous_one(
    begin: Callable[[type[Movable]], Story],
) -> None:
    story = begin(Immovable)
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", "n", None, "A"))
    story.run()
    story.rows(("1", "n", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor()["n"] == ("A", "A")


def test_record_skipped_in_one_mode_is_sent_by_the_next_run_in_another(story: Story) -> None:
    Activation.objects.update(mode="update")
    story.rows(("1", "m", "A", "A"))
    assert story.run().skipped == 1
    Activation.objects.update(mode="upsert")
    assert story.run().accepted == 1


@pytest.mark.parametrize("service", [Movable, Immovable])
def test_returning_row_writes_again_to_the_record_that_a_different_key_took_over(
    begin: Callable[[type[Movable]], Story], service: type[Movable]
) -> None:
    story = begin(service)
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("2", "m", "B", "B"))
    story.run()
    story.rows(("1", "m", "A", "A"))
    story.run()
    assert story.at_vendor() == {"m": ("A", "A")}


def test_returning_row_with_a_different_match_leaves_the_record_to_its_new_key(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("2", "m", "B", "B"))
    story.run()
    story.rows(("1", "n", "C", "C"), ("2", "m", "B", "B"))
    story.run()
    assert story.at_vendor() == {"n": ("C", "C"), "m": ("B", "B")}


def test_twins_are_reported_once(story: Story) -> None:
    story.rows(*[(str(number), "m", "A", "A") for number in range(12)])
    story.run()
    assert story.run().changes.count() == 0


def test_problem_that_returns_is_reported_again(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "m", "A", "A"))
    story.run()
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    assert story.run().accepted == 2
    story.rows(("1", "m", "A", "A"), ("2", "m", "A", "A"))
    assert story.run().changes.filter(code="match_twin").count() == 2


def test_run_over_an_empty_source_stores_no_record(story: Story) -> None:
    assert (story.run().rows, Record.objects.count()) == (0, 0)


def test_records_that_left_or_returned_are_counted_and_listed(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.run()
    story.rows(("2", "n", "A", "A"))
    gone = story.run()
    assert (gone.left, gone.returned, [row.key for row in record_list.search(gone, "", "left")]) == (1, 0, ["1"])
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    back = story.run()
    assert (back.left, back.returned, [row.key for row in record_list.search(back, "", "returned")]) == (0, 1, ["1"])
    assert story.run().returned == 0


def test_reason_reported_by_an_earlier_run_is_listed_by_a_later_one(story: Story) -> None:
    story.rows(("1", None, "A", "A"), ("2", "n", "A", "A"))
    reported = story.run().changes.get(outcome="invalid")
    later = story.run()
    (shown,) = record_list.as_changes(later, "earlier", record_list.search(later, "", "earlier"))
    assert (later.changes.count(), shown.key, shown.message) == (0, "1", f"Run 1: {reported.message}")


def test_skipped_row_that_is_checked_again_is_reported_once(story: Story) -> None:
    Activation.objects.update(mode="update")
    story.rows(("1", "m", "A", "A"))
    assert story.run().changes.get().outcome == "skipped"
    assert (story.run().skipped, story.run().changes.count()) == (1, 0)


def test_two_rows_can_swap_their_matches(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "B"), ("3", "o", "C", "C"))
    story.run()
    story.rows(("1", "n", "A", "A"), ("2", "m", "B", "B"), ("3", "o", "C", "C"))
    done = story.run()
    assert (done.known, done.accepted, story.at_vendor()) == (2, 2, {"n": ("A", "A"), "m": ("B", "B"), "o": ("C", "C")})
    story.sent()
    story.run()
    assert story.sent() == []


def test_matches_can_move_along_a_chain_of_rows(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "B"))
    story.run()
    story.rows(("1", "n", "A", "A"), ("2", "o", "B", "B"))
    assert story.run().accepted == 2
    assert story.at_vendor() == {"m": ("A", "A"), "n": ("A", "A"), "o": ("B", "B")}
    assert story.run().planned == 0


def test_dry_run_ignores_live_runs_and_is_not_live_itself(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    live = requests.request(story.activation, "schedule", enqueue=False)
    dry = requests.request(story.activation, "cli", dry_run=True, enqueue=False)
    execute(dry.pk)
    dry.refresh_from_db()
    assert (dry.pk == live.pk, dry.state, story.sent()) == (False, "planned", [])
    assert requests.request(story.activation, "schedule", enqueue=False).pk == live.pk
    assert requests.request(story.activation, "cli", full=True, enqueue=False).kind == "full"


def test_change_that_is_never_delivered_is_listed_or_counted(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.storage.bundles.SIZE", 2)
    monkeypatch.setattr("activations.storage.bundles.LISTED", 3)
    story.rows(*[(str(number), f"m{number}", "A", "A") for number in range(9)])
    dry = story.run("manual", dry_run=True)
    assert (dry.planned, dry.changes.count(), dry.bundles.count()) == (9, 4, 0)
    requested = requests.request(Activation.objects.get(), "schedule", enqueue=False)
    plan = Lease.fenced

    def cancel(lease: Lease, **changes: Any) -> Any:
        if changes.get("state") == "delivering":
            Run.objects.filter(pk=requested.pk).update(cancel_requested=True)
        return plan(lease, **changes)

    monkeypatch.setattr(Lease, "fenced", cancel)
    monkeypatch.setattr("activations.delivery.deliver.CANCEL_SECONDS", -1.0)
    done = story.resume(requested.pk)
    assert (done.state, done.accepted + done.not_sent, done.bundles.count()) == ("cancelled", 9, 0)
    assert story.run().planned == 9 - done.accepted


def test_twins_are_found_in_bundles(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.storage.bundles.SIZE", 2)
    story.rows(*[(str(number), f"m{number}", "A", "A") for number in range(8)], ("8", "m0", "B", "B"))
    done = story.run()
    assert (done.accepted, done.invalid, "m0" in story.at_vendor()) == (7, 2, False)


def test_invalid_row_shows_the_value_that_does_not_fit(story: Story) -> None:
    story.rows(("1", "m", "bad", "A"))
    assert story.run().changes.get().values == {"a": "bad"}
