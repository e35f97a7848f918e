"""A worker process that has used too much memory is replaced between two tasks, which no run notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dinmo.local import programs
from tests.crash.workers import WORKSPACE, companies, running, wait_until
from tests.dinmo.live_processes import descendants

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 75
"""At 25 requests a second, they take several slices, each in a process of its own."""

pytestmark = [pytest.mark.crash, pytest.mark.slow]


def test_run_goes_on_while_its_worker_processes_are_replaced(tmp_path: Path) -> None:
    tiny = {"WORKER_MAX_MEMORY_MB": "1", "RUN_SLICE_SECONDS": "1"}
    with running(tmp_path, companies(COUNT), WORKSPACE, environment=tiny) as workers:
        worker = workers.start(programs.worker())
        processes: set[int] = set()

        def is_over() -> bool:
            processes.update(descendants(worker.pid))
            return workers.state("All") == "succeeded"

        workers.request("All")
        wait_until(is_over, "the run")
        (run,) = workers.runs("All")
        created = workers.installation.created()
        assert len(processes) >= programs.WORKER_PROCESSES + 2
        assert (run["epoch"] >= 3, run["takeovers"], run["accepted"]) == (True, 0, COUNT)
        assert (created.total(), set(created.values())) == (COUNT, {1})
