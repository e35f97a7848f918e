"""Planning against the bare read of the same rows, a look-up for each row, and drt."""

from __future__ import annotations

import json
import os
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from tests.bench.delivery import ATTIO_ATTRIBUTES, RECORD_WRITE, WRITING, workspace
from tests.bench.setup.databases import Databases, settings_of
from tests.bench.setup.home import Home, control, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SOURCES = ("postgres", "sqlite", "csv", "parquet")
FILES = {"sqlite": "companies.sqlite3", "csv": "companies_0.csv", "parquet": "companies_0.parquet"}
STATES = {"first": "none", "0 %": "none", "1 %": "some", "100 %": "all"}
TABLE = "companies_0"
NAME = "Activation 0"


@dataclass(frozen=True)
class Size:
    """How much is measured, and how often."""

    rows: int
    repetitions: int
    sample: int


@dataclass
class Planned:
    """One case: medians in seconds, MB above an idle worker, and what goes beside them."""

    source: str
    database: str
    case: str
    wall: float
    cpu: float
    rss: float
    bare: float
    statements: float
    exact: bool
    counts: dict[str, int] = field(default_factory=dict)
    orm: float = 0.0
    """Seconds of the per-row baseline for all rows, extrapolated."""
    bytes_per_record: float = 0.0

    @property
    def ratio(self) -> float:
        """Against the bare read."""
        return self.wall / self.bare


@dataclass(frozen=True)
class Whole:
    """A whole run without changes against its plan alone; `process` is the life of the whole process, with its start."""

    source: str
    database: str
    wall: float
    plan: float
    writes: int
    process: float

    @property
    def ratio(self) -> float:
        """Against the plan."""
        return self.wall / self.plan


def expected(rows: int, case: str) -> dict[str, int]:
    """PURE. The counts that planning must find exactly; 100 keys come twice and 50 rows have none."""
    some = {"known": rows * 8 // 1000, "new": rows // 1000, "left": rows * 2 // 1000} if case == "1 %" else {}
    alone = rows - 100
    given = {"first": {"new": alone}, "100 %": {"known": alone}}.get(case, some)
    counts = {"new": 0, "known": 0, "left": 0, "invalid": 250} | given
    return counts | {"unchanged": alone - counts["known"] - counts["left"] if case in ("0 %", "1 %") else 0}


def measure(
    made: Databases, directory: Path, source: str, variants: dict[str, str], size: Size, idle: float
) -> Iterator[Planned | Whole]:
    """First run, then nothing, 1 % and all changed; and the whole run without changes.

    Args:
        variants: where each state of the source is, by `Companies.changed`.
        idle: MB of an idle worker.
    """
    with opened(directory, made.make("work")) as home:
        control(home, "attio", "POST", "switches", {"attributes": ATTIO_ATTRIBUTES})
        _prepare(home, made, source, variants)
        bare = {state: _median([home.measure("read", kind=source, where=at, table=_table(source, state))["wall"]
                                for _ in range(size.repetitions)]) for state, at in variants.items()}  # fmt: skip
        for case, state in STATES.items():
            _put(home, source, state, variants[state])
            results = [_plan(home, made, "empty" if case == "first" else "accepted") for _ in range(size.repetitions)]
            planned = _planned(source, made.kind, case, results, bare[state], size, idle)
            if case == "first":
                planned.bytes_per_record = home.measure("accept")["bytes_per_record"]
                made.make("accepted", "work")
            if case == "1 %" and source == "sqlite":
                planned.orm = _orm(home, made, variants["none"], size)
            yield planned
            if case == "0 %":
                yield _whole(home, made, source, size, planned.wall)


def write_sources(home: Home, source: str, server: str, rows: int) -> dict[str, str]:
    """The three states of one source; where each is: a file in `home`, or a table on `server` ("" for files)."""
    found = {
        state: server or str(home.directory / f"{state}-{FILES[source]}") for state in dict.fromkeys(STATES.values())
    }
    parts = [
        {"where": where, "table": _table(source, state), "companies": {"rows": rows, "changed": state}}
        for state, where in found.items()
    ]
    home.measure("write_source", kind=source, parts=parts)
    return found


def configuration(source: str, where: str) -> dict[str, Any]:
    """PURE. The workspace file: all ten columns of one source to Attio."""
    made = workspace("attio", 1)
    if source == "postgres":
        made["sources"] = [{"name": "Source", "engine": "postgres", **settings_of(where)}]
        made["models"][0]["table"] = f"public.{TABLE}"
    else:
        made["sources"] = [{"name": "Source", "engine": source, "path": FILES[source]}]
    return made


def _prepare(home: Home, made: Databases, source: str, variants: dict[str, str]) -> None:
    """An installation with the activation, as the template "empty"."""
    _put(home, source, "none", variants["none"])
    home.manage("migrate", "--verbosity", "0")
    path = home.directory / "workspace.yaml"
    path.write_text(json.dumps(configuration(source, variants["none"])))
    home.manage("apply", str(path))
    made.make("empty", "work")


def _table(source: str, state: str) -> str:
    return f"companies_{state}" if source == "postgres" else TABLE


def _put(home: Home, source: str, state: str, where: str) -> None:
    """Lets the source hold this state."""
    if source == "postgres":
        with psycopg.connect(where, autocommit=True) as database:
            view = f"CREATE OR REPLACE VIEW {TABLE} AS SELECT * FROM {_table(source, state)}"
            database.execute(view.encode())
        return
    target = home.sources / FILES[source]
    target.unlink(missing_ok=True)
    os.link(where, target)


def _plan(home: Home, made: Databases, template: str) -> dict[str, Any]:
    made.make("work", template)
    return home.measure("plan", name=NAME)


def _planned(
    source: str, database: str, case: str, results: Sequence[dict[str, Any]], bare: float, size: Size, idle: float
) -> Planned:
    wanted = expected(size.rows, case)
    exact = all({name: result["counts"][name] for name in wanted} == wanted for result in results)
    if case == "first":
        exact = exact and all((result["duplicates"], result["keyless"]) == (100, 50) for result in results)
    middle = {name: _median([result[name] for result in results]) for name in ("wall", "cpu", "rss", "statements")}
    return Planned(
        source, database, case, middle["wall"], middle["cpu"], middle["rss"] - idle, bare, middle["statements"] / size.rows * 1000, exact,
        {name: results[0]["counts"][name] for name in wanted},
    )  # fmt: skip


def _orm(home: Home, made: Databases, path: str, size: Size) -> float:
    """Seconds for all rows, extrapolated from a sample."""
    made.make("work", "accepted")
    result = home.measure("orm", path=path, table=TABLE, sample=min(size.sample, size.rows))
    return float(result["wall"] / result["rows"] * size.rows)


def _whole(home: Home, made: Databases, source: str, size: Size, plan: float) -> Whole:
    walls, lives = [], []
    control(home, "attio", "DELETE", "requests")
    for _ in range(size.repetitions):
        made.make("work", "accepted")
        begun = time.perf_counter()
        walls.append(home.measure("activate", name=NAME)["wall"])
        lives.append(time.perf_counter() - begun)
    log = control(home, "attio", "GET", "requests")
    writes = sum(entry["method"] in WRITING and RECORD_WRITE.fullmatch(entry["path"]) is not None for entry in log)
    return Whole(source, made.kind, _median(walls), plan, writes, _median(lives))


def _median(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)
