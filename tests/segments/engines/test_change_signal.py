"""The signal of a source's data differs once the data has changed, and only then if nothing else happened."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from segments.engines.postgres import changes
from segments.registry import engines
from tests.segments.places import (
    POSTGRES_SCHEMA,
    SLUGS,
    Place,
    make,
    mysql_settings,
    postgres_settings,
    run_in_mysql,
    run_in_postgres,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WITHOUT = {"redshift", "snowflake", "bigquery"}


def signal(where: Place, **what: str) -> str | None:
    with where.open() as reader:
        return reader.change_signal(**(what or {"table": where.table}))


def eventually(read: Callable[[], str | None], before: str | None, seconds: float = 15) -> bool:
    """Whether the signal differs within some seconds: a server may report a change a little later."""
    deadline = time.monotonic() + seconds
    while read() == before and time.monotonic() < deadline:
        time.sleep(0.2)
    return read() != before


def test_every_engine_says_whether_it_has_a_signal() -> None:
    assert {slug for slug, engine in engines.all.items() if not engine.signals_changes} <= WITHOUT | {"feather"}


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug in ("csv", "parquet", "jsonl", "sqlite", "duckdb")])
def test_file_that_is_written_has_a_different_signal(slug: str, files: Path) -> None:
    where = make(slug, files, f"written_{slug}", {"id": "integer"}, [{"id": 1}])
    before = signal(where)
    assert before
    assert signal(where) == before
    path = files / where.settings["path"]
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))
    assert signal(where) != before


def test_change_that_is_only_in_the_log_of_a_sqlite_file_is_noticed(files: Path) -> None:
    where = make("sqlite", files, "logged", {"id": "integer"}, [{"id": 1}])
    writer = sqlite3.connect(files / where.settings["path"], isolation_level=None)
    writer.execute("pragma journal_mode = wal")
    writer.execute("pragma wal_autocheckpoint = 0")
    before = signal(where)
    writer.execute("insert into logged values (2)")
    assert signal(where) != before
    writer.close()


def test_new_file_of_a_pattern_is_noticed(files: Path) -> None:
    where = make("csv", files, "part_1", {"id": "integer"}, [{"id": 1}])
    pattern = Place("csv", "part", {**where.settings, "path": "part_*.csv"})
    before = signal(pattern)
    make("csv", files, "part_2", {"id": "integer"}, [{"id": 2}])
    assert signal(pattern) != before


def test_committed_change_of_a_duckdb_file_is_noticed(files: Path) -> None:
    where = make("duckdb", files, "committed", {"id": "integer"}, [{"id": 1}])
    before = signal(where)
    with duckdb.connect(str(files / where.settings["path"])) as writer:
        writer.execute("insert into committed values (2)")
    assert signal(where) != before


@pytest.mark.usefixtures("postgres")
class TestPostgres:
    @staticmethod
    def read(**what: str) -> Any:
        return lambda: signal(Place("postgres", "", postgres_settings()), **what)

    @pytest.fixture(autouse=True)
    def _tables(self) -> None:
        run_in_postgres(
            "drop table if exists signal_own, signal_other, signal_parts cascade",
            "create table signal_own (id int)",
            "create table signal_other (id int)",
            "create table signal_parts (id int) partition by range (id)",
            "create table signal_part_1 partition of signal_parts for values from (0) to (10)",
            "create table signal_part_2 partition of signal_parts for values from (10) to (20)",
            "create view signal_view as select o.id from signal_own o left join signal_other x using (id)",
        )

    @pytest.mark.parametrize(
        ("what", "change"),
        [
            ({"table": "signal_own"}, "insert into signal_own values (1)"),
            ({"table": "signal_view"}, "insert into signal_own values (1)"),
            ({"table": "signal_parts"}, "insert into signal_parts values (15)"),
            (
                {"sql": "select id from signal_own union all select id from signal_other"},
                "insert into signal_other values (1)",
            ),
            ({"table": "signal_own"}, "truncate signal_own"),
        ],
    )
    def test_change_of_what_is_read_is_noticed(self, what: dict[str, str], change: str) -> None:
        read = self.read(**what)
        before = read()
        assert before
        assert read() == before
        run_in_postgres(change)
        assert eventually(read, before)

    def test_update_and_delete_are_noticed_and_other_tables_are_not(self) -> None:
        run_in_postgres("insert into signal_own values (1)")
        time.sleep(1)
        read = self.read(table="signal_own")
        assert read() == read()
        for change in ("update signal_own set id = 2", "delete from signal_own"):
            before = read()
            run_in_postgres(change)
            assert eventually(read, before)
        before = read()
        run_in_postgres("insert into signal_other values (1)")
        assert not eventually(read, before, seconds=2)

    def test_query_of_no_table_has_no_signal(self) -> None:
        assert self.read(sql="select 1 as id")() is None


def test_foreign_table_has_no_signal() -> None:
    assert changes.signal([(1, "r", 2, 3), (4, "f", 0, 0)]) is None
    assert changes.tables_of([{"Plan": {"Plans": [{"Relation Name": "t", "Schema": POSTGRES_SCHEMA}]}}]) == {
        (POSTGRES_SCHEMA, "t")
    }


@pytest.mark.usefixtures("mysql")
class TestMySQL:
    @pytest.mark.parametrize(
        "what", [{"table": "signal_own"}, {"table": "signal_view"}, {"sql": "select id from signal_own"}]
    )
    def test_change_of_what_is_read_is_noticed(self, what: dict[str, str]) -> None:
        run_in_mysql(
            "drop view if exists signal_view",
            "drop table if exists signal_own",
            "create table signal_own (id int) engine=InnoDB",
            "create view signal_view as select id from signal_own",
        )
        where = Place("mysql", "", mysql_settings())
        before = signal(where, **what)
        assert before
        time.sleep(2.1)
        settled = signal(where, **what)
        run_in_mysql("insert into signal_own values (1)")
        assert eventually(lambda: signal(where, **what), settled)
