"""A short search over whole runs. `MACHINE_EXAMPLES` and `MACHINE_STEPS` make it longer, and random each time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.activations.environment import SMALL_LIMITS, Environment
from tests.activations.machine import Machine
from tests.activations.vendor import MATCH, AllOrNothing, Batching, Immovable, Movable

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "6"))
STEPS = int(os.environ.get("MACHINE_STEPS", "20"))

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[Immovable, Movable, Batching, AllOrNothing], ids=lambda service: service.__name__)
def machine(request: Any, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Machine]:
    settings.SOURCE_FILES_ROOT = tmp_path
    for name, value in SMALL_LIMITS.items():
        monkeypatch.setattr(f"activations.{name}", value)
    monkeypatch.setattr("activations.planning.writer.CHUNK", 2)
    Machine.environment = Environment(tmp_path / "rows.sqlite3", request.param, monkeypatch)
    return Machine


def test_runs_follow_the_rules_under_all_events(machine: type[Machine]) -> None:
    search(machine)


def search(machine: type[Machine]) -> None:
    """Runs random sequences of events, and shrinks one that fails."""
    run_state_machine_as_test(
        machine,
        settings=hypothesis.settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="MACHINE_EXAMPLES" not in os.environ,
            database=None,
            report_multiple_bugs=False,
            phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )


@pytest.mark.parametrize("machine", [Movable], indirect=True, ids=["Movable"])
def test_held_runs_follow_the_rules_under_all_events(machine: type[Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "guards", True)
    search(machine)


@pytest.mark.parametrize("mapped_again", [False, True], ids=["mapped before", "mapped again"])
def test_choice_for_a_mapping_still_holds_when_a_later_mapping_is_chosen_otherwise(
    machine: type[Machine], mapped_again: bool
) -> None:
    """A search ended here: `d`, from now on, was expected at the vendor once `c` was mapped for all records."""
    sequence = machine()
    sequence.add_first_rows(1)
    if mapped_again:
        sequence.remove_or_change_mapping(0, "", False)
    sequence.two_runs([])
    sequence.add_mapping("a", "x", False, False)
    sequence.add_mapping("d", "x", False, True)
    sequence.two_runs([])
    sequence.two_runs([])
    sequence.add_mapping("c", "x", False, False)
    sequence.two_runs([])
    (record,) = sequence.vendor.records.values()
    assert (record["a"], record["c"], record["d"]) == (None if mapped_again else "A", "A", None)


def test_choice_for_a_mapping_still_holds_when_its_first_run_is_cancelled_before_it_reads(
    machine: type[Machine],
) -> None:
    sequence = machine()
    sequence.add_first_rows(1)
    sequence.two_runs([])
    sequence.add_mapping("d", "x", False, True)
    sequence.run_that_is_cancelled([], 3)
    sequence.add_mapping("c", "x", False, False)
    sequence.two_runs([])
    (record,) = sequence.vendor.records.values()
    assert (record["c"], record["d"]) == ("A", None)


def test_row_that_shared_its_match_when_a_mapping_from_now_on_came_is_sent_its_next_value(
    machine: type[Machine],
) -> None:
    """A search ended here: the slot was filled before the twin was found, and then its column changed."""
    sequence = machine()
    sequence.add_first_rows(2)
    sequence.two_runs([])
    sequence.add_mapping("d", "x", False, True)
    sequence.two_runs([("add", "9", "m", "A", "A", 1)])
    sequence.remove_or_change_mapping(2, "z", False)
    sequence.two_runs([("remove", 2)])
    assert [record["d"] for record in sequence.vendor.records.values()] == [1, 1]


@pytest.mark.parametrize("decision", ["approved", "discarded"])
def test_held_run_takes_over_a_record_only_once_it_is_approved(machine: type[Machine], decision: str) -> None:
    """The second row is new and has the match value that the first one gives up: its record goes to the second."""
    sequence = machine()
    sequence.add_first_rows(1)
    sequence.two_runs([])
    events = [("add", "9", "m", "B", "B", 2), ("change", 0, "match", "n")]
    sequence.complete_run(events, "schedule", a_day_later=False, guarded=True)
    assert sequence.is_held
    later = [("change", 0, "x", "C")]
    if decision == "approved":
        sequence.held_run_is_approved(later, None, before=False, mode="insert")
    else:
        sequence.held_run_is_discarded(later, None, before=False)
    sent = {record[MATCH]: record["a"] for record in sequence.vendor.records.values()}
    assert ("n" in sent) == (decision == "approved")
    assert "C" not in sent.values()
    sequence.two_runs([])
    assert {record[MATCH]: record["a"] for record in sequence.vendor.records.values()} == {"n": "C", "m": "B"}
