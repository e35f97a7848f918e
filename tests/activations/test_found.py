"""What the state machine found, each as the shortest story that shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activations import finish, listing, runs
from activations.execute import execute
from activations.lease import Lease
from activations.models import Activation, Record, Run
from tests.activations.conftest import map_fields, run
from tests.activations.machine import TRIES, World
from tests.activations.vendor import KILLED_AFTER, LOST_AFTER, LOST_BEFORE, MATCH, UNREACHABLE, Immovable, Killed, Movable, Vendor

pytestmark = pytest.mark.django_db(transaction=True)


class Story:
    """A source, a vendor in memory, and an activation with a ← x (kept when empty) and b ← y (cleared when empty)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.vendor: Vendor = world.platform.vendor
        self.activation = Activation.objects.create(
            name="Things", model=world.model, destination=world.destination, match_column="match", match_field=MATCH
        )
        map_fields(self.activation, {"column": "x", "target": "a"}, {"column": "y", "target": "b", "when_empty": "clear"})

    def rows(self, *rows: tuple[Any, ...]) -> None:
        """(id, match, x, y) each."""
        self.world.source([dict(zip(("id", "match", "x", "y"), row, strict=True), z=None) for row in rows])

    def run(self, trigger: str = "schedule", **options: Any) -> Run:
        return run(Activation.objects.get(), trigger, **options)

    def add(self, column: str, target: str, backfill: str) -> None:
        """Maps one more attribute, with what the activation says of fields that are added later."""
        Activation.objects.update(backfill=backfill)
        map_fields(self.activation, {"column": column, "target": target})

    def held(self, *attributes: str) -> dict[str, tuple[Any, ...]]:
        """These attributes by match."""
        return {str(record[MATCH]): tuple(record[name] for name in attributes) for record in self.vendor.records.values()}

    def at_vendor(self) -> dict[str, tuple[Any, Any]]:
        """(a, b) by match."""
        return {str(record[MATCH]): (record["a"], record["b"]) for record in self.vendor.records.values()}

    def sent(self) -> list[dict[str, Any]]:
        """What the requests held, and forgets them."""
        found = [dict(request.values) for request in self.vendor.requests]
        self.vendor.requests.clear()
        return found

    def dies(self) -> int:
        """A scheduled run whose worker dies; its lease is over."""
        asked = runs.request(Activation.objects.get(), "schedule", enqueue=False)
        with pytest.raises(Killed):
            execute(asked.pk)
        Run.objects.filter(pk=asked.pk).update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
        return asked.pk

    def goes_on(self, run_id: int) -> Run:
        while execute(run_id):
            pass
        return Run.objects.get(pk=run_id)


@pytest.fixture
def begin(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Movable]], Story]:
    settings.SOURCE_FILES_ROOT = tmp_path
    monkeypatch.setattr("activations.decide.ATTEMPTS", TRIES)
    monkeypatch.setattr("activations.decide.BACKOFF_SECONDS", 0.0)
    return lambda service: Story(World(tmp_path / "rows.sqlite3", service, monkeypatch))


@pytest.fixture
def story(begin: Callable[[type[Movable]], Story]) -> Story:
    return begin(Movable)


