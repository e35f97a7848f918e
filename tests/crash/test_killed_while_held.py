"""A process killed while it holds a run, or right after a decision: nothing is lost, repeated or sent unapproved."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash.test_killed_worker import COUNT, installation

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.installation import Installation

pytestmark = pytest.mark.crash
__all__ = ["installation"]
HELD, CANCELLED, KILLED = 3, 4, -9


@pytest.fixture
def changed(installation: Installation, tmp_path: Path) -> Installation:
    """All companies are at the destination, and have new names in the source."""
    installation.sandbox.latency_seconds = 0.0
    assert installation.manage("activate", "All", "--wait").returncode == 0
    installation.sandbox.log.clear()
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("update companies set name = 'Renamed ' || id")
    return installation


def killed_at(installation: Installation, failpoint: str, *words: str) -> None:
    """Runs a command that kills itself at this failpoint."""
    order = installation.home / "order"
    order.write_text(failpoint)
    installation.environment["CHAOS_AT"] = str(order)
    assert installation.manage("activate", "All", "--wait", *words).returncode == KILLED
    installation.environment.pop("CHAOS_AT")


def outcome(installation: Installation, *words: str) -> tuple[int, dict[str, Any]]:
    ended = installation.manage("activate", "All", "--wait", "--json", *words)
    return ended.returncode, json.loads(ended.stdout)


@pytest.mark.parametrize("failpoint", ["in_plan", "in_hold", "held"])
def test_killed_while_holding_leaves_one_held_run(changed: Installation, failpoint: str) -> None:
    killed_at(changed, failpoint)
    code, result = outcome(changed)
    assert (code, result["state"], result["number"], result["counts"]["planned"]) == (HELD, "held", 2, COUNT)
    assert changed.created() == {}
    code, result = outcome(changed, "--approve")
    assert (code, result["number"], result["counts"]["accepted"]) == (0, 2, COUNT)
    assert set(changed.created().values()) == {1}


def test_killed_after_the_approval_sends_the_plan_once(changed: Installation) -> None:
    assert outcome(changed)[0] == HELD
    killed_at(changed, "in_approve", "--approve")
    assert changed.created() == {}
    code, result = outcome(changed)
    assert (code, result["number"], result["counts"]["accepted"]) == (0, 2, COUNT)
    assert len(changed.created()) == COUNT
    assert set(changed.created().values()) == {1}
    assert result["decision"]["kind"] == "approved"


def test_killed_while_discarding_sends_nothing(changed: Installation) -> None:
    assert outcome(changed)[0] == HELD
    killed_at(changed, "in_finish", "--discard")
    code, result = outcome(changed)
    assert (code, result["state"], result["counts"]["not_sent"]) == (CANCELLED, "cancelled", COUNT)
    assert outcome(changed)[0] == HELD
    assert changed.created() == {}
