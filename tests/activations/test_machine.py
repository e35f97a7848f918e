"""The search over whole runs, short; `MACHINE_EXAMPLES` and `MACHINE_STEPS` make it search for longer, another way each time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.activations.machine import SMALL, Machine, World
from tests.activations.vendor import Immovable, Movable

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "6"))
STEPS = int(os.environ.get("MACHINE_STEPS", "20"))

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[Immovable, Movable], ids=["immovable", "movable"])
def machine(request: Any, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Machine]:
    settings.SOURCE_FILES_ROOT = tmp_path
    for name, value in SMALL.items():
        monkeypatch.setattr(f"activations.{name}", value)
    monkeypatch.setattr("activations.spool.CHUNK", 2)
    Machine.world = World(tmp_path / "rows.sqlite3", request.param, monkeypatch)
    return Machine


def test_runs_follow_the_rules_whatever_happens(machine: type[Machine]) -> None:
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


@pytest.mark.parametrize("anew", [False, True], ids=["there before", "mapped anew"])
def test_what_a_mapping_was_chosen_to_send_holds_when_a_later_one_is_chosen_otherwise(machine: type[Machine], anew: bool) -> None:
    """A search ended here: `d`, from now on, was asked to be at the vendor once `c` was mapped for all rows."""
    story = machine()
    story.some_rows_are_there(1)
    if anew:
        story.a_mapping_is_removed_or_takes_another_column(0, "", False)
    story.two_runs([])
    story.a_mapping_is_added("a", "x", False, False)
    story.a_mapping_is_added("d", "x", False, True)
    story.two_runs([])
    story.two_runs([])
    story.a_mapping_is_added("c", "x", False, False)
    story.two_runs([])
    (record,) = story.vendor.records.values()
    assert (record["a"], record["c"], record["d"]) == (None if anew else "A", "A", None)
