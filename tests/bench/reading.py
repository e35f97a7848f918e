"""Reading a source: its first rows and all rows, compared with its driver; related rows, compared with plain SQL."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql

from tests.bench.setup.databases import connection_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.setup.home import Home

SERVERS = ("postgres", "mysql")
SOURCES = ("postgres", "mysql", "sqlite", "duckdb", "csv", "jsonl", "parquet")
ENDINGS = {"sqlite": "sqlite3"}
FEW = 100_000
"""Rows of the small table. Reading the large table must not take much more memory than this one."""
ORDERS_EACH = 5
COUNT_SECONDS = 600
DEFAULT_MYSQL = "mysql://root@127.0.0.1:3306"


@dataclass(frozen=True)
class Read:
    """One source.

    Args:
        first: seconds of the first preview in a process, when nothing about the source is loaded yet.
        preview, driver: seconds of a later preview, and of the same rows with the driver alone.
        seconds, rows: of a stream of all rows of the large table.
        small_rss, rss: MB above an idle worker for the small and the large table.
    """

    source: str
    first: float
    preview: float
    driver: float
    seconds: float
    rows: int
    small_rss: float
    rss: float

    @property
    def overhead(self) -> float:
        """Seconds that a preview takes in addition to the driver."""
        return self.preview - self.driver


@dataclass(frozen=True)
class Related:
    """Companies with at least two orders over 100, counted by a segment and by hand-written SQL, in seconds.

    Args:
        same: whether both counts are the same.
    """

    companies: int
    orders: int
    ours: float
    hand_written: float
    same: bool

    @property
    def ratio(self) -> float:
        """The ratio to the hand-written SQL."""
        return self.ours / self.hand_written


def mysql_server() -> str:
    """The URL of the MySQL or MariaDB server to use, or "" if none can be reached."""
    server = os.environ.get("TEST_MYSQL_URL") or DEFAULT_MYSQL
    settings = {key: value for key, value in connection_settings(server).items() if key != "database"}
    try:
        pymysql.connect(**settings, connect_timeout=2).close()
    except pymysql.MySQLError:
        return ""
    return server


def measure(home: Home, source: str, server: str, rows: int, repetitions: int, idle: float) -> Iterator[Read | Related]:
    """Writes a small and a large table, then reads both. In PostgreSQL, also counts related rows.

    Args:
        server: the URL of the database for the tables, or "" for files.
        idle: MB of an idle worker.
    """
    home.manage("migrate", "--verbosity", "0")
    for name, count in (("Small", min(FEW, rows)), ("Large", rows)):
        where, table = place(home, source, server, name)
        companies = {"rows": count, "bad_rows": False}
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
    own = [home.measure("preview", name="Large")["walls"] for _ in range(repetitions)]
    bare = [home.measure("bare_preview", engine=source, where=where, table=table)["walls"] for _ in range(repetitions)]
    few, many = (_stream(home, name, repetitions) for name in ("Small", "Large"))
    yield Read(
        source,
        _median([walls[0] for walls in own]),
        _median([wall for walls in own for wall in walls[1:]]),
        _median([wall for walls in bare for wall in walls[1:]]),
        many["wall"],
        int(many["rows"]),
        few["rss"] - idle,
        many["rss"] - idle,
    )
    if source == "postgres":
        yield _related(home, where, table, rows, repetitions)


def place(home: Home, source: str, server: str, name: str) -> tuple[str, str]:
    """The server or file of a model's table, and the name of the table."""
    table = name.lower()
    return server or str(home.sources / f"{table}.{ENDINGS.get(source, source)}"), table


def configuration(source: str, where: str) -> dict[str, Any]:
    """PURE. The settings of a source with this engine."""
    return connection_settings(where) if source in SERVERS else {"path": Path(where).name}


def _related(home: Home, where: str, table: str, rows: int, repetitions: int) -> Related:
    orders = rows * ORDERS_EACH
    home.measure("orders", where=where, table="orders", rows=orders, companies=rows)
    own = [home.measure("count_related") for _ in range(repetitions)]
    hand_written = [
        home.measure("count_hand_written", where=where, companies=table, orders="orders") for _ in range(repetitions)
    ]
    same = len({result["count"] for result in (*own, *hand_written)}) == 1
    return Related(
        rows,
        orders,
        _median([result["wall"] for result in own]),
        _median([result["wall"] for result in hand_written]),
        same,
    )


def _stream(home: Home, name: str, repetitions: int) -> dict[str, float]:
    results = [home.measure("stream", name=name) for _ in range(repetitions)]
    return {key: _median([result[key] for result in results]) for key in ("wall", "rss", "rows")}


def _median(numbers: list[float]) -> float:
    return statistics.median(numbers)
