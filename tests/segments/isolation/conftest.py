"""Sources for attacks, and what can be seen of the processes that read them."""

from __future__ import annotations

import resource
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from segments.isolation import processes
from segments.models import Source
from segments.registry import engines
from segments.session import opened
from segments.sql import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from segments.contract import Reader

ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) as x from n"
STUCK = "select instr(zeroblob(16000000), cast(zeroblob(8000000) || x'01' as blob)) as x"
"""One instruction of SQLite that takes days. It looks at no clock meanwhile, and can't be interrupted."""


def rows_of(source: Source, sql: str, seconds: float = 1.0) -> list[dict[str, Any]]:
    """The first rows of a query, as a preview reads them."""
    with opened(source, seconds) as reader:
        return rows_in(reader, source, sql)


def rows_in(reader: Reader, source: Source, sql: str = "") -> list[dict[str, Any]]:
    """The first rows of a query, or of the only table."""
    table = "" if sql else reader.tables()[0]
    infos = {info.name: info for info in reader.columns(table=table, sql=sql)}
    relation = statements.relation(list(infos.values()), engines[source.engine].dialect, table=table, sql=sql)
    return reader.rows(statements.select(relation, infos, list(infos)), 20)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(path.parent.name))
    return found


def resident() -> int:
    """The memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def wait_until(is_so: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What `is_so` returns as soon as it is true."""
    until = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


@pytest.fixture
def forker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[processes.ForkerProcess]:
    """A forker of this test's own, with a directory for temporary files of its own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(processes, "_shared", processes._Shared())
    started = processes._forker()
    yield started
    started.stop()


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Source:
    """A SQLite file with a table of 1,000 rows."""
    settings.SOURCE_FILES_ROOT = tmp_path
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("create table shop (id integer, name text)")
        database.executemany("insert into shop values (?, ?)", [(n, f"N{n}") for n in range(1_000)])
    return Source(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})


@pytest.fixture
def lake(tmp_path: Path, settings: Any) -> Source:
    """A DuckDB file with a table of 1,000 rows."""
    settings.SOURCE_FILES_ROOT = tmp_path
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as database:
        database.execute("create table shop as select range as id, 'N' || range as name from range(1000)")
    return Source(name="Lake", engine="duckdb", config={"path": "lake.duckdb"})
