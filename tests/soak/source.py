"""The source of the soak test: a table in PostgreSQL, of which some rows change each minute."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMPANIES = 200_000
PARTS = {"attio": range(6), "intercom": range(6, 10)}
"""The activations of each vendor, by the part of the companies that each of them sends.

At 1 % a minute, six parts of ten are 20 writes per second, of the 25 that Attio allows.
"""
PERCENT = 1.0
NUMBER_OF_PARTS = 10
DATABASE = "shop"
_TABLE = "CREATE TABLE companies (id integer PRIMARY KEY, part integer, domain text, name text, description text)"
_CHANGE = "UPDATE companies SET name = %s, description = %s WHERE id = %s"


@dataclass(frozen=True)
class Company:
    """One row, and thereby one record that a destination should have."""

    number: int
    name: str
    description: str

    @property
    def part(self) -> int:
        return self.number % NUMBER_OF_PARTS

    @property
    def domain(self) -> str:
        return f"company{self.number}.com"


class Source:
    """The table, in a database of its own in the cluster of the installation."""

    def __init__(self, port: int, companies: int, percent: float, seed: int) -> None:
        self.port = port
        self.changed = round(companies * percent / 100)
        self.rng = random.Random(seed)
        self.version = 0
        self.companies = {number: Company(number, f"Company {number}", "First") for number in range(1, companies + 1)}
        with self._connection("postgres") as server:
            server.execute(f"CREATE DATABASE {DATABASE}".encode())
        with self._connection(DATABASE) as shop:
            shop.execute(_TABLE)
            with shop.cursor().copy("COPY companies FROM STDIN") as copy:
                for one in self.companies.values():
                    copy.write_row((one.number, one.part, one.domain, one.name, one.description))

    def change(self) -> int:
        """Changes some of the rows in one transaction. Returns their number."""
        self.version += 1
        chosen = self.rng.sample(range(1, len(self.companies) + 1), self.changed)
        for number in chosen:
            # From a small pool, so that former values return.
            name = f"Company {number} {self.rng.choice('ABC')}"
            self.companies[number] = Company(number, name, f"Version {self.version}")
        with self._connection(DATABASE) as shop, shop.transaction():
            rows = [(one.name, one.description, one.number) for one in map(self.companies.__getitem__, chosen)]
            shop.cursor().executemany(_CHANGE, rows)
        return len(chosen)

    def _connection(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/{database}", autocommit=True)


def workspace(port: int, *, scheduled: bool) -> dict[str, Any]:
    """The workspace file: ten activations, each over a segment with a tenth of the companies."""
    parts = [part for parts in PARTS.values() for part in parts]
    source = {"name": "Shop", "engine": "postgres", "host": "127.0.0.1", "port": port, "database": DATABASE}
    return {
        "sources": [{**source, "user": "postgres", "password": "none"}],
        "models": [
            {"name": "Companies", "source": "Shop", "kind": "custom", "table": "public.companies", "primary_key": "id"}
        ],
        "segments": [
            {
                "name": f"Part {part}",
                "model": "Companies",
                "where": {"all": [{"field": "part", "is": "equals", "value": part}]},
            }
            for part in parts
        ],
        "connections": [
            {"name": "Attio", "platform": "attio", "token": "${CHAOS_TOKEN}"},
            {"name": "Intercom", "platform": "intercom", "region": "us", "token": "${CHAOS_TOKEN}"},
        ],
        "destinations": [
            {"name": f"{name} companies", "connection": name, "service": f"{name.lower()}.companies"}
            for name in ("Attio", "Intercom")
        ],
        "activations": list(_activations(scheduled)),
    }


def _activations(scheduled: bool) -> Iterator[dict[str, Any]]:
    for vendor, parts in PARTS.items():
        match = {"from": "domain", "to": "domains"} if vendor == "attio" else {"from": "id", "to": "company_id"}
        second = "description" if vendor == "attio" else "industry"
        for part in parts:
            yield {
                "name": name(vendor, part),
                "segment": f"Part {part}",
                "destination": f"{vendor.title()} companies",
                "mode": "upsert",
                "compare_first": vendor == "attio",
                "guards": {"refuse_empty": False, "max_size_change_percent": "none", "max_change_percent": "none"},
                "match": match,
                "fields": [{"from": "name", "to": "name"}, {"from": "description", "to": second}],
                "schedules": [{"every": "1 minutes"}] if scheduled else [],
            }


def name(vendor: str, part: int) -> str:
    """The name of an activation."""
    return f"{vendor.title()} {part}"


def of(vendor: str, companies: Iterable[Company]) -> list[Company]:
    """The companies that a vendor should have."""
    return [company for company in companies if company.part in PARTS[vendor]]
