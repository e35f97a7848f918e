"""A worker killed while it attaches contacts: the next one continues, and at most what was in flight is repeated."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from tests.crash.test_killed_worker import MAX_IN_FLIGHT, Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMPANIES, PEOPLE = 150, 240
WORKSPACE = """
sources: [{name: Shop, engine: sqlite, path: shop.sqlite3}]
models:
  - {name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}
  - {name: People, source: Shop, kind: users, table: people, primary_key: id}
connections: [{name: Intercom, platform: intercom, region: us, token: "${TOKEN}"}]
destinations: [{name: Intercom companies, connection: Intercom, service: intercom.companies}]
activations:
  - name: All
    model: Companies
    destination: Intercom companies
    mode: upsert
    match: {from: id, to: company_id}
    fields: [{from: name, to: name}]
    attach_contacts: {model: People, company_column: company_id, external_id: id}
"""

pytestmark = pytest.mark.crash


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    connection = sqlite3.connect(tmp_path / "shop.sqlite3")
    with connection:
        connection.execute("create table companies (id integer primary key, name text)")
        connection.execute("create table people (id integer primary key, company_id integer)")
        connection.executemany("insert into companies values (?, ?)", ((n, f"C {n}") for n in range(1, COMPANIES + 1)))
        people = ((n, n % COMPANIES + 1) for n in range(1, PEOPLE + 1))
        connection.executemany("insert into people values (?, ?)", people)
    connection.close()
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    with Server(sandboxes["intercom"]("t")) as server:
        server.sandbox.latency_seconds = 0.05
        server.sandbox._switch(
            {
                "contacts": [{"id": f"c{n}", "external_id": str(n)} for n in range(1, PEOPLE + 1)],
                "rate_limit_per_window": 0,
            }
        )
        installation = Installation(tmp_path, server.sandbox, server.url)
        installation.environment["INTERCOM_API_URL"] = server.url
        assert installation.manage("migrate", "--verbosity", "0").returncode == 0
        applied = installation.manage("apply", str(tmp_path / "workspace.yaml"))
        assert applied.returncode == 0, applied.stderr
        yield installation


def links(installation: Installation) -> Counter[str]:
    """How often each company took a contact."""
    posts = (entry for entry in installation.sandbox.log if entry["method"] == "POST" and entry["status"] == 200)
    return Counter(entry["body"]["id"] for entry in posts if entry["path"].startswith("/contacts/c"))


def kill_after(installation: Installation, number: int) -> None:
    process = installation.start("activate", "All", "--wait")
    deadline = time.monotonic() + 120
    while sum(links(installation).values()) < number:
        assert time.monotonic() < deadline, "the run did not attach enough contacts in time"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_run_attaches_the_rest_and_repeats_only_what_was_in_flight(installation: Installation) -> None:
    kill_after(installation, 20)
    kill_after(installation, 70)
    last = installation.manage("activate", "All", "--wait", "--json")
    result: dict[str, Any] = json.loads(last.stdout)
    assert (last.returncode, result["number"], result["state"]) == (0, 1, "succeeded")
    assert (result["counts"]["accepted"], result["counts"]["made_visible"]) == (COMPANIES, COMPANIES)
    assert (result["counts"]["hidden"], result["counts"]["still_hidden"]) == (0, 0)
    sent = links(installation)
    assert len(sent) == COMPANIES
    assert sum(sent.values()) - COMPANIES <= 2 * MAX_IN_FLIGHT
    assert [company["user_count"] for company in installation.sandbox.state()["companies"]] == [1] * COMPANIES
    installation.sandbox.log.clear()
    again: dict[str, Any] = json.loads(installation.manage("activate", "All", "--wait", "--json").stdout)
    assert (again["counts"]["unchanged"], again["requests"]["write"], again["requests"]["lookup"]) == (COMPANIES, 0, 0)
