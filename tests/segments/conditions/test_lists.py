"""Conditions on lists match the same rows on every engine: arrays, JSON documents, and lists in Parquet files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest

from segments.conditions import parsing
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import (
    ANSWERS,
    POSTGRES_SCHEMA,
    Place,
    mysql_connection,
    mysql_settings,
    postgres_settings,
    run_in_mysql,
    run_in_postgres,
    run_in_sqlite,
)

if TYPE_CHECKING:
    from pathlib import Path

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
    ["café", "c/d", "👍🏽"],
]
ALL = set(range(len(LISTS)))
KINDS = ["sqlite json", "postgres array", "postgres jsonb", "mysql json", "parquet list", "duckdb list", "jsonl list"]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, files: Path) -> Place:
    engine, kind = str(request.param).split()
    if engine in ANSWERS:
        request.getfixturevalue(engine)
    return _MAKERS[engine](files, kind)


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
    run_in_postgres(
        f"drop table if exists {table}",
        f"create table {table} (id int, tags {native})",
        f"insert into {table} values {rows}",
    )
    return Place("postgres", f"{POSTGRES_SCHEMA}.{table}", postgres_settings())


def _mysql(root: Path, kind: str) -> Place:
    run_in_mysql("create or replace table lists (id int, tags json)")
    with mysql_connection() as connection, connection.cursor() as cursor:
        # json.dumps escapes characters outside ASCII; the engine has to decode them.
        cursor.executemany("insert into lists values (%s, %s)", _documents())
    return Place("mysql", "lists", mysql_settings())


def _documents() -> list[tuple[int, str | None]]:
    return [(place, None if items is None else json.dumps(items)) for place, items in enumerate(LISTS)]


def _jsonl(root: Path, kind: str) -> Place:
    lines = [json.dumps({"id": place, "tags": items}) for place, items in enumerate(LISTS)]
    (root / "lists.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Place("jsonl", "lists", {"path": "lists.jsonl"})


def _duckdb(root: Path, kind: str) -> Place:
    (root / "lists.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(root / "lists.duckdb")) as connection:
        connection.execute("create table lists (id integer, tags varchar[])")
        connection.executemany("insert into lists values (?, ?)", [[place, items] for place, items in enumerate(LISTS)])
    return Place("duckdb", "lists", {"path": "lists.duckdb"})


def _parquet(root: Path, kind: str) -> Place:
    table = pa.table({"id": pa.array(range(len(LISTS)), pa.int64()), "tags": pa.array(LISTS, pa.list_(pa.string()))})
    pyarrow.parquet.write_table(table, root / "lists.parquet")
    return Place("parquet", "lists", {"path": "lists.parquet"})


_MAKERS = {
    "sqlite": _sqlite,
    "postgres": _postgres,
    "mysql": _mysql,
    "parquet": _parquet,
    "duckdb": _duckdb,
    "jsonl": _jsonl,
}


def _literal(items: list[str | None] | None) -> str:
    return "null" if items is None else "'" + json.dumps(items).replace("'", "''") + "'"


def _array(items: list[str | None] | None) -> str:
    if items is None:
        return "null"
    return (
        "array["
        + ", ".join("null" if item is None else "'" + item.replace("'", "''") + "'" for item in items)
        + "]::text[]"
    )


def matching(place: Place, operator: str, value: list[Any] | None = None) -> set[int]:
    infos = place.columns()
    where = {"field": "tags", "is": operator, **({} if value is None else {"value": value})}
    tree = parsing.parse(where, {name: info.type for name, info in infos.items()})
    source = statements.relation(list(infos.values()), engines[place.slug].dialect, table=place.table)
    condition = statements.where(tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=ZoneInfo("UTC"))
    with place.open() as reader:
        return {int(row["id"]) for row in reader.rows(statements.select(source, infos, ["id"], condition), 100)}


WANTED = [
    ["a"],
    ["a", "b"],
    ["b", "c"],
    ["A"],
    ["nothing"],
    [5],
    ["it's"],
    ["a,b"],
    ["café"],
    ["c/d", "👍🏽"],
    ["x'); drop table lists; --", "a"],
]


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_every_engine_finds_the_same_lists_as_plain_python(place: Place, wanted: list[Any]) -> None:
    texts = {str(element) for element in wanted}
    any_of = {number for number, items in enumerate(LISTS) if items and texts & set(items)}
    all_of = {number for number, items in enumerate(LISTS) if items and texts <= set(items)}
    assert matching(place, "contains_any", wanted) == any_of
    assert matching(place, "contains_all", wanted) == all_of
    assert matching(place, "contains_none", wanted) == ALL - any_of


def test_missing_lists_and_lists_without_elements_are_empty(place: Place) -> None:
    assert matching(place, "empty") == {0, 1}
    assert matching(place, "not_empty") == ALL - {0, 1}


def test_a_condition_can_have_ten_thousand_elements(place: Place) -> None:
    many = [f"it's {number} %s" for number in range(9_999)]
    assert matching(place, "contains_any", [*many, "a"]) == {2, 3, 4}
    assert matching(place, "contains_none", [*many, "a"]) == ALL - {2, 3, 4}
    assert matching(place, "contains_all", [*many, "a"]) == set()
