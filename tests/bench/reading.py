"""Reading a source: its first rows and all of them beside its bare driver, and related rows counted beside SQL written by hand."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql

from tests.bench.setup.databases import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.setup.home import Home

SERVERS = ("postgres", "mysql")
SOURCES = ("postgres", "mysql", "sqlite", "duckdb", "csv", "jsonl", "parquet")
ENDINGS = {"sqlite": "sqlite3"}
FEW = 100_000
"""Rows of the small table, beside whose memory that of the large one is put."""
ORDERS_EACH = 5
COUNT_SECONDS = 600
DEFAULT_MYSQL = "mysql://root@127.0.0.1:3306"


@dataclass(frozen=True)
class Read:
    """One source.

    Args:
        first: seconds of the first preview in a process, in which nothing is known of the source yet.
        preview, own: seconds of a later one, and of the same by the driver alone.
        seconds, rows: of a stream of all rows of the large table.
        few_rss, rss: MB above an idle worker for the small and the large table.
    """

    source: str
    first: float
    preview: float
    own: float
    seconds: float
    rows: int
    few_rss: float
    rss: float

    @property
    def beyond(self) -> float:
        """Seconds of a preview that are not the source's own."""
        return self.preview - self.own


@dataclass(frozen=True)
class Related:
    """Companies with at least two orders over 100, counted by us and by hand: seconds and whether the counts are the same."""

    companies: int
    orders: int
    ours: float
    by_hand: float
    same: bool

    @property
    def ratio(self) -> float:
        """Against the statement written by hand."""
        return self.ours / self.by_hand


def mysql_server() -> str:
    """The MySQL or MariaDB server to use, as an address; "" where none can be reached."""
    server = os.environ.get("TEST_MYSQL_URL") or DEFAULT_MYSQL
    given = {key: value for key, value in settings_of(server).items() if key != "database"}
    try:
        pymysql.connect(**given, connect_timeout=2).close()
    except pymysql.MySQLError:
        return ""
    return server


def measure(home: Home, source: str, server: str, rows: int, repetitions: int, idle: float) -> Iterator[Read | Related]:
    """Writes a small and a large table, then reads both; in PostgreSQL counts related rows too.

    Args:
        server: the address of the database that takes the tables; "" for a file.
        idle: MB of an idle worker.
    """
    home.manage("migrate", "--verbosity", "0")
    for name, count in (("Small", min(FEW, rows)), ("Large", rows)):
        where, table = place(home, source, server, name)
        companies = {"rows": count, "awkward": False}
        home.measure("write_source", kind=source, parts=[{"where": where, "table": table, "companies": companies}])
        qualified = f"public.{table}" if source == "postgres" else table
        settings = configuration(source, where)
        home.measure(
            "model",
            name=name,
            source=name if not server else "Source",
            engine=source,
            settings=settings,
            table=qualified,
        )
    where, table = place(home, source, server, "Large")
    ours = [home.measure("preview", name="Large")["walls"] for _ in range(repetitions)]
    bare = [home.measure("bare_preview", engine=source, where=where, table=table)["walls"] for _ in range(repetitions)]
    few, many = (_stream(home, name, repetitions) for name in ("Small", "Large"))
    yield Read(
        source, _median([walls[0] for walls in ours]), _median([wall for walls in ours for wall in walls[1:]]),
        _median([wall for walls in bare for wall in walls[1:]]), many["wall"], int(many["rows"]), few["rss"] - idle, many["rss"] - idle,
    )  # fmt: skip
    if source == "postgres":
        yield _related(home, where, table, rows, repetitions)


def place(home: Home, source: str, server: str, name: str) -> tuple[str, str]:
    """Where the table of a model is, a server or a file, and what it is called."""
    table = name.lower()
    return server or str(home.sources / f"{table}.{ENDINGS.get(source, source)}"), table


def configuration(source: str, where: str) -> dict[str, Any]:
    """PURE. The settings of a source of this engine."""
    return settings_of(where) if source in SERVERS else {"path": Path(where).name}


def _related(home: Home, where: str, table: str, rows: int, repetitions: int) -> Related:
    orders = rows * ORDERS_EACH
    home.measure("orders", where=where, table="orders", rows=orders, companies=rows)
    ours = [home.measure("count_related") for _ in range(repetitions)]
    by_hand = [home.measure("count_by_hand", where=where, companies=table, orders="orders") for _ in range(repetitions)]
    same = len({result["count"] for result in (*ours, *by_hand)}) == 1
    return Related(
        rows, orders, _median([one["wall"] for one in ours]), _median([one["wall"] for one in by_hand]), same
    )


def _stream(home: Home, name: str, repetitions: int) -> dict[str, float]:
    results = [home.measure("stream", name=name) for _ in range(repetitions)]
    return {key: _median([result[key] for result in results]) for key in ("wall", "rss", "rows")}


def _median(numbers: list[float]) -> float:
    return statistics.median(numbers)
