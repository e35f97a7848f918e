"""A worker that is killed while it pauses or resumes an activation: the pause and the run agree afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash.test_killed_worker import COUNT, installation

if TYPE_CHECKING:
    import subprocess

    from tests.crash.installation import Installation

pytestmark = pytest.mark.crash
__all__ = ["installation"]
"""The fixture."""


def killed_at(installation: Installation, point: str, *words: str) -> None:
    """Runs a command that kills itself (-9) at a failpoint."""
    order = installation.home / "order"
    order.write_text(point)
    installation.environment["CHAOS_AT"] = str(order)
    ended = installation.manage(*words)
    del installation.environment["CHAOS_AT"]
    assert ended.returncode == -9, ended.stderr
    assert not order.exists()


def pauses(installation: Installation, *words: str) -> list[dict[str, Any]]:
    ended: subprocess.CompletedProcess[str] = installation.manage("pauses", "--json", *words)
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def test_pause_survives_a_kill_at_any_moment(installation: Installation) -> None:
    installation.sandbox.latency_seconds = 0
    installation.sandbox.switches.update(revoked=True)
    killed_at(installation, "in_finish", "activate", "All", "--wait")
    assert pauses(installation) == []
    killed_at(installation, "in_pause", "activate", "All", "--wait")
    assert pauses(installation) == [], "the run has not ended either"
    failed = installation.manage("activate", "All", "--wait", "--json")
    report: dict[str, Any] = json.loads(failed.stdout)
    assert (failed.returncode, report["number"]) == (2, 1)
    (pause,) = pauses(installation)
    assert (pause["cause"], pause["activation"]) == ("connection", "All")

    installation.sandbox.switches.update(revoked=False)
    killed_at(installation, "in_resume", "pauses", "--check")
    assert len(pauses(installation)) == 1, "no run was requested either"
    assert pauses(installation, "--check") == []
    resumed: dict[str, Any] = json.loads(installation.manage("activate", "All", "--wait", "--json").stdout)
    assert (resumed["number"], resumed["trigger"], resumed["state"]) == (2, "catch_up", "succeeded")
    assert resumed["counts"]["accepted"] == COUNT
