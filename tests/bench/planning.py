"""Planning, compared with the bare read of the same rows, one lookup per row, and drt."""

from __future__ import annotations

import json
import os
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from tests.bench.delivery import ATTIO_ATTRIBUTES, RECORD_WRITE, WRITING, workspace
from tests.bench.setup.databases import Databases, connection_settings
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
    """The number of rows and repetitions. `sample` is the number of rows that are looked up one at a time."""

    rows: int
    repetitions: int
    sample: int


@dataclass
class Planned:
    """One case: medians in seconds, MB above an idle worker, and whether the counts are exact."""

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
    """Seconds of one lookup per row for all rows, extrapolated."""
    bytes_per_record: float = 0.0

    @property
    def ratio(self) -> float:
        """The ratio to the bare read."""
        return self.wall / self.bare


@dataclass(frozen=True)
class WholeRun:
    """A whole run without changes, and its plan alone. `process` is the whole process, including its startup."""

    source: str
    database: str
    wall: float
    plan: float
    writes: int
    process: float

    @property
    def ratio(self) -> float:
        """The ratio to the plan."""
        return self.wall / self.plan


def expected(rows: int, case: str) -> dict[str, int]:
    """PURE. The counts that planning must find exactly. 100 keys occur twice, and 50 rows have no key.

    For example, of 1,000 rows, 100 share their key with an additional row, so 900 are valid. Both rows of each
    duplicate key and the 50 rows without a key make 250 invalid ones.
    """
    partly = {"known": rows * 8 // 1000, "new": rows // 1000, "left": rows * 2 // 1000} if case == "1 %" else {}
    valid = rows - 100
    changed = {"first": {"new": valid}, "100 %": {"known": valid}}.get(case, partly)
    counts = {"new": 0, "known": 0, "left": 0, "invalid": 250} | changed
    return counts | {"unchanged": valid - counts["known"] - counts["left"] if case in ("0 %", "1 %") else 0}


def measure(
    scratch: Databases, directory: Path, source: str, variants: dict[str, str], size: Size, idle: float
) -> Iterator[Planned | WholeRun]:
    """Measures a first run, runs with 0 %, 1 % and 100 % changed, and a whole run without changes.

    Args:
        variants: the file or server with each state of the source, by `Companies.changed`.
        idle: MB of an idle worker.
    """
    with opened(directory, scratch.create("work")) as home:
        control(home, "attio", "POST", "switches", {"attributes": ATTIO_ATTRIBUTES})
        _prepare(home, scratch, source, variants)
        bare = {state: _median([home.measure("read", kind=source, where=at, table=_table(source, state))["wall"]
                                for _ in range(size.repetitions)]) for state, at in variants.items()}  # fmt: skip
        for case, state in STATES.items():
            _put(home, source, state, variants[state])
            results = [
                _plan(home, scratch, "empty" if case == "first" else "accepted") for _ in range(size.repetitions)
            ]
            planned = _planned(source, scratch.kind, case, results, bare[state], size, idle)
            if case == "first":
                planned.bytes_per_record = home.measure("accept")["bytes_per_record"]
                scratch.create("accepted", "work")
            if case == "1 %" and source == "sqlite":
                planned.orm = _orm(home, scratch, variants["none"], size)
            yield planned
            if case == "0 %":
                yield _whole(home, scratch, source, size, planned.wall)


def write_sources(home: Home, source: str, server: str, rows: int) -> dict[str, str]:
    """Writes the three states of one source to files in `home`, or to tables on `server` ("" for files).

    Returns the file or server of each state.
    """
    variants = {
        state: server or str(home.directory / f"{state}-{FILES[source]}") for state in dict.fromkeys(STATES.values())
    }
    parts = [
        {"where": where, "table": _table(source, state), "companies": {"rows": rows, "changed": state}}
        for state, where in variants.items()
    ]
    home.measure("write_source", kind=source, parts=parts)
    return variants


def configuration(source: str, where: str) -> dict[str, Any]:
    """PURE. The workspace file: one activation with all ten columns of one source, to Attio."""
    file = workspace("attio", 1)
    if source == "postgres":
        file["sources"] = [{"name": "Source", "engine": "postgres", **connection_settings(where)}]
        file["models"][0]["table"] = f"public.{TABLE}"
    else:
        file["sources"] = [{"name": "Source", "engine": source, "path": FILES[source]}]
    return file


def _prepare(home: Home, scratch: Databases, source: str, variants: dict[str, str]) -> None:
    """Creates an installation with the activation, and saves its database as the template "empty"."""
    _put(home, source, "none", variants["none"])
    home.manage("migrate", "--verbosity", "0")
    path = home.directory / "workspace.yaml"
    path.write_text(json.dumps(configuration(source, variants["none"])))
    home.manage("apply", str(path))
    scratch.create("empty", "work")


def _table(source: str, state: str) -> str:
    return f"companies_{state}" if source == "postgres" else TABLE


def _put(home: Home, source: str, state: str, where: str) -> None:
    """Switches the source to this state."""
    if source == "postgres":
        with psycopg.connect(where, autocommit=True) as database:
            view = f"CREATE OR REPLACE VIEW {TABLE} AS SELECT * FROM {_table(source, state)}"
            database.execute(view.encode())
        return
    target = home.sources / FILES[source]
    target.unlink(missing_ok=True)
    os.link(where, target)


def _plan(home: Home, scratch: Databases, template: str) -> dict[str, Any]:
    scratch.create("work", template)
    return home.measure("plan", name=NAME)


def _planned(
    source: str, database: str, case: str, results: Sequence[dict[str, Any]], bare: float, size: Size, idle: float
) -> Planned:
    counts = expected(size.rows, case)
    exact = all({name: result["counts"][name] for name in counts} == counts for result in results)
    if case == "first":
        exact = exact and all((result["duplicates"], result["keyless"]) == (100, 50) for result in results)
    medians = {name: _median([result[name] for result in results]) for name in ("wall", "cpu", "rss", "statements")}
    return Planned(
        source,
        database,
        case,
        medians["wall"],
        medians["cpu"],
        medians["rss"] - idle,
        bare,
        medians["statements"] / size.rows * 1000,
        exact,
        {name: results[0]["counts"][name] for name in counts},
    )


def _orm(home: Home, scratch: Databases, path: str, size: Size) -> float:
    """Seconds for all rows, extrapolated from a sample."""
    scratch.create("work", "accepted")
    result = home.measure("orm", path=path, table=TABLE, sample=min(size.sample, size.rows))
    return float(result["wall"] / result["rows"] * size.rows)


def _whole(home: Home, scratch: Databases, source: str, size: Size, plan: float) -> WholeRun:
    walls, lives = [], []
    control(home, "attio", "DELETE", "requests")
    for _ in range(size.repetitions):
        scratch.create("work", "accepted")
        started = time.perf_counter()
        walls.append(home.measure("activate", name=NAME)["wall"])
        lives.append(time.perf_counter() - started)
    log = control(home, "attio", "GET", "requests")
    writes = sum(entry["method"] in WRITING and RECORD_WRITE.fullmatch(entry["path"]) is not None for entry in log)
    return WholeRun(source, scratch.kind, _median(walls), plan, writes, _median(lives))


def _median(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)
