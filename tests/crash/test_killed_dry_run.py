"""A worker killed in the middle of a live dry run: another one finishes it, and nothing is written."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from activations.delivery.deliver import MOST_LOOKUPS
from destinations.registry import services
from tests.crash.test_killed_worker import installation

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.installation import Installation

__all__ = ["installation"]
NUMBER = 2_500
SERVICE = services["attio.companies"]
THEIRS = "Zanzibar Holdings 4711"
RESUME = "from activations.execute import execute\nwhile execute({}): pass"

pytestmark = pytest.mark.crash


def rows(home: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(home / "dinmo.sqlite3")) as connection:
        return connection.execute(sql).fetchall()


def fill(installation: Installation) -> None:
    """More companies in the source, of which the destination has two thirds, half of them with another name."""
    with closing(sqlite3.connect(installation.home / "shop.sqlite3")) as connection, connection:
        connection.execute("delete from companies")
        connection.executemany(
            "insert into companies values (?, ?, ?)", ((n, f"Company {n}", f"company{n}.com") for n in range(NUMBER))
        )
    there = [
        {"name": f"Company {n}" if n % 3 == 1 else THEIRS, "domains": [f"company{n}.com"]}
        for n in range(NUMBER)
        if n % 3
    ]
    with installation.sandbox.lock:
        installation.sandbox._switch({"records": {"companies": there}})


def lookups(installation: Installation) -> int:
    return sum(entry["path"].endswith("/query") for entry in installation.sandbox.log)


def test_killed_dry_run_continues_and_writes_nothing(installation: Installation) -> None:
    fill(installation)
    before = json.dumps(installation.sandbox.state(), sort_keys=True)
    installation.sandbox.latency_seconds = 0.5
    process = installation.start("activate", "All", "--dry-run", "--live")
    deadline = time.monotonic() + 120
    while not rows(installation.home, "select 1 from activations_change where state = 'settled'"):
        assert time.monotonic() < deadline, "the dry run compared nothing in time"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    ((run, state),) = rows(installation.home, "select id, state from activations_run where dry_run")
    assert state == "delivering"
    installation.sandbox.latency_seconds = 0.0
    time.sleep(float(installation.environment["RUN_LEASE_SECONDS"]) + 0.5)
    assert installation.manage("shell", "-c", RESUME.format(run)).returncode == 0
    counts = "select state, creates, updates, matched, write_requests, lookup_requests from activations_run"
    ((state, creates, updates, matched, writes, counted),) = rows(installation.home, counts)
    assert (state, creates, updates, matched, writes) == ("planned", 834, 833, 833, 0)
    # The requests in flight are repeated, and what is left of their batches takes as many more at most.
    assert counted <= lookups(installation) <= SERVICE.limits.lookups(NUMBER) + 2 * MOST_LOOKUPS
    assert json.dumps(installation.sandbox.state(), sort_keys=True) == before
    assert not rows(installation.home, "select 1 from activations_record")
    stored = b"".join(file.read_bytes() for file in installation.home.glob("dinmo.sqlite3*"))
    assert b"Company 2" in stored
    assert THEIRS.encode() not in stored
    answered = installation.manage("activate", "All", "--dry-run", "--live", "--json")
    result = json.loads(answered.stdout)
    assert (answered.returncode, result["would"]["create"], result["would"]["update"]) == (0, 834, 833)
    assert result["requests"]["lookup"] <= result["lookup_requests_at_most"]
    held = {
        field["held"] for record in result["records"] if record["outcome"] == "updates" for field in record["fields"]
    }
    assert held == {THEIRS}
