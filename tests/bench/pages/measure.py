"""Measures the pages of a large installation, and compares their queries with those of a small one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dinmo.demo.data import write
from tests.bench.pages.asking import Asked
from tests.bench.pages.size import SMALL, Installation, large, workspace
from tests.bench.setup.databases import databases
from tests.bench.setup.home import Home, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMIT_SECONDS = 0.15
MORE_QUERIES = 2
"""How many more queries a page may need in a large installation, for example for a second page of a list."""


@dataclass(frozen=True)
class Page:
    """A page of the large installation, and its queries in the small one: None if it doesn't exist there."""

    asked: Asked
    few_queries: int | None

    @property
    def ratio(self) -> float:
        """The 95th percentile as a ratio to the limit."""
        return self.asked.p95 / LIMIT_SECONDS

    @property
    def is_constant(self) -> bool:
        """Whether its number of queries doesn't grow with the number of rows."""
        return self.few_queries is None or self.asked.queries <= self.few_queries + MORE_QUERIES

    @property
    def is_good(self) -> bool:
        """Whether it is answered within the limit, without an error, and with a constant number of queries."""
        return self.ratio <= 1 and self.is_constant and self.asked.status < 400


def measure(directory: Path, server: str, rows: int, times: int, show: Callable[[str], None]) -> list[Page]:
    """Fills both installations and requests each page `times` times in the large one, the slowest first."""
    few = {page.label: page.queries for page in _pages(directory / "small", server, SMALL, 1, show)}
    pages = _pages(directory / "large", server, large(rows), times, show)
    found = [Page(asked, few.get(asked.label)) for asked in pages]
    return sorted(found, key=lambda page: -page.asked.p95)


def _pages(directory: Path, server: str, size: Installation, times: int, show: Callable[[str], None]) -> list[Asked]:
    directory.mkdir()
    with databases("postgres", directory, server) as scratch, opened(directory, scratch.create("pages")) as home:
        _set_up(home, size)
        seconds = home.measure("fill_pages", **asdict(size))["wall"]
        show(f"Filled {size.runs:,} runs and {size.changes:,} changes in {seconds:.0f} s. Requesting pages …")
        return [Asked(**page) for page in home.measure("ask_pages", times=times)["pages"]]


def _set_up(home: Home, size: Installation) -> None:
    write(home.sources)
    home.manage("migrate", "--verbosity", "0")
    path = home.directory / "workspace.yaml"
    path.write_text(json.dumps(workspace(size.activations)))
    home.manage("apply", str(path))