def test_who_never_reached_the_vendor_was_not_sent_and_is_no_refusal(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.vendor.faults = {"m": [UNREACHABLE] * TRIES}
    done = story.run()
    assert (done.not_sent, done.rejected, done.state) == (1, 0, "completed_with_warnings")
    assert story.run().accepted == 1


def test_a_run_whose_worker_dies_while_it_fails_does_not_look_complete(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.decide.BREAKER_FAILURES", 1)
    story.rows(("1", "m", "A", "A"))
    story.vendor.faults = {"m": [UNREACHABLE] * 2}
    end = finish._end

    def die(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(finish, "_end", end)
        raise Killed

    monkeypatch.setattr(finish, "_end", die)
    done = story.goes_on(story.dies())
    assert (done.state, done.error_code, done.not_sent) == ("failed", "unavailable", 1)


def test_what_a_dead_worker_may_have_sent_stays_in_doubt(story: Story) -> None:
    """A → B was applied by a worker that died; the next one can't reach the vendor; the source returns to A."""
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", "m", "B", "A"))
    story.vendor.faults = {"m": [KILLED_AFTER, *[UNREACHABLE] * TRIES]}
    done = story.goes_on(story.dies())
    assert (done.unknown, story.at_vendor()) == (1, {"m": ("B", "A")})
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "A")}


def test_a_refusal_after_an_unanswered_write_leaves_doubt(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", "m", "B", "A"))
    story.vendor.faults = {"m": [LOST_AFTER]}
    write = story.vendor._write

    def refuse_the_second(*args: Any) -> Any:
        outcome = write(*args)
        story.vendor.refused = {"B"}
        return outcome

    story.vendor._write = refuse_the_second  # type: ignore[method-assign, assignment]
    assert story.run().rejected == 1
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "A")}


