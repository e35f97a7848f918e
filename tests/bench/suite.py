"""Runs the measurements one after another, each in fresh processes and temporary databases."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from django.conf import settings

from tests.bench import adoption, delivery, peers, planning, reading
from tests.bench.pages import measure as page_measure
from tests.bench.planning import Planned, Size, WholeRun
from tests.bench.reading import Read, Related
from tests.bench.setup.databases import databases, mysql_database
from tests.bench.setup.home import Home, at

if TYPE_CHECKING:
    from tests.bench.adoption import Adopted
    from tests.bench.delivery import Delivered
    from tests.bench.pages.measure import Page

DEFAULT_SERVER = "postgresql://root@127.0.0.1:5432/test"
WORKERS = (1, 2)
UNLIMITED_SECONDS = 15.0

Show = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What to measure.

    Args:
        kinds: of databases for the baseline, "sqlite" and "postgres".
        seconds: duration of a delivery at the allowed rate.
    """

    size: Size
    sources: Sequence[str]
    kinds: Sequence[str]
    seconds: float


@dataclass
class Results:
    """The measurements. `drt` is in seconds; `drt_missing` is the reason if drt could not be measured."""

    rows: int
    idle: float = 0.0
    planned: list[Planned] = field(default_factory=list)
    whole: list[WholeRun] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    related: list[Related] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    drt: float = 0.0
    drt_missing: str = ""


def postgres_server() -> str:
    """The URL of the PostgreSQL server to use, or "" if none can be reached."""
    server = os.environ.get("TEST_POSTGRES_URL") or DEFAULT_SERVER
    try:
        psycopg.connect(server, connect_timeout=2).close()
    except psycopg.Error:
        return ""
    return server


def plan(wanted: Wanted, server: str, results: Results, show: Show) -> None:
    """Measures planning and adds the figures to `results`."""
    with temporary_directory() as directory:
        results.idle = _idle(directory)
        for source in wanted.sources:
            with ExitStack() as stack:
                stack.callback(shutil.rmtree, directory / source, ignore_errors=True)
                home = at(directory / source, f"sqlite:///{directory / 'none.sqlite3'}")
                where = (
                    stack.enter_context(databases("postgres", directory, server)).create("source")
                    if source == "postgres"
                    else ""
                )
                show(f"Writing {wanted.size.rows:,} companies three times for {source} …")
                variants = planning.write_sources(home, source, where, wanted.size.rows)
                _plan_each(wanted, server, results, source, variants, home, show)
                if source == "sqlite":
                    _drt(results, home, variants["none"], show)


def deliver(wanted: Wanted, server: str, results: Results, show: Show) -> None:
    """Measures delivery and adds the figures to `results`."""
    with temporary_directory() as directory:
        results.idle = _idle(directory)
        for kind, service, workers, unlimited in product(wanted.kinds, delivery.SERVICES, WORKERS, (False, True)):
            seconds = min(wanted.seconds, UNLIMITED_SECONDS) if unlimited else wanted.seconds
            home = directory / "home"
            with databases(kind, home, server) as scratch:
                for result in delivery.measure(scratch, home, service, workers, seconds, unlimited):
                    case = f"{service}, {result.what}, {workers} worker(s), {kind}"
                    show(f"{case}: {result.reached:.1f} writes/s")
                    results.delivered.append(result)
            shutil.rmtree(home)


def adopt(wanted: Wanted, server: str, results: Results, show: Show) -> None:
    """Measures adopting records that exist already and adds the figures to `results`."""
    for kind in wanted.kinds:
        with temporary_directory() as directory:
            results.idle = results.idle or _idle(directory)
            rows = min(wanted.size.rows, adoption.MOST_ROWS)
            home = directory / "home"
            with databases(kind, home, server) as scratch:
                result = adoption.measure(scratch, home, rows, min(wanted.seconds, UNLIMITED_SECONDS))
            show(f"adopting {rows:,}, {kind}: {result.run:.1f} s, {result.run / result.bare:.1f} × the bare lookups")
            results.adopted.append(result)


def read(wanted: Wanted, server: str, results: Results, show: Show) -> None:
    """Measures reading and adds the figures to `results`."""
    for source in wanted.sources:
        with temporary_directory() as directory, _server(source, server, directory) as where:
            results.idle = results.idle or _idle(directory)
            show(f"Writing {wanted.size.rows:,} companies for {source} …")
            home = at(
                directory / source,
                f"sqlite:///{directory / 'none.sqlite3'}",
                SOURCE_PREVIEW_SECONDS=str(reading.COUNT_SECONDS),
            )
            for result in reading.measure(home, source, where, wanted.size.rows, wanted.size.repetitions, results.idle):
                if isinstance(result, Related):
                    show(f"{source}, related rows counted: {result.ours:.2f} s, {result.ratio:.2f} × hand-written SQL")
                    results.related.append(result)
                else:
                    preview = f"preview {result.preview * 1000:.0f} ms"
                    show(f"{source}: {preview}, all rows {result.seconds:.2f} s, {result.rss:.0f} MB")
                    results.read.append(result)


def pages(wanted: page_measure.Wanted, server: str, results: Results, show: Show) -> None:
    """Measures the pages of a large installation and adds the figures to `results`."""
    kept = nullcontext(settings.VAR_DIR / "bench-pages")
    with kept if wanted.keep else temporary_directory() as directory:
        results.pages += page_measure.measure(directory, server, wanted, show)


@contextmanager
def _server(source: str, server: str, directory: Path) -> Iterator[str]:
    """The URL of a temporary database for the tables of a source, or "" for file sources."""
    if source == "postgres":
        with databases("postgres", directory, server) as scratch:
            yield scratch.create("source")
    elif source == "mysql":
        with mysql_database(reading.mysql_server()) as where:
            yield where
    else:
        yield ""


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """A separate directory for one measurement, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=settings.VAR_DIR) as name:
        yield Path(name)


def _idle(directory: Path) -> float:
    """MB of an idle worker."""
    return float(at(directory / "idle", f"sqlite:///{directory / 'none.sqlite3'}").measure("idle")["rss"])


def _plan_each(
    wanted: Wanted, server: str, results: Results, source: str, variants: dict[str, str], home: Home, show: Show
) -> None:
    for kind in wanted.kinds:
        place = home.directory / kind
        place.mkdir()
        with databases(kind, place, server) as scratch:
            for result in planning.measure(scratch, place, source, variants, wanted.size, results.idle):
                if isinstance(result, WholeRun):
                    times = f"{result.wall:.2f} s, {result.ratio:.2f} × the plan"
                    show(f"{source} → {kind}, whole run without changes: {times}")
                    results.whole.append(result)
                else:
                    show(f"{source} → {kind}, {result.case}: {result.wall:.2f} s, {result.ratio:.1f} × the bare read")
                    results.planned.append(result)


def _drt(results: Results, home: Home, path: str, show: Show) -> None:
    try:
        results.drt = peers.drt_seconds(home.directory, Path(path), planning.TABLE)
        show(f"drt: {results.drt:.1f} s")
    except peers.Missing as missing:
        results.drt_missing = str(missing)
        show(f"drt was skipped: {missing}")
