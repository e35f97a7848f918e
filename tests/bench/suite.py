"""Runs the measurements one after another, each in fresh processes and throw-away databases."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from django.conf import settings

from tests.bench import delivery, peers, planning, reading
from tests.bench.planning import Planned, Size, Whole
from tests.bench.reading import Read, Related
from tests.bench.setup.databases import databases, mysql_database
from tests.bench.setup.home import Home, at

if TYPE_CHECKING:
    from tests.bench.delivery import Delivered

DEFAULT_SERVER = "postgresql://root@127.0.0.1:5432/test"
WORKERS = (1, 2)
UNLIMITED_SECONDS = 15.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What to measure.

    Args:
        kinds: of metadata databases, "sqlite" and "postgres".
        seconds: how long a delivery lasts at the allowed rate.
    """

    size: Size
    sources: Sequence[str]
    kinds: Sequence[str]
    seconds: float


@dataclass
class Results:
    """What was measured; `drt` in seconds, or why it was not, in words."""

    rows: int
    idle: float = 0.0
    planned: list[Planned] = field(default_factory=list)
    whole: list[Whole] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    related: list[Related] = field(default_factory=list)
    drt: float = 0.0
    no_drt: str = ""


def postgres_server() -> str:
    """The PostgreSQL server to use, as an address; "" where none can be reached."""
    server = os.environ.get("TEST_POSTGRES_URL") or DEFAULT_SERVER
    try:
        psycopg.connect(server, connect_timeout=2).close()
    except psycopg.Error:
        return ""
    return server


def plan(wanted: Wanted, server: str, results: Results, say: Say) -> None:
    """Adds everything about planning to the results."""
    with workplace() as directory:
        results.idle = _idle(directory)
        for source in wanted.sources:
            with ExitStack() as stack:
                stack.callback(shutil.rmtree, directory / source, ignore_errors=True)
                home = at(directory / source, f"sqlite:///{directory / 'none.sqlite3'}")
                where = (
                    stack.enter_context(databases("postgres", directory, server)).make("source")
                    if source == "postgres"
                    else ""
                )
                say(f"Writing {wanted.size.rows:,} companies three times for {source} …")
                variants = planning.write_sources(home, source, where, wanted.size.rows)
                _plan_each(wanted, server, results, source, variants, home, say)
                if source == "sqlite":
                    _drt(results, home, variants["none"], say)


def deliver(wanted: Wanted, server: str, results: Results, say: Say) -> None:
    """Adds everything about delivering to the results."""
    with workplace() as directory:
        results.idle = _idle(directory)
        for kind in wanted.kinds:
            for service in delivery.SERVICES:
                for workers in WORKERS:
                    for unlimited in (False, True):
                        seconds = min(wanted.seconds, UNLIMITED_SECONDS) if unlimited else wanted.seconds
                        with databases(kind, directory / "home", server) as made:
                            for found in delivery.measure(
                                made, directory / "home", service, workers, seconds, unlimited
                            ):
                                say(
                                    f"{service}, {found.what}, {workers} worker(s), {kind}: {found.reached:.1f} writes/s"
                                )
                                results.delivered.append(found)
                        shutil.rmtree(directory / "home")


def read(wanted: Wanted, server: str, results: Results, say: Say) -> None:
    """Adds everything about reading to the results."""
    for source in wanted.sources:
        with workplace() as directory, _server(source, server, directory) as where:
            results.idle = results.idle or _idle(directory)
            say(f"Writing {wanted.size.rows:,} companies for {source} …")
            home = at(
                directory / source,
                f"sqlite:///{directory / 'none.sqlite3'}",
                SOURCE_PREVIEW_SECONDS=str(reading.COUNT_SECONDS),
            )
            for found in reading.measure(home, source, where, wanted.size.rows, wanted.size.repetitions, results.idle):
                if isinstance(found, Related):
                    say(f"{source}, related rows counted: {found.ours:.2f} s, {found.ratio:.2f} × by hand")
                    results.related.append(found)
                else:
                    say(
                        f"{source}: preview {found.preview * 1000:.0f} ms, all rows {found.seconds:.2f} s, {found.rss:.0f} MB"
                    )
                    results.read.append(found)


@contextmanager
def _server(source: str, server: str, directory: Path) -> Iterator[str]:
    """A throw-away database for the tables of a source, as an address; "" where it is a file."""
    if source == "postgres":
        with databases("postgres", directory, server) as made:
            yield made.make("source")
    elif source == "mysql":
        with mysql_database(reading.mysql_server()) as where:
            yield where
    else:
        yield ""


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory of this measurement's own, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=settings.VAR_DIR) as name:
        yield Path(name)


def _idle(directory: Path) -> float:
    """MB of an idle worker."""
    return float(at(directory / "idle", f"sqlite:///{directory / 'none.sqlite3'}").measure("idle")["rss"])


def _plan_each(
    wanted: Wanted, server: str, results: Results, source: str, variants: dict[str, str], home: Home, say: Say
) -> None:
    for kind in wanted.kinds:
        place = home.directory / kind
        place.mkdir()
        with databases(kind, place, server) as made:
            for found in planning.measure(made, place, source, variants, wanted.size, results.idle):
                if isinstance(found, Whole):
                    say(
                        f"{source} → {kind}, whole run without changes: {found.wall:.2f} s, {found.ratio:.2f} × the plan"
                    )
                    results.whole.append(found)
                else:
                    say(f"{source} → {kind}, {found.case}: {found.wall:.2f} s, {found.ratio:.1f} × the bare read")
                    results.planned.append(found)


def _drt(results: Results, home: Home, path: str, say: Say) -> None:
    try:
        results.drt = peers.drt_seconds(home.directory, Path(path), planning.TABLE)
        say(f"drt: {results.drt:.1f} s")
    except peers.Missing as missing:
        results.no_drt = str(missing)
        say(f"drt was left out: {missing}")
