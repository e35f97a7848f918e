"""The demo's companies: always the same two thousand, including a few with bad data."""

from __future__ import annotations

import random
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 2_000
FOLDER = "demo"
FILE = "companies.sqlite3"
COUNTRIES = ("FR", "DE", "NL", "ES", "IT", "GB", "US", "SE")
PLANS = ("free", "starter", "team", "business")
CATEGORIES = ("SAAS", "E-commerce", "Accounting", "Education", "Automotive")
_FIRST = (
    "Blue",
    "Nord",
    "Alpha",
    "Grün",
    "Été",
    "Oak",
    "Silver",
    "Łódź",
    "Café",
    "Sol",
    "Terra",
    "Zenith",
    "São",
    "北海",
    "Fjörd",
    "Iron",
)
_SECOND = (
    "Works",
    "Labs",
    "Foods",
    "Logistics",
    "Media",
    "Énergie",
    "Systems",
    "Studio",
    "Trading",
    "Health",
    "Robotics",
    "Textil",
)
_TABLE = """
    CREATE TABLE companies (
        id integer PRIMARY KEY, name text NOT NULL, domain text, description text, country text, category text,
        plan text, seats integer, mrr numeric, active boolean, founded_on date, renewed_at timestamp, pitch text
    )"""

Row = tuple[object, ...]


def companies() -> Iterator[Row]:
    """Every company as a row of the table.

    Bad data on purpose: 12 companies have no domain, 8 share the domain of another company, 5 have a domain that Attio
    rejects, 10 have a category that does not exist in Attio, every ninth has no description, some names are not ASCII,
    and 7 pitches are longer than Intercom allows.
    """
    rng = random.Random(2026)  # noqa: S311
    for number in range(1, COUNT + 1):
        yield _company(number, rng)


def write(root: Path) -> Path:
    """Writes the companies to a new SQLite file below `root` and returns its path."""
    path = root / FOLDER / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(_TABLE)
        connection.executemany(f"INSERT INTO companies VALUES ({', '.join('?' * 13)})", companies())  # noqa: S608
    connection.close()
    return path


def write_if_missing(root: Path) -> None:
    """Writes the companies unless the file exists, for people who try the screens with the simulators."""
    if not (root / FOLDER / FILE).exists():
        write(root)


def apply_changes(path: Path) -> None:
    """Changes the source before the second run: 25 descriptions, 10 plans, 3 new companies, 5 that stopped paying."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE companies SET description = name || ' has news.' WHERE id BETWEEN 201 AND 225")
        connection.execute("UPDATE companies SET plan = 'enterprise' WHERE id BETWEEN 301 AND 310")
        connection.execute("UPDATE companies SET mrr = 0 WHERE mrr > 0 AND country = 'FR' AND id BETWEEN 400 AND 500")
        connection.executemany(
            f"INSERT INTO companies VALUES ({', '.join('?' * 13)})",  # noqa: S608
            [_company(number, random.Random(number)) for number in range(COUNT + 1, COUNT + 4)],  # noqa: S311
        )
    connection.close()


def _company(number: int, rng: random.Random) -> Row:
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {number}"
    country = rng.choice(COUNTRIES)
    seats, mrr = rng.randint(1, 900), rng.choice((0, 0, 49, 199.5, 990))
    if _has_bad_domain(number):
        country, mrr = "FR", 49
    return (
        number,
        name,
        _domain(number),
        None if number % 9 == 0 else f"{name} from {country}.",
        country,
        "Time Travel" if number % 200 == 50 else rng.choice(CATEGORIES),
        rng.choice(PLANS),
        seats,
        mrr,
        number % 7 != 0,
        f"{rng.randint(1990, 2025)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        f"2026-{rng.randint(1, 11):02d}-{rng.randint(1, 28):02d} 09:30:00",
        "We sell a great deal. " * 20 if number % 333 == 1 else f"Ask for {name}.",
    )


def _has_bad_domain(number: int) -> bool:
    """Whether the domain is missing, shared or rejected. All of these companies pay, so that the segment has them."""
    return number % 160 == 80 or number % 250 in (99, 100) or number % 400 == 10


def _domain(number: int) -> str | None:
    if number % 160 == 80:
        return None
    if number % 400 == 10:
        return f"company{number}.example"
    return f"https://www.company{number - 1}.com/" if number % 250 == 100 else f"company{number}.com"
