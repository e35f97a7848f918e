"""A worker killed while it attaches contacts to companies: each link is made once, and only those in flight repeat."""

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

COMPANIES, PEOPLE = 30, 120
WORKSPACE = """
sources: [{name: Shop, engine: sqlite, path: shop.sqlite3}]
models:
  - {name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}
  - {name: People, source: Shop, kind: users, table: people, primary_key: id}
connections: [{name: Intercom, platform: intercom, region: us, token: "${TOKEN}"}]
destinations:
  - {name: Intercom companies, connection: Intercom, service: intercom.companies}
  - {name: Intercom contacts, connection: Intercom, service: intercom.contacts}
activations:
  - name: Companies
    model: Companies
    destination: Intercom companies
    mode: upsert
    match: {from: id, to: company_id}
    fields: [{from: name, to: name}]
  - name: People
    model: People
    destination: Intercom contacts
    mode: upsert
    match: {from: id, to: external_id}
    fields: [{from: name, to: name}, {from: company, to: company}]
"""

pytestmark = pytest.mark.crash


class Office(Installation):
    """An installation with the simulated Intercom, whose source has companies and the people in them."""

    def __init__(self, home: Path, sandbox: Any, url: str) -> None:
        super().__init__(home, sandbox, url)
        self.vendor = sandbox
        self.environment["INTERCOM_API_URL"] = url
        connection = sqlite3.connect(home / "shop.sqlite3")
        with connection:
            connection.execute("create table companies (id text primary key, name text)")
            connection.execute("create table people (id text primary key, name text, company text)")
            companies = [(f"c{n}", f"Company {n}") for n in range(COMPANIES)]
            connection.executemany("insert into companies values (?, ?)", companies)
            self.links = {(f"p{n}", f"c{n % COMPANIES}") for n in range(PEOPLE)}
            people = [(person, person, company) for person, company in sorted(self.links)]
            connection.executemany("insert into people values (?, ?, ?)", people)
        connection.close()
        (home / "workspace.yaml").write_text(WORKSPACE)

    def prepare(self) -> None:
        """Stores the workspace, and sends the companies."""
        for words in (
            ("migrate", "--verbosity", "0"),
            ("apply", str(self.home / "workspace.yaml")),
            ("activate", "Companies", "--wait"),
        ):
            done = self.manage(*words)
            assert done.returncode == 0, done.stderr + done.stdout

    def attached(self) -> Counter[str]:
        """How often each contact was attached to its company."""
        paths = [entry["path"] for entry in self.vendor.log if entry["method"] == "POST" and entry["status"] == 200]
        return Counter(path for path in paths if path.startswith("/contacts/") and path.endswith("/companies"))

    def kill_after(self, links: int) -> None:
        """Starts a worker on the contacts, and kills it once Intercom has made that number of links."""
        process = self.start("activate", "People", "--wait")
        deadline = time.monotonic() + 90
        while len(self.attached()) < links:
            assert time.monotonic() < deadline, "the run did not attach enough contacts in time"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def made(self) -> set[tuple[str, str]]:
        memberships = self.vendor.memberships
        contacts = list(self.vendor.contacts.by_id.values())
        return {
            (contact["external_id"], company)
            for contact in contacts
            for company in memberships.company_ids_of(contact["id"])
        }


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Server(sandboxes["intercom"]("t")) as server:
        server.sandbox.switches.update(rate_limit_per_window=0)
        server.sandbox.latency_seconds = 0.05
        office = Office(tmp_path, server.sandbox, server.url)
        office.prepare()
        yield office


def test_killed_run_links_every_contact_once(office: Office) -> None:
    office.kill_after(20)
    office.kill_after(60)
    last = office.manage("activate", "People", "--wait", "--json")
    result: dict[str, Any] = json.loads(last.stdout)
    assert (last.returncode, result["number"], result["state"]) == (0, 1, "succeeded"), last.stdout
    assert office.made() == office.links
    assert len(office.vendor.contacts.by_id) == PEOPLE
    assert sum(office.attached().values()) - PEOPLE <= 2 * MAX_IN_FLIGHT
    again: dict[str, Any] = json.loads(office.manage("activate", "People", "--wait", "--json").stdout)
    assert (again["counts"]["unchanged"], again["requests"]["write"], again["requests"]["lookup"]) == (PEOPLE, 0, 0)
