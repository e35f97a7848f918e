"""A worker killed while it attaches contacts: the next one continues, and at most what was in flight is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.installation import MAX_IN_FLIGHT
from tests.crash.intercom import links, served

if TYPE_CHECKING:
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


def test_killed_run_attaches_the_rest_and_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    with served(tmp_path) as office:
        contacts = [{"id": f"c{n}", "external_id": str(n)} for n in range(1, PEOPLE + 1)]
        office.sandbox._switch({"contacts": contacts})
        companies = ((n, f"C {n}") for n in range(1, COMPANIES + 1))
        office.store("companies", "id integer primary key, name text", companies)
        people = ((n, n % COMPANIES + 1) for n in range(1, PEOPLE + 1))
        office.store("people", "id integer primary key, company_id integer", people)
        office.apply(WORKSPACE)
        for number in (20, 70):
            office.kill_once("All", lambda: links(office).total(), number)
        result = office.activate("All")
        assert (result["number"], result["state"]) == (1, "succeeded")
        assert (result["counts"]["accepted"], result["counts"]["made_visible"]) == (COMPANIES, COMPANIES)
        assert (result["counts"]["hidden"], result["counts"]["still_hidden"]) == (0, 0)
        assert len({company for _, company in links(office)}) == COMPANIES
        assert links(office).total() - COMPANIES <= 2 * MAX_IN_FLIGHT
        assert [company["user_count"] for company in office.sandbox.state()["companies"]] == [1] * COMPANIES
        office.sandbox.log.clear()
        again = office.activate("All")
        assert (again["counts"]["unchanged"], again["requests"]["write"], again["requests"]["lookup"]) == (
            COMPANIES,
            0,
            0,
        )
