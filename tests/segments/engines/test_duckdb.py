"""DuckDB's database files: read-only, with bounded memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from core.errors import Misconfigured, Unavailable
from segments.contract import ColumnInfo, ColumnType
from segments.engines.duckdb.database import USED, DatabaseReader
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.files import csv_file, values
from tests.segments.places import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def database(files: Path) -> Place:
    path = files / "shop.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table companies (id integer primary key, name varchar); insert into companies values (1, 'Acme')"
        )
        connection.execute(
            'create schema "sa.les"; create table "sa.les".orders (id int); create view seen as select * from companies'
        )
        connection.execute("create sequence numbers; create macro twice(x) as x * 2")
    return Place("duckdb", "companies", {"path": path.name})


def test_tables_of_a_duckdb_file_are_listed_with_their_schemas(database: Place) -> None:
    with database.open() as reader:
        assert reader.tables() == ["companies", "seen", '"sa.les".orders']
        assert [(info.name, info.nullable) for info in reader.columns(table="companies")] == [
            ("id", False),
            ("name", True),
        ]
        assert [info.name for info in reader.columns(table='"sa.les".orders')] == ["id"]
    assert values(database) == [{"id": 1, "name": "Acme"}]
    assert values(Place("duckdb", '"sa.les".orders', database.settings)) == []
    assert values(database, "select twice(count(*)) as n from seen") == [{"n": 2}]


@pytest.mark.parametrize(
    "query",
    [
        "select nextval('numbers') as n",
        "insert into companies values (2, 'Bolt')",
        "create table other (id int)",
        "attach '{folder}/other.duckdb' as other",
        "select * from read_csv('{folder}/file.csv')",
        "copy companies to '{folder}/out.csv'",
        "use memory",
        "detach source",
        "checkpoint source",
    ],
)
def test_duckdb_file_is_only_read_and_nothing_else_is_reachable(query: str, database: Place, files: Path) -> None:
    csv_file(files, "a\n1\n")
    before = (files / "shop.duckdb").read_bytes()
    with pytest.raises(Misconfigured):
        values(database, query.format(folder=files))
    assert (files / "shop.duckdb").read_bytes() == before
    assert not (files / "out.csv").exists()
    assert not (files / "other.duckdb").exists()


def test_parts_of_a_duckdb_file_are_evicted_from_memory_after_reading(database: Place, files: Path) -> None:
    with duckdb.connect(str(files / "shop.duckdb")) as connection:
        connection.execute(
            "create table many as "
            "select i as id, md5(i::varchar) || md5((i * 3)::varchar) as text from range(1000000) r(i)"
        )
    place = Place("duckdb", "many", database.settings)
    infos = {"text": ColumnInfo("text", ColumnType.TEXT, "VARCHAR")}
    everything = statements.select(
        statements.relation(list(infos.values()), engines["duckdb"].dialect, table="many"), infos, ["text"]
    )
    rows, cached = 0, []
    with place.open() as reader:
        assert isinstance(reader, DatabaseReader)
        for batch in reader.batches(everything):
            rows += batch.num_rows
            cached.append(dict(reader.settings_cursor.execute(USED).fetchall()).get(True, 0))
    assert rows == 1_000_000
    assert max(cached) < 16_000_000 < (files / "shop.duckdb").stat().st_size


def test_duckdb_file_can_have_long_rows(database: Place, files: Path) -> None:
    with duckdb.connect(str(files / "shop.duckdb")) as connection:
        connection.execute(
            "create table long as select i as id, repeat(md5(i::varchar), 2000) as text from range(5000) r(i)"
        )
    rows = values(Place("duckdb", "long", database.settings))
    assert {len(row["text"]) for row in rows} == {64_000}


def test_duckdb_file_that_another_program_writes_is_reported_as_busy(database: Place, files: Path) -> None:
    path = str(files / "shop.duckdb")
    code = f"import duckdb, sys; c = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    writer = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout
    assert writer.stdout.readline()
    with pytest.raises(Unavailable) as busy:
        values(database)
    writer.communicate()
    assert busy.value.code == "source_busy"
    assert values(database) == [{"id": 1, "name": "Acme"}]
