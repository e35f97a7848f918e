"""A worker killed in the middle of a run: another one continues, and no company is lost or created twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from tests.crash.installation import MAX_IN_FLIGHT, Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 100
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


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with Server(sandboxes["attio"]("t")) as server:
        server.sandbox.latency_seconds = 0.05
        installation = Installation(tmp_path, server.sandbox, server.url)
        companies = ((n, f"Company {n}", f"company{n}.com") for n in range(COUNT))
        installation.store("companies", "id integer primary key, name text, domain text", companies)
        installation.apply(WORKSPACE)
        yield installation


def test_killed_run_continues_and_creates_nothing_twice(installation: Installation) -> None:
    for writes in (20, 60):
        installation.kill_once("All", lambda: installation.created().total(), writes)
    result = installation.activate("All")
    assert (result["number"], result["state"], result["counts"]["accepted"]) == (1, "succeeded", COUNT)
    sent = installation.created()
    assert set(sent) == {f"Company {n}" for n in range(COUNT)}
    assert sent.total() - COUNT <= 2 * MAX_IN_FLIGHT
    names = [record["values"]["name"] for record in installation.sandbox.state()["records"]]
    assert sorted(names) == sorted(set(names))
    again = installation.activate("All")
    assert (again["counts"]["unchanged"], again["requests"]["write"]) == (COUNT, 0)
