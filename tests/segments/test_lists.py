"""What lists contain, the same on every engine that has them: arrays, JSON documents, lists of Parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet
import pytest

from segments import conditions, sql
from segments.registry import engines
from tests.segments.places import POSTGRES_SCHEMA, Place, postgres_answers, postgres_settings, run_in_postgres, run_in_sqlite

LISTS: list[list[str | None] | None] = [
    None,
    [],
    ["a"],
    ["a", "b"],
    ["b", "c", "a"],
    ["A"],
    [None, "b"],
    ["5", "it's"],
    ["a,b"],
]
ALL = set(range(len(LISTS)))
KINDS = ["sqlite json", "postgres array", "postgres jsonb", "parquet list"]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, files: Path) -> Iterator[Place]:
    engine, kind = str(request.param).split()
    if engine == "postgres":
        if not postgres_answers():
            pytest.skip("no PostgreSQL")
        request.getfixturevalue("postgres")
    yield {"sqlite": _sqlite, "postgres": _postgres, "parquet": _parquet}[engine](files, kind)


def _sqlite(root: Path, kind: str) -> Place:
    path = root / "lists.sqlite3"
    path.unlink(missing_ok=True)
    rows = ", ".join(f"({place}, {_literal(items)})" for place, items in enumerate(LISTS))
    run_in_sqlite(path, "create table lists (id integer, tags json)", f"insert into lists values {rows}")
    return Place("sqlite", "lists", {"path": path.name})


def _postgres(root: Path, kind: str) -> Place:
    table = f"lists_{kind}"
    if kind == "array":
        rows = ", ".join(f"({place}, {_array(items)})" for place, items in enumerate(LISTS))
    else:
        rows = ", ".join(f"({place}, {_literal(items)}::jsonb)" for place, items in enumerate(LISTS))
    native = {"array": "text[]", "jsonb": "jsonb"}[kind]
    run_in_postgres(f"drop table if exists {table}", f"create table {table} (id int, tags {native})", f"insert into {table} values {rows}")
    return Place("postgres", f"{POSTGRES_SCHEMA}.{table}", postgres_settings())


def _parquet(root: Path, kind: str) -> Place:
    table = pa.table({"id": pa.array(range(len(LISTS)), pa.int64()), "tags": pa.array(LISTS, pa.list_(pa.string()))})
    pyarrow.parquet.write_table(table, root / "lists.parquet")
    return Place("parquet", "lists", {"path": "lists.parquet"})


def _literal(items: list[str | None] | None) -> str:
    return "null" if items is None else "'" + json.dumps(items).replace("'", "''") + "'"


def _array(items: list[str | None] | None) -> str:
    if items is None:
        return "null"
    return "array[" + ", ".join("null" if item is None else "'" + item.replace("'", "''") + "'" for item in items) + "]::text[]"


def found(place: Place, operator: str, value: list[Any] | None = None) -> set[int]:
    infos = place.columns()
    where = {"field": "tags", "is": operator, **({} if value is None else {"value": value})}
    tree = conditions.parse(where, {name: info.type for name, info in infos.items()})
    source = sql.relation(list(infos.values()), engines[place.slug].dialect, table=place.table)
    met = sql.where(tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=ZoneInfo("UTC"))
    with place.open() as reader:
        return {int(row["id"]) for row in reader.rows(sql.select(source, infos, ["id"], met), 100)}


WANTED = [["a"], ["a", "b"], ["b", "c"], ["A"], ["nothing"], [5], ["it's"], ["a,b"], ["x'); drop table lists; --", "a"]]


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_every_engine_finds_what_a_plain_reading_of_lists_finds(place: Place, wanted: list[Any]) -> None:
    texts = {str(one) for one in wanted}
    any_of = {number for number, items in enumerate(LISTS) if items and texts & set(items)}
    all_of = {number for number, items in enumerate(LISTS) if items and texts <= set(items)}
    assert found(place, "contains_any", wanted) == any_of
    assert found(place, "contains_all", wanted) == all_of
    assert found(place, "contains_none", wanted) == ALL - any_of


def test_a_missing_list_is_empty_and_so_is_one_without_elements(place: Place) -> None:
    assert found(place, "empty") == {0, 1}
    assert found(place, "not_empty") == ALL - {0, 1}
