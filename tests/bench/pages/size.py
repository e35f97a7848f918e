"""PURE. How large the installations are whose pages are measured, and their workspace file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COUNTRIES = ("FR", "DE", "NL", "ES", "IT", "GB", "US", "SE")


@dataclass(frozen=True)
class Installation:
    """The size of an installation: how many activations, runs, changes and warnings it has.

    There are as many segments and models as activations.
    """

    activations: int
    runs: int
    changes: int
    warnings: int

    @property
    def companies(self) -> int:
        """The number of different companies that the changes are about."""
        return max(1, self.changes // 10)


SMALL = Installation(activations=20, runs=1_000, changes=240_000, warnings=200)
"""What the large one is compared with. Its pages show the same: as many runs per activation that every kind is among
them, and a largest run that is searched, and whose causes are grouped, as those of large runs are."""


def large(rows: int) -> Installation:
    """The installation to measure. 1,000,000 rows stand for 50,000 runs and 5,000,000 changes."""
    return Installation(activations=200, runs=max(1_000, rows // 20), changes=rows * 5, warnings=2_000)


def workspace(number: int) -> dict[str, Any]:
    """The workspace file: `number` models, segments and activations, to both vendors in turn."""
    numbers = range(1, number + 1)
    return {
        "sources": [
            {"name": f"Warehouse {source}", "engine": "sqlite", "path": "demo/companies.sqlite3"} for source in range(5)
        ],
        "models": [
            {
                "name": f"Companies of team {place}",
                "source": f"Warehouse {place % 5}",
                "table": "companies",
                "primary_key": "id",
            }
            for place in numbers
        ],
        "segments": [_segment(place) for place in numbers],
        "connections": [
            {"name": "Our Attio", "platform": "attio", "token": "${BENCH_TOKEN}"},
            {"name": "Our Intercom", "platform": "intercom", "region": "us", "token": "${BENCH_TOKEN}"},
        ],
        "destinations": [
            {"name": f"{name} companies", "connection": f"Our {name}", "service": f"{name.lower()}.companies"}
            for name in ("Attio", "Intercom")
        ],
        "activations": [_activation(place) for place in numbers],
    }


def _segment(place: int) -> dict[str, Any]:
    paying = {"field": "mrr", "is": "greater_than", "value": place % 50}
    country = {"field": "country", "is": "one_of", "value": [COUNTRIES[place % 8], COUNTRIES[(place + 3) % 8]]}
    return {
        "name": f"Paying companies in region {place}",
        "model": f"Companies of team {place}",
        "where": {"all": [paying, country, {"field": "renewed_at", "is": "in_the_last", "value": "90 days"}]},
    }


def _activation(place: int) -> dict[str, Any]:
    rows = {"segment": f"Paying companies in region {place}"} if place % 2 else {"model": f"Companies of team {place}"}
    fields = [{"from": "name", "to": "name"}, {"from": "description", "to": "description"}]
    attio = {
        "destination": "Attio companies",
        "match": {"from": "domain", "to": "domains"},
        "fields": [*fields, {"from": "founded_on", "to": "foundation_date"}],
    }
    intercom = {
        "destination": "Intercom companies",
        "match": {"from": "id", "to": "company_id"},
        "fields": [fields[0], {"from": "plan", "to": "plan"}],
        "custom_attributes": ["seats", "pitch"],
    }
    schedules = [{"every": "15 minutes"}] if place % 3 else [{"cron": "0 7 * * 1-5", "timezone": "Europe/Paris"}]
    name, vendor = ("Intercom", intercom) if place % 4 == 3 else ("Attio", attio)
    return {"name": f"Region {place} to {name}", **rows, **vendor, "schedules": schedules}
