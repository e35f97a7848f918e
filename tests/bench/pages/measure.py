"""Measures the pages of a large installation, and compares them with those of a small one."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dinmo.demo.data import write
from tests.bench.pages.asking import Asked
from tests.bench.pages.size import SMALL, Installation, large, workspace
from tests.bench.setup.databases import Databases
from tests.bench.setup.home import Home, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Show = Callable[[str], None]

LIMIT_SECONDS = 0.15
SMALL_TIMES = 5
"""How often each page of the small installation is requested, at most."""
KEPT = "pages"
"""In the names of the databases that are kept."""


@dataclass(frozen=True)
class Wanted:
    """What to measure.

    Args:
        rows: see `size.large`.
        times: how often each page of the large installation is requested.
        only: a part of the names of the pages to measure; "" measures all.
        keep: whether to keep both installations, and to use those that were kept before.
    """

    rows: int
    times: int
    only: str = ""
    keep: bool = False


@dataclass(frozen=True)
class Page:
    """A page of the large installation, and the same page of the small one."""

    asked: Asked
    small: Asked

    @property
    def is_quick(self) -> bool:
        """Whether the 95th percentile is within the limit."""
        return self.asked.p95 <= LIMIT_SECONDS

    @property
    def is_constant(self) -> bool:
        """Whether its number of queries doesn't grow with the installation."""
        return self.asked.queries <= self.small.queries

    @property
    def is_answered(self) -> bool:
        """Whether both answer it without an error."""
        return max(self.asked.status, self.small.status) < 400

    @property
    def is_good(self) -> bool:
        """Whether it is answered within the limit, without an error, and with a constant number of queries."""
        return self.is_quick and self.is_constant and self.is_answered


def measure(directory: Path, server: str, wanted: Wanted, show: Show) -> list[Page]:
    """Fills both installations, or takes those that were kept, and requests their pages. Returns the slowest first."""
    small = {asked.page: asked for asked in _pages(directory / "small", server, SMALL, wanted, show)}
    many = _pages(directory / "large", server, large(wanted.rows), wanted, show)
    return sorted((Page(asked, small[asked.page]) for asked in many), key=lambda page: -page.asked.p95)


def _pages(directory: Path, server: str, size: Installation, wanted: Wanted, show: Show) -> list[Asked]:
    times = min(wanted.times, SMALL_TIMES) if size == SMALL else wanted.times
    with _installation(directory, server, size, wanted.keep, show) as home:
        measured = home.measure("ask_pages", times=times, only=wanted.only)
        pages = measured["pages"]
        show(f"Requested {len(pages)} pages of the {directory.name} installation in {measured['wall']:.0f} s.")
    return [Asked(**page) for page in pages]


@contextmanager
def _installation(directory: Path, server: str, size: Installation, keep: bool, show: Show) -> Iterator[Home]:
    """A filled installation with running simulators. Its database is dropped at the end, unless it is kept."""
    scratch = Databases("postgres", directory, server, KEPT if keep else "")
    noted = directory / "filled.json"
    is_filled = keep and noted.exists() and json.loads(noted.read_text()) == asdict(size)
    if not is_filled:
        shutil.rmtree(directory, ignore_errors=True)
    name = directory.name
    try:
        with opened(directory, scratch.url(name) if is_filled else scratch.create(name)) as home:
            home.manage("migrate", "--verbosity", "0")
            if not is_filled:
                _fill(home, size, show)
                noted.write_text(json.dumps(asdict(size)))
            yield home
    finally:
        if not keep:
            scratch.drop()


def _fill(home: Home, size: Installation, show: Show) -> None:
    write(home.sources)
    path = home.directory / "workspace.yaml"
    path.write_text(json.dumps(workspace(size.activations)))
    home.manage("apply", str(path))
    seconds = home.measure("fill_pages", **asdict(size))["wall"]
    show(f"Filled {size.runs:,} runs and {size.changes:,} changes in {seconds:.0f} s.")
