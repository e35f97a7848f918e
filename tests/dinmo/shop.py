"""A small shop in a real SQLite file, and a workspace file for it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [
    (1, "Ada", "ada.example", 120.5, "FR", 1, "2026-01-04"),
    (2, "Bo", "bo.example", 0.0, "NO", 0, "2026-02-11"),
    (3, "Çelik", None, 75.0, None, 1, None),
]

WORKSPACE = """\
sources:
  - {name: Shop, engine: sqlite, path: shop.sqlite3}
models:
  - {name: Companies, source: Shop, table: companies, primary_key: id}
  - name: Paying
    source: Shop
    sql: |
      select id, name, domain
      from companies where mrr > 0
    primary_key: id
segments:
  - name: Norwegians
    model: Companies
    where:
      all:
        - {field: country, is: equals, value: NO}
        - any:
            - {field: mrr, is: greater_than, value: 0}
            - {field: name, is: starts_with, value: B}
connections:
  - {name: Our Attio, platform: attio, token: "${OUR_ATTIO}"}
  - {name: Our Intercom, platform: intercom, region: eu, token: "${OUR_INTERCOM}"}
destinations:
  - {name: Attio companies, connection: Our Attio, service: attio.companies}
  - {name: Intercom companies, connection: Our Intercom, service: intercom.companies}
activations:
  - name: Norwegians to Attio
    segment: Norwegians
    destination: Attio companies
    mode: upsert
    match: {from: domain, to: domains}
    fields:
      - {from: name, to: name}
      - {from: country, to: description, when_empty: clear}
      - {value: Customer, to: categories, multi: add}
    schedules:
      - {every: 15 minutes}
      - {cron: "0 7 * * 1-5", timezone: Europe/Paris}
      - {days: [monday, wednesday], at: "09:00", timezone: Europe/Paris}
    warnings: {rejected_percent: 7, recipients: [ops@example.com]}
    backfill: new
  - name: Companies to Intercom
    model: Companies
    destination: Intercom companies
    insert_new: false
    match: {from: id, to: company_id}
    fields: [{from: name, to: name}]
    custom_attributes: [mrr, country]
"""
SECRETS = {"OUR_ATTIO": "attio-secret-1", "OUR_INTERCOM": "intercom-secret-1"}


def make(root: Path, extra: str = "") -> None:
    """Writes the shop's database to a directory. `extra` declares an additional column."""
    with sqlite3.connect(root / "shop.sqlite3") as database:
        database.execute(
            "create table companies "
            "(id integer primary key, name text not null, domain text, mrr real, country text, active boolean, "
            "since date)"
        )
        if extra:
            database.execute(f"alter table companies add column {extra}")
        database.executemany(
            "insert into companies (id, name, domain, mrr, country, active, since) values (?, ?, ?, ?, ?, ?, ?)", ROWS
        )
    database.close()
