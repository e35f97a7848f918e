"""The source of the proof: companies that change from round to round, always in the same way for the same seed."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = 240
MOST = 500
CHANGED, UNDONE, ADDED, REMOVED, BACK, TROUBLED, MENDED = 0.3, 0.5, 0.04, 0.02, 0.3, 0.04, 0.5
CATEGORIES = ("SAAS", "E-commerce", "Accounting")
PLANS = ("free", "team", "business")
TWICE, TWIN, NO_OPTION, REFUSED = (
    "two rows with one key",
    "another row with its domain",
    "an unknown category",
    "a refused domain",
)
TROUBLES = (TWICE, TWIN, NO_OPTION, REFUSED)
TWIN_NUMBER = 100_000
_TABLE = """
    CREATE TABLE companies (
        id integer, account text, domain text, name text, description text, category text, plan text, seats integer, revenue integer
    )"""

Row = tuple[object, ...]


@dataclass(frozen=True)
class Company:
    """One company as it should stand at the destinations. The pools are small, so that former values come back."""

    number: int
    name: str
    description: str | None
    category: str
    plan: str
    seats: int
    revenue: int
    trouble: str = ""

    @property
    def account(self) -> str:
        return f"app-{self.number}"

    @property
    def domain(self) -> str:
        return f"company{self.number}.com"

    def rows(self) -> Iterator[Row]:
        """Its rows in the table: with a trouble, they are not what should be sent."""
        domain = f"company{self.number}.example" if self.trouble == REFUSED else self.domain
        category = "Time Travel" if self.trouble == NO_OPTION else self.category
        values = (self.description, category, self.plan, self.seats, self.revenue)
        yield (self.number, self.account, domain, self.name, *values)
        if self.trouble == TWICE:
            yield (self.number, self.account, domain, f"{self.name} again", *values)
        if self.trouble == TWIN:
            yield (TWIN_NUMBER + self.number, f"{self.account}-twin", domain, f"{self.name} again", *values)


class Shop:
    """The table of companies in a SQLite file.

    Args:
        path: the file; what is there is replaced.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.chance = random.Random(seed)
        self.live = {number: self._company(number) for number in range(1, FIRST + 1)}
        self.removed: dict[int, Company] = {}
        self.former: dict[int, Company] = {}
        self._write()

    def change(self) -> None:
        """What happens between two runs: changed, changed back, added, removed, returning, broken and mended rows."""
        chance = self.chance
        before, self.former = self.former, {}
        for number, company in list(self.live.items()):
            if number in before and chance.random() < UNDONE:
                self.live[number] = before[number]
                continue
            self.live[number] = self._changed(company)
            if self.live[number] != company:
                self.former[number] = company
            if chance.random() < REMOVED:
                self.removed[number] = self.live.pop(number)
        for number in [number for number in self.removed if chance.random() < BACK]:
            self.live[number] = self.removed.pop(number)
        known = len(self.live) + len(self.removed)
        for number in range(known + 1, min(MOST, known + int(FIRST * ADDED)) + 1):
            self.live[number] = self._company(number)
        self._write()

    def mend(self) -> None:
        """No row is in trouble any more."""
        self.live = {number: replace(company, trouble="") for number, company in self.live.items()}
        self._write()

    def _changed(self, company: Company) -> Company:
        chance = self.chance
        if company.trouble and chance.random() < MENDED:
            company = replace(company, trouble="")
        elif chance.random() < TROUBLED:
            company = replace(company, trouble=chance.choice(TROUBLES))
        if chance.random() < CHANGED:
            fresh = self._company(company.number)
            name = chance.choice(("name", "description", "category", "plan", "seats", "revenue"))
            company = replace(company, **{name: getattr(fresh, name)})
        return company

    def _company(self, number: int) -> Company:
        chance = self.chance
        return Company(
            number=number,
            name=f"Company {number} {chance.choice('ABC')}",
            description=chance.choice((None, f"About {number}.", f"News of {number}.")),
            category=chance.choice(CATEGORIES),
            plan=chance.choice(PLANS),
            seats=chance.randint(1, 4),
            revenue=chance.randint(0, 3) * 100,
        )

    def _write(self) -> None:
        """A new file in place of the old one, so that a run that is reading sees all of the one or all of the other."""
        draft = self.path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft)
        with connection:
            connection.execute(_TABLE)
            rows = [row for company in self.live.values() for row in company.rows()]
            connection.executemany("INSERT INTO companies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.close()
        draft.rename(self.path)
