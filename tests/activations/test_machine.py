"""A short search over whole runs. `MACHINE_EXAMPLES` and `MACHINE_STEPS` make it longer, and random each time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.activations.environment import SMALL_LIMITS, Environment
from tests.activations.machine import Machine
from tests.activations.vendor import Immovable, Movable

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "6"))
STEPS = int(os.environ.get("MACHINE_STEPS", "20"))

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("service", [Immovable, Movable])
def test_runs_follow_the_rules_under_all_events(
    service: type[Movable], tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    for name, value in SMALL_LIMITS.items():
        monkeypatch.setattr(f"activations.{name}", value)
    monkeypatch.setattr("activations.planning.writer.CHUNK", 2)
    Machine.environment = Environment(tmp_path / "rows.sqlite3", service, monkeypatch)
    run_state_machine_as_test(
        Machine,
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
