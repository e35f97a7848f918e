"""A worker killed in the middle of a run: another one continues, and no company is lost or created twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.sandbox.base import Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
COUNT = 100
MAX_IN_FLIGHT = 128
WORKSPACE = """
sources: [{name: Shop, engine: sqlite, path: shop.sqlite3}]
models: [{name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}]
connections: [{name: Attio, platform: attio, token: "${TOKEN}"}]
destinations: [{name: Attio companies, connection: Attio, service: attio.companies}]
activations:
  - name: All
    model: Companies
    destination: Attio companies
    match: {from: domain, to: domains}
    fields: [{from: name, to: name}]
"""

pytestmark = pytest.mark.crash


class Installation:
    """A separate installation: state directory, source, simulator, and commands in real processes."""

    def __init__(self, home: Path, sandbox: Sandbox, url: str) -> None:
        self.sandbox = sandbox
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "VAR_DIR": str(home),
            "SOURCE_FILES_ROOT": str(home),
            "ATTIO_API_URL": url,
            "TOKEN": "t",
            "RUN_LEASE_SECONDS": "2",
            "LOG_LEVEL": "WARNING",
        }

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def created(self) -> Counter[str]:
        """How often each company was sent successfully."""
        sent = (entry for entry in self.sandbox.log if entry["method"] == "PUT" and entry["status"] == 200)
        return Counter(entry["body"]["data"]["values"]["name"] for entry in sent)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    connection = sqlite3.connect(tmp_path / "shop.sqlite3")
    with connection:
        connection.execute("create table companies (id integer primary key, name text, domain text)")
        connection.executemany(
            "insert into companies values (?, ?, ?)", ((n, f"Company {n}", f"company{n}.com") for n in range(COUNT))
        )
    connection.close()
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    with Server(sandboxes["attio"]("t")) as server:
        server.sandbox.latency_seconds = 0.05
        installation = Installation(tmp_path, server.sandbox, server.url)
        assert installation.manage("migrate", "--verbosity", "0").returncode == 0
        applied = installation.manage("apply", str(tmp_path / "workspace.yaml"))
        assert applied.returncode == 0, applied.stderr
        yield installation


def kill_after(installation: Installation, writes: int) -> None:
    """Starts a worker on the run, and kills it once the destination has received that number of writes."""
    process = installation.start("activate", "All", "--wait")
    deadline = time.monotonic() + 60
    while sum(installation.created().values()) < writes:
        assert time.monotonic() < deadline, "the run did not send enough writes in time"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_run_continues_and_creates_nothing_twice(installation: Installation) -> None:
    kill_after(installation, 20)
    kill_after(installation, 60)
    last = installation.manage("activate", "All", "--wait", "--json")
    result: dict[str, Any] = json.loads(last.stdout)
    assert (last.returncode, result["number"], result["state"]) == (0, 1, "succeeded")
    assert result["counts"]["accepted"] == COUNT
    sent = installation.created()
    assert set(sent) == {f"Company {n}" for n in range(COUNT)}
    assert sum(sent.values()) - COUNT <= 2 * MAX_IN_FLIGHT
    names = [record["values"]["name"] for record in installation.sandbox.state()["records"]]
    assert sorted(names) == sorted(set(names))
    again: dict[str, Any] = json.loads(installation.manage("activate", "All", "--wait", "--json").stdout)
    assert (again["counts"]["unchanged"], again["requests"]["write"]) == (COUNT, 0)
