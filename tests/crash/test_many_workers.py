"""Several worker processes: together they keep to the limit of a connection, and more of them send more."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from destinations.sandbox.registry import sandboxes
from dinmo.local import programs
from tests.crash.workers import ACTIVATION, CONNECTIONS, companies, running, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from destinations.sandbox.wire import Reply, Request
    from tests.crash.workers import Workers

COUNT = 300
WRITES_PER_SECOND = 25
"""Attio's limit. The simulator counts, and answers 429 beyond it."""
TOKENS = ("t", "u")
NAMES = ("Even", "Odd")
ONE_AT_A_TIME = ("--concurrency", "1")
MODELS = """
sources: [{name: Shop, engine: sqlite, path: shop.sqlite3}]
models:
  - {name: Even rows, source: Shop, kind: custom, sql: select * from companies where id % 2 = 0, primary_key: id}
  - {name: Odd rows, source: Shop, kind: custom, sql: select * from companies where id % 2 = 1, primary_key: id}
"""
ONE_CONNECTION = f"""
{MODELS}
{CONNECTIONS}
activations:
{ACTIVATION % ("Even", "Even rows")}
{ACTIVATION % ("Odd", "Odd rows")}
"""
TWO_CONNECTIONS = f"""
{MODELS}
connections:
  - {{name: Attio, platform: attio, token: t}}
  - {{name: Other, platform: attio, token: u}}
destinations:
  - {{name: Attio companies, connection: Attio, service: attio.companies}}
  - {{name: Other companies, connection: Other, service: attio.companies}}
activations:
{ACTIVATION % ("Even", "Even rows")}
{(ACTIVATION % ("Odd", "Odd rows")).replace("Attio companies", "Other companies")}
"""

pytestmark = [pytest.mark.crash, pytest.mark.slow]


def deliver(workers: Workers) -> float:
    """Runs both activations to their end. Returns the seconds from the first plan to the last outcome."""
    for name in NAMES:
        workers.request(name)
    wait_until(lambda: all(workers.state(name) == "succeeded" for name in NAMES), "the delivery")
    runs = [workers.runs(name)[-1] for name in NAMES]
    return _seconds(max(run["finished_at"] for run in runs)) - _seconds(min(run["started_at"] for run in runs))


def _seconds(stored: str) -> float:
    return datetime.fromisoformat(stored).timestamp()


def test_two_workers_on_one_connection_keep_to_its_limit_together(tmp_path: Path) -> None:
    with running(tmp_path, companies(COUNT), ONE_CONNECTION) as workers:
        for name in ("first", "second"):
            workers.start(programs.worker(), name, *ONE_AT_A_TIME)
        for name in NAMES:
            workers.request(name)
        wait_until(lambda: all(workers.state(name) == "delivering" for name in NAMES), "both deliveries")
        owners = {workers.runs(name)[-1]["owner"].rpartition(":")[0] for name in NAMES}
        assert len(owners - {""}) == 2
        wait_until(lambda: all(workers.state(name) == "succeeded" for name in NAMES), "the delivery")
        log = workers.installation.sandbox.log
        assert [entry for entry in log if entry["status"] == 429] == []
        assert sum(workers.runs(name)[-1]["throttled"] for name in NAMES) == 0
        writes = [entry["at"] for entry in log if entry["method"] == "PUT"]
        assert len(writes) == COUNT
        # Slower if the machine is busy, but never by half: the workers don't wait for each other.
        assert COUNT / (max(writes) - min(writes)) > WRITES_PER_SECOND / 2


def test_second_worker_sends_more_over_two_connections(tmp_path: Path) -> None:
    vendors = {f"Bearer {token}": sandboxes["attio"](token) for token in TOKENS}

    def respond(request: Request) -> Reply:
        time.sleep(0.05)
        return vendors[request.headers["authorization"]].handle(request)

    with running(tmp_path, companies(COUNT), TWO_CONNECTIONS, respond) as workers:
        workers.start(programs.worker(), "first", *ONE_AT_A_TIME)
        alone = deliver(workers)
        workers.insert(companies(COUNT, begin=COUNT))
        workers.start(programs.worker(), "second", *ONE_AT_A_TIME)
        together = deliver(workers)
        written = [sum(entry["method"] == "PUT" for entry in vendor.log) for vendor in vendors.values()]
        assert written == [COUNT, COUNT]
        assert together < alone * 0.75
