"""The short proof of schedules: half a minute of kills. `python -m tests.chaos --schedules` is the long one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.schedules.proof import Skipped, Started, Story, check
from tests.dinmo.live_processes import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = datetime(2026, 6, 1, 9, 0, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
END = BEGIN + 35 * SECOND
RIGHT = Story(
    "S",
    "interval",
    BEGIN,
    seconds=10,
    runs=[Started(BEGIN + 10 * SECOND, BEGIN + 10 * SECOND)],
    skipped=[Skipped("running", BEGIN + 20 * SECOND, BEGIN + 30 * SECOND, 2)],
)


@pytest.mark.crash
def test_half_a_minute_of_kills_leaves_each_slot_with_one_run_or_a_reason(tmp_path: Path) -> None:
    words = ["--schedules", "--minutes", "0.5", "--seed", "7", "--database", "sqlite"]
    command = [sys.executable, "-m", "tests.chaos", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All checks passed." in done.stdout


def test_proof_passes_if_each_slot_has_one_run_or_a_reason() -> None:
    assert list(check(RIGHT, END)) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"runs": []}, "has 0 runs and the reasons []"),
        ({"runs": [*RIGHT.runs, *RIGHT.runs]}, "has 2 runs"),
        ({"skipped": []}, "has 0 runs"),
        ({"runs": [*RIGHT.runs, Started(END, BEGIN + 20 * SECOND)]}, "has 1 runs and the reasons ['running']"),
        ({"runs": [*RIGHT.runs, Started(END, BEGIN + 15 * SECOND)]}, "which is no slot"),
        ({"skipped": [replace(RIGHT.skipped[0], number=3)]}, "3 slots are recorded as running, but 2"),
        ({"skipped": [replace(RIGHT.skipped[0], reason="queued")]}, "no run followed the queued slot"),
        ({"runs": [*RIGHT.runs, Started(END)]}, "runs started that no slot asked for"),
        ({"kind": "cron", "skipped": []}, "09:01:00"),
        ({"kind": "after", "completions": [BEGIN + SECOND]}, "09:00:31"),
        ({"kind": "data_changed", "changes": [END - SECOND]}, "no run followed the change"),
        (
            {"kind": "data_changed", "runs": [*RIGHT.runs, Started(END, END)], "skipped": []},
            "started a run, but nothing had changed",
        ),
    ],
)
def test_proof_reports_what_is_missing_double_or_invented(changes: dict[str, Any], problem: str) -> None:
    assert any(problem in sentence for sentence in check(replace(RIGHT, **changes), END))
