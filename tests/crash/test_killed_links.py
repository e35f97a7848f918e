"""A worker killed while it attaches contacts to companies: each link is made once, and only those in flight repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.crash.installation import MAX_IN_FLIGHT
from tests.crash.intercom import links, served

if TYPE_CHECKING:
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


def test_killed_run_links_every_contact_once(tmp_path: Path) -> None:
    wanted = {(f"p{n}", f"c{n % COMPANIES}") for n in range(PEOPLE)}
    with served(tmp_path) as office:
        vendor: Any = office.sandbox
        companies = ((f"c{n}", f"Company {n}") for n in range(COMPANIES))
        office.store("companies", "id text primary key, name text", companies)
        people = ((person, person, company) for person, company in sorted(wanted))
        office.store("people", "id text primary key, name text, company text", people)
        office.apply(WORKSPACE)
        office.activate("Companies")
        for number in (20, 60):
            office.kill_once("People", lambda: links(office).total(), number)
        result = office.activate("People")
        assert (result["number"], result["state"]) == (1, "succeeded")
        contacts = list(vendor.contacts.by_id.values())
        held = {
            (each["external_id"], name) for each in contacts for name in vendor.memberships.company_ids_of(each["id"])
        }
        assert held == wanted
        assert len(contacts) == PEOPLE
        assert links(office).total() - PEOPLE <= 2 * MAX_IN_FLIGHT
        again = office.activate("People")
        assert (again["counts"]["unchanged"], again["requests"]["write"], again["requests"]["lookup"]) == (PEOPLE, 0, 0)
