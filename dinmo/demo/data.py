"""The demonstration's companies: always the same two thousand, with a few awkward ones among them."""

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

    Awkward on purpose: 12 without a domain, 8 that share the domain of another one, 5 with a domain that Attio refuses, 10 of a
    category that Attio has not, every ninth without a description, names beyond ASCII, and 7 pitches longer than Intercom takes.
    """
    chance = random.Random(2026)  # noqa: S311
    for number in range(1, COUNT + 1):
        yield _company(number, chance)


def write(root: Path) -> Path:
    """Writes the companies anew into a SQLite file below `root`; its path."""
    path = root / FOLDER / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(_TABLE)
        connection.executemany(f"INSERT INTO companies VALUES ({', '.join('?' * 13)})", companies())  # noqa: S608
    connection.close()
    return path


def provide(root: Path) -> None:
    """Writes the companies where there are none yet, for people who try the screens with the simulators."""
    if not (root / FOLDER / FILE).exists():
        write(root)


def change(path: Path) -> None:
    """What happens until the second run: 25 new descriptions, 10 other plans, 3 new companies, 5 that stopped paying."""
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


def _company(number: int, chance: random.Random) -> Row:
    name = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {number}"
    country = chance.choice(COUNTRIES)
    seats, mrr = chance.randint(1, 900), chance.choice((0, 0, 49, 199.5, 990))
    if _is_awkward(number):
        country, mrr = "FR", 49
    return (
        number,
        name,
        _domain(number),
        None if number % 9 == 0 else f"{name} from {country}.",
        country,
        "Time Travel" if number % 200 == 50 else chance.choice(CATEGORIES),
        chance.choice(PLANS),
        seats,
        mrr,
        number % 7 != 0,
        f"{chance.randint(1990, 2025)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
        f"2026-{chance.randint(1, 11):02d}-{chance.randint(1, 28):02d} 09:30:00",
        "We sell a great deal. " * 20 if number % 333 == 1 else f"Ask for {name}.",
    )


def _is_awkward(number: int) -> bool:
    """Whether the domain is missing, shared or refused; those all pay, so that the segment shows them."""
    return number % 160 == 80 or number % 250 in (99, 100) or number % 400 == 10


def _domain(number: int) -> str | None:
    if number % 160 == 80:
        return None
    if number % 400 == 10:
        return f"company{number}.example"
    return f"https://www.company{number - 1}.com/" if number % 250 == 100 else f"company{number}.com"