def test_a_record_made_anew_holds_nothing_of_the_one_that_is_gone(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.vendor.records.clear()
    story.rows(("1", "m", None, "B"))
    assert story.run().accepted == 1
    story.rows(("1", "m", "A", "B"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "B")}


def test_a_record_that_is_gone_and_refused_anew_is_sent_when_its_row_returns(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.vendor.records.clear()
    story.vendor.refused = {"B"}
    story.rows(("1", "m", "B", "A"))
    assert story.run().rejected == 1
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor() == {"m": ("A", "A")}


def test_a_mapping_from_now_on_hides_no_unanswered_write(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    Activation.objects.update(backfill="new")
    map_fields(story.activation, {"column": "x", "target": "c"})
    assert story.run().unchanged == 1
    story.rows(("1", "m", "B", "A"))
    story.vendor.faults = {"m": [LOST_BEFORE] * TRIES}
    assert story.run().unknown == 1
    assert story.run().accepted == 1
    assert [record["c"] for record in story.vendor.records.values()] == ["B"]


def test_a_record_found_in_insert_mode_after_a_death_is_left_alone(story: Story) -> None:
    Activation.objects.update(mode="insert")
    story.rows(("1", "m", "A", "A"))
    story.vendor.add("m", {"a": "theirs"})
    story.vendor.faults = {"m": []}
    find = story.world.service.find

    def die_once(*args: Any) -> Any:
        story.world.service.find = find  # type: ignore[method-assign]
        raise Killed

    story.world.service.find = die_once  # type: ignore[method-assign, assignment]
    done = story.goes_on(story.dies())
    assert (done.accepted, done.skipped, story.at_vendor()) == (0, 1, {"m": ("theirs", None)})


def die_in(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The worker dies at the fenced step that moves the run into this state."""
    fenced = Lease.fenced

    def mortal(lease: Lease, **changes: Any) -> Any:
        if changes.get("state") == name:
            monkeypatch.setattr(Lease, "fenced", fenced)
            raise Killed
        return fenced(lease, **changes)

    monkeypatch.setattr(Lease, "fenced", mortal)


def test_known_records_that_swap_are_known_although_planning_began_twice(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "B"))
    story.run()
    story.rows(("1", "n", "A", "A"), ("2", "m", "B", "B"))
    die_in(monkeypatch, "delivering")
    done = story.goes_on(story.dies())
    assert (done.new, done.known, story.at_vendor()) == (0, 2, {"n": ("A", "A"), "m": ("B", "B")})


def test_nothing_is_forgotten_by_a_plan_that_came_to_nothing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record would have gone to another key; the run is cancelled, and the source is as it was."""
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("2", "m", "B", "B"))
    die_in(monkeypatch, "delivering")
    live = story.dies()
    Run.objects.filter(pk=live).update(cancel_requested=True)
    assert story.goes_on(live).state == "cancelled"
    story.rows(("1", "m", "A", "A"))
    assert ((done := story.run()).planned, done.unchanged) == (0, 1)


def test_a_row_is_counted_once_although_planning_began_twice(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.rows(("1", None, "A", "A"))
    die_in(monkeypatch, "delivering")
    done = story.goes_on(story.dies())
    assert (done.rows, done.invalid) == (1, 1)


def test_twins_are_told_although_planning_began_twice(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "m", "A", "A"))
    die_in(monkeypatch, "delivering")
    done = story.goes_on(story.dies())
    assert (done.invalid, done.changes.filter(code="match_twin").count()) == (2, 2)


def test_leavers_are_counted_although_planning_began_twice(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows()
    die_in(monkeypatch, "delivering")
    assert story.goes_on(story.dies()).left == 1


def test_an_invalid_row_gives_its_former_match_free(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", None, "A", "A"), ("2", "m", "B", "B"))
    assert (first := story.run()).invalid == 1, first.counts()
    assert (again := story.run()).invalid == 1, again.counts()


def test_a_waiting_row_owns_its_match(story: Story) -> None:
    story.vendor.refused = {"A"}
    story.rows(("1", "m", "A", None))
    story.run()
    story.run()
    story.rows(("1", "m", "A", None), ("2", "m", "B", None))
    assert story.run().invalid == 2


def test_a_refused_row_that_returns_to_what_was_accepted_waits_for_nothing(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.vendor.refused = {"B"}
    story.rows(("1", "m", "B", "A"))
    assert story.run().rejected == 1
    story.rows(("1", "m", "A", "A"))
    done = story.run()
    assert (done.waiting, done.unchanged, done.state) == (0, 1, "succeeded")


def test_three_hundred_rows_of_one_key_are_three_hundred_invalid_rows(story: Story) -> None:
    story.rows(*[("1", f"m{number}", "A", "A") for number in range(300)])
    assert story.run().invalid == 300
    assert story.run().invalid == 300


def test_from_now_on_a_value_that_was_empty_is_sent_when_it_comes(story: Story) -> None:
    story.rows(("1", "m", None, "A"))
    story.run()
    Activation.objects.update(backfill="new")
    map_fields(story.activation, {"column": "x", "target": "c"})
    assert story.run().unchanged == 1
    story.rows(("1", "m", "A", "A"))
    assert story.run().accepted == 1
    assert [record["c"] for record in story.vendor.records.values()] == ["A"]


@pytest.mark.parametrize("service", [Movable, Immovable])
@pytest.mark.parametrize("value", ["A", None])
def test_a_field_from_now_on_stays_unsent_when_a_later_one_is_for_all_records(
    begin: Callable[[type[Movable]], Story], service: type[Movable], value: str | None
) -> None:
    """The promise that "all is at the destination" goes by the choice for each field, not by the activation's setting at the end."""
    story = begin(service)
    story.rows(("1", "m", value, "A"))
    assert [story.run().planned for _ in range(2)] == [1, 0]
    story.add("x", "d", "new")
    assert [story.run().planned for _ in range(4)] == [0] * 4
    story.add("x", "c", "all")
    assert [story.run().planned for _ in range(2)] == [int(value is not None), 0]
    assert story.held("a", "c", "d") == {"m": (value, value, None)}
    story.rows(("1", "m", "B", "A"))
    assert story.run().accepted == 1
    assert story.held("a", "c", "d") == {"m": ("B", "B", "B")}


def test_a_field_waits_for_its_first_run_with_the_last_choice(story: Story) -> None:
    """What a run will send is shown once the field is saved; whoever is shocked can still choose otherwise."""
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.add("x", "c", "all")
    assert story.run(dry_run=True).planned == 1
    story.add("x", "d", "new")
    assert (story.run().planned, story.held("c", "d")) == (0, {"m": (None, None)})


@pytest.mark.parametrize("backfill", ["all", "new"])
def test_a_field_for_all_records_is_still_due_for_a_refused_row_whatever_comes_later(story: Story, backfill: str) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "A"))
    story.run()
    story.vendor.refused = {"B"}
    story.add("x", "c", "all")
    assert ((done := story.run()).accepted, done.rejected) == (1, 1)
    story.vendor.refused = set()
    story.add("y", "d", backfill)
    story.run()
    assert story.held("c") == {"m": ("A",), "n": ("B",)}


def test_a_field_for_all_records_goes_on_after_a_cut_whatever_comes_later(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.decide.BREAKER_FAILURES", 1)
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.run()
    story.add("x", "c", "all")
    story.vendor.faults = {"n": [UNREACHABLE] * TRIES}
    assert story.run().state == "failed"
    story.vendor.faults = {}
    story.add("x", "d", "new")
    story.run()
    assert story.held("c", "d") == {"m": ("A", None), "n": ("A", None)}


def test_a_field_from_now_on_stays_unsent_for_a_returner_whatever_comes_later(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows()
    story.add("x", "d", "new")
    story.run()
    story.rows(("1", "m", "A", "A"))
    story.add("x", "c", "all")
    story.run()
    assert story.held("c", "d") == {"m": ("A", None)}


def test_a_field_from_now_on_stays_unsent_when_its_first_run_is_cut_while_it_plans(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.run()
    story.rows(("1", "m", "A", "A"), ("2", "n", "bad", "A"))
    story.add("x", "d", "new")
    die_in(monkeypatch, "delivering")
    live = story.dies()
    Run.objects.filter(pk=live).update(cancel_requested=True)
    assert story.goes_on(live).state == "cancelled"
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.add("x", "c", "all")
    story.run()
    assert story.held("c", "d") == {"m": ("A", None), "n": ("A", None)}


def test_a_field_from_now_on_that_came_during_a_run_is_not_sent_for_its_records(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.vendor.faults = {"m": [KILLED_AFTER]}
    live = story.dies()
    story.add("x", "d", "new")
    assert story.goes_on(live).accepted == 2
    assert (story.run().planned, story.held("d")) == (0, {"m": (None,), "n": (None,)})


def test_another_record_holds_nothing_of_the_former_one(begin: Callable[[type[Movable]], Story]) -> None:
    story = begin(Immovable)
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("1", "n", None, "A"))
    story.run()
    story.rows(("1", "n", "A", "A"))
    assert story.run().accepted == 1
    assert story.at_vendor()["n"] == ("A", "A")


def test_what_one_mode_skipped_another_one_takes_at_once(story: Story) -> None:
    Activation.objects.update(mode="update")
    story.rows(("1", "m", "A", "A"))
    assert story.run().skipped == 1
    Activation.objects.update(mode="upsert")
    assert story.run().accepted == 1


@pytest.mark.parametrize("service", [Movable, Immovable])
def test_a_returner_takes_back_the_record_that_another_key_wrote_to(
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


def test_a_returner_with_another_match_leaves_the_record_to_the_key_that_has_it(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    story.run()
    story.rows(("2", "m", "B", "B"))
    story.run()
    story.rows(("1", "n", "C", "C"), ("2", "m", "B", "B"))
    story.run()
    assert story.at_vendor() == {"n": ("C", "C"), "m": ("B", "B")}


def test_three_twins_are_told_once(story: Story) -> None:
    story.rows(*[(str(number), "m", "A", "A") for number in range(12)])
    story.run()
    assert story.run().changes.count() == 0


def test_a_trouble_that_returns_is_told_again(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "m", "A", "A"))
    story.run()
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    assert story.run().accepted == 2
    story.rows(("1", "m", "A", "A"), ("2", "m", "A", "A"))
    assert story.run().changes.filter(code="match_twin").count() == 2


def test_nothing_is_left_of_a_record_that_was_never_there(story: Story) -> None:
    assert (story.run().rows, Record.objects.count()) == (0, 0)


def test_who_left_and_who_came_back_is_counted_and_listed(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    story.run()
    story.rows(("2", "n", "A", "A"))
    gone = story.run()
    assert (gone.left, gone.returned, [row.key for row in listing.found(gone, "", "left")]) == (1, 0, ["1"])
    story.rows(("1", "m", "A", "A"), ("2", "n", "A", "A"))
    back = story.run()
    assert (back.left, back.returned, [row.key for row in listing.found(back, "", "returned")]) == (0, 1, ["1"])
    assert story.run().returned == 0


def test_a_reason_told_by_an_earlier_run_is_found_from_a_later_one(story: Story) -> None:
    story.rows(("1", None, "A", "A"), ("2", "n", "A", "A"))
    told = story.run().changes.get(outcome="invalid")
    later = story.run()
    (shown,) = listing.as_changes(later, "earlier", listing.found(later, "", "earlier"))
    assert (later.changes.count(), shown.key, shown.message) == (0, "1", f"Run 1: {told.message}")


def test_a_skipped_row_that_is_looked_at_again_is_told_once(story: Story) -> None:
    Activation.objects.update(mode="update")
    story.rows(("1", "m", "A", "A"))
    assert story.run().changes.get().outcome == "skipped"
    assert (story.run().skipped, story.run().changes.count()) == (1, 0)


def test_two_rows_may_swap_their_matches(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "B"), ("3", "o", "C", "C"))
    story.run()
    story.rows(("1", "n", "A", "A"), ("2", "m", "B", "B"), ("3", "o", "C", "C"))
    done = story.run()
    assert (done.known, done.accepted, story.at_vendor()) == (2, 2, {"n": ("A", "A"), "m": ("B", "B"), "o": ("C", "C")})
    story.sent()
    story.run()
    assert story.sent() == []


def test_a_chain_of_matches_moves_on(story: Story) -> None:
    story.rows(("1", "m", "A", "A"), ("2", "n", "B", "B"))
    story.run()
    story.rows(("1", "n", "A", "A"), ("2", "o", "B", "B"))
    assert story.run().accepted == 2
    assert story.at_vendor() == {"m": ("A", "A"), "n": ("A", "A"), "o": ("B", "B")}
    assert story.run().planned == 0


def test_a_dry_run_meets_no_live_run_and_is_none(story: Story) -> None:
    story.rows(("1", "m", "A", "A"))
    live = runs.request(story.activation, "schedule", enqueue=False)
    dry = runs.request(story.activation, "cli", dry_run=True, enqueue=False)
    execute(dry.pk)
    dry.refresh_from_db()
    assert (dry.pk == live.pk, dry.state, story.sent()) == (False, "planned", [])
    assert runs.request(story.activation, "schedule", enqueue=False).pk == live.pk
    assert runs.request(story.activation, "cli", full=True, enqueue=False).kind == "full"


def test_what_is_never_delivered_is_listed_or_counted(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.bundles.SIZE", 2)
    monkeypatch.setattr("activations.bundles.LISTED", 3)
    story.rows(*[(str(number), f"m{number}", "A", "A") for number in range(9)])
    dry = story.run("manual", dry_run=True)
    assert (dry.planned, dry.changes.count(), dry.bundles.count()) == (9, 4, 0)
    asked = runs.request(Activation.objects.get(), "schedule", enqueue=False)
    plan = Lease.fenced

    def cancel(lease: Lease, **changes: Any) -> Any:
        if changes.get("state") == "delivering":
            Run.objects.filter(pk=asked.pk).update(cancel_requested=True)
        return plan(lease, **changes)

    monkeypatch.setattr(Lease, "fenced", cancel)
    monkeypatch.setattr("activations.deliver.CANCEL_SECONDS", -1.0)
    done = story.goes_on(asked.pk)
    assert (done.state, done.accepted + done.not_sent, done.bundles.count()) == ("cancelled", 9, 0)
    assert story.run().planned == 9 - done.accepted


def test_twins_are_found_in_bundles(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.bundles.SIZE", 2)
    story.rows(*[(str(number), f"m{number}", "A", "A") for number in range(8)], ("8", "m0", "B", "B"))
    done = story.run()
    assert (done.accepted, done.invalid, "m0" in story.at_vendor()) == (7, 2, False)


def test_an_invalid_row_shows_the_value_that_does_not_fit(story: Story) -> None:
    story.rows(("1", "m", "bad", "A"))
    assert story.run().changes.get().values == {"a": "bad"}
