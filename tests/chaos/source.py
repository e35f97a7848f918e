"""The source of the proof: companies that change from round to round. The same seed gives the same changes."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INITIAL_COUNT = 240
MAX_COUNT = 500
CHANGED, REVERTED, ADDED, REMOVED, RETURNED, CORRUPTED, REPAIRED = 0.3, 0.5, 0.04, 0.02, 0.3, 0.04, 0.5
"""The share of companies that each kind of change affects in one round."""
CATEGORIES = ("SAAS", "E-commerce", "Accounting")
PLANS = ("free", "team", "business")
TWICE, TWIN, NO_OPTION, REFUSED = (
    "two rows with one key",
    "another row with its domain",
    "an unknown category",
    "a refused domain",
)
DEFECTS = (TWICE, TWIN, NO_OPTION, REFUSED)
TWIN_NUMBER = 100_000
_TABLE = """
    CREATE TABLE companies (
        id integer, account text, domain text, name text, description text, category text, plan text, seats integer,
        revenue integer
    )"""

Row = tuple[object, ...]


@dataclass(frozen=True)
class Company:
    """One company as the destinations should have it. Values come from small pools, so that previous values return."""

    number: int
    name: str
    description: str | None
    category: str
    plan: str
    seats: int
    revenue: int
    defect: str = ""

    @property
    def account(self) -> str:
        return f"app-{self.number}"

    @property
    def domain(self) -> str:
        return f"company{self.number}.com"

    def rows(self) -> Iterator[Row]:
        """The rows of the company in the table. With a defect, they differ from what should be sent."""
        domain = f"company{self.number}.example" if self.defect == REFUSED else self.domain
        category = "Time Travel" if self.defect == NO_OPTION else self.category
        values = (self.description, category, self.plan, self.seats, self.revenue)
        yield (self.number, self.account, domain, self.name, *values)
        if self.defect == TWICE:
            yield (self.number, self.account, domain, f"{self.name} again", *values)
        if self.defect == TWIN:
            yield (TWIN_NUMBER + self.number, f"{self.account}-twin", domain, f"{self.name} again", *values)


class Shop:
    """The table of companies in a SQLite file.

    Args:
        path: the SQLite file. An existing file is replaced.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.rng = random.Random(seed)
        self.live = {number: self._company(number) for number in range(1, INITIAL_COUNT + 1)}
        self.removed: dict[int, Company] = {}
        self.previous: dict[int, Company] = {}
        self._write()

    def change(self) -> None:
        """Changes the table between two runs: changes, reverts, adds, removes, restores, corrupts and repairs rows."""
        rng = self.rng
        before, self.previous = self.previous, {}
        for number, company in list(self.live.items()):
            if number in before and rng.random() < REVERTED:
                self.live[number] = before[number]
                continue
            self.live[number] = self._changed(company)
            if self.live[number] != company:
                self.previous[number] = company
            if rng.random() < REMOVED:
                self.removed[number] = self.live.pop(number)
        for number in [number for number in self.removed if rng.random() < RETURNED]:
            self.live[number] = self.removed.pop(number)
        known = len(self.live) + len(self.removed)
        for number in range(known + 1, min(MAX_COUNT, known + int(INITIAL_COUNT * ADDED)) + 1):
            self.live[number] = self._company(number)
        self._write()

    def repair(self) -> None:
        """Removes all defects."""
        self.live = {number: replace(company, defect="") for number, company in self.live.items()}
        self._write()

    def _changed(self, company: Company) -> Company:
        rng = self.rng
        if company.defect and rng.random() < REPAIRED:
            company = replace(company, defect="")
        elif rng.random() < CORRUPTED:
            company = replace(company, defect=rng.choice(DEFECTS))
        if rng.random() < CHANGED:
            fresh = self._company(company.number)
            name = rng.choice(("name", "description", "category", "plan", "seats", "revenue"))
            company = replace(company, **{name: getattr(fresh, name)})
        return company

    def _company(self, number: int) -> Company:
        rng = self.rng
        return Company(
            number=number,
            name=f"Company {number} {rng.choice('ABC')}",
            description=rng.choice((None, f"About {number}.", f"News of {number}.")),
            category=rng.choice(CATEGORIES),
            plan=rng.choice(PLANS),
            seats=rng.randint(1, 4),
            revenue=rng.randint(0, 3) * 100,
        )

    def _write(self) -> None:
        """Replaces the file atomically, so that a run in progress reads either the old rows or the new ones."""
        draft = self.path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft)
        with connection:
            connection.execute(_TABLE)
            rows = [row for company in self.live.values() for row in company.rows()]
            connection.executemany("INSERT INTO companies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.close()
        draft.rename(self.path)
