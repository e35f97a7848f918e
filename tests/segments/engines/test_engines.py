"""What every engine must do, tested with each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import Misconfigured
from segments.conditions import parsing
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.registry import engines
from segments.sql import statements
from segments.values import natural
from tests.segments.places import Place, make

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Select

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 3, 31, tzinfo=UTC)
COLUMNS = {
    "id": "integer",
    "name": "text",
    "mrr": "number",
    "active": "boolean",
    "signed_on": "date",
    "seen_at": "timestamp",
    "paid_at": "timestamptz",
}
ROWS: list[dict[str, Any]] = [
    {
        "id": 1,
        "name": 'Zoë "Z", 1;\n%s :x \\',
        "mrr": 12.5,
        "active": True,
        "signed_on": date(2026, 1, 31),
        "seen_at": datetime.fromisoformat("2026-01-31 09:30:00.123456"),
        "paid_at": datetime(2026, 1, 31, 8, 30, tzinfo=UTC),
    },
    {"id": 2, "name": "", "mrr": 0.1, "active": False, "signed_on": None, "seen_at": None, "paid_at": None},
    {"id": 3, "name": None, "mrr": None, "active": None, "signed_on": None, "seen_at": None, "paid_at": None},
]
AWKWARD = ['we"ird', "per%cent %s", "co:lon :x", "spa ce", "ünï日本", "select", "q'uote", "a.b", "$1", "?", "(x)s"]


@pytest.fixture(scope="module")
def places() -> dict[str, Place]:
    """The tables created so far. No test changes one."""
    return {}


@pytest.fixture
def place(slug: str, files: Path, places: dict[str, Place]) -> Place:
    if slug not in places:
        places[slug] = make(slug, files, "companies", COLUMNS, ROWS)
    return places[slug]


def select_all(reader: Reader, place: Place, query: str = "") -> Select[Any]:
    infos = {info.name: info for info in reader.columns(**({"sql": query} if query else {"table": place.table}))}
    source = statements.relation(
        list(infos.values()), engines[place.slug].dialect, table="" if query else place.table, sql=query
    )
    return statements.select(source, infos, list(infos))


def natural_rows(place: Place, query: str = "") -> list[dict[str, Any]]:
    with place.open() as reader:
        columns = {"sql": query} if query else {"table": place.table}
        types = {info.name: info.type for info in reader.columns(**columns)}
        rows = [row for batch in reader.batches(select_all(reader, place, query)) for row in batch.to_pylist()]
    return [{name: natural(value, types[name], UTC_ZONE) for name, value in row.items()} for row in rows]


def test_values_are_read_unchanged_and_null_is_not_empty(place: Place) -> None:
    expected = [{**row, "seen_at": row["seen_at"] and row["seen_at"].replace(tzinfo=UTC)} for row in ROWS]
    assert natural_rows(place) == expected


def test_table_is_listed(place: Place) -> None:
    with place.open() as reader:
        assert place.table in reader.tables()


def test_query_is_read_like_a_table(place: Place) -> None:
    query = "select id, name as \"the %name\", '09:30 %s :y' as constant from companies where id < 3 -- 1% of :all;"
    rows = natural_rows(place, query)
    assert [(row["id"], row["constant"]) for row in sorted(rows, key=lambda row: row["id"])] == [
        (1, "09:30 %s :y"),
        (2, "09:30 %s :y"),
    ]
    assert {row["the %name"] for row in rows} == {ROWS[0]["name"], ""}


def test_query_may_end_in_a_semicolon(place: Place) -> None:
    assert len(natural_rows(place, "select id from companies;\n ; ")) == 3


def test_query_is_filtered_like_a_table(place: Place) -> None:
    query = "select id, mrr * 2 as twice from companies"
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(sql=query)}
        source = statements.relation(list(infos.values()), engines[place.slug].dialect, sql=query)
        tree = parsing.parse(
            {"all": [{"field": "twice", "is": "at_least", "value": 25}]},
            {name: info.type for name, info in infos.items()},
        )
        where = statements.where(tree, source, infos, now=NOW, zone=UTC_ZONE)
        assert [int(row["id"]) for row in reader.rows(statements.select(source, infos, ["id"], where), 10)] == [1]
        assert int(reader.rows(statements.count(source, where), 1)[0]["rows"]) == 1


def test_rows_are_limited_and_streams_keep_the_requested_order(place: Place) -> None:
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[place.slug].dialect, table=place.table)
        query = statements.select(source, infos, ["mrr", "id"])
        assert len(reader.rows(query, 2)) == 2
        assert [batch.schema.names for batch in reader.batches(query)] == [["mrr", "id"]]


def test_awkward_names_of_tables_and_columns_work(slug: str, files: Path) -> None:
    table = 'na\'sty "%s" ünï :x' if slug != "postgres" else "na'sty %s ünï :x"
    row = {name: f"value of {name}" for name in AWKWARD}
    place = make(slug, files, table, dict.fromkeys(AWKWARD, "text"), [row])
    with place.open() as reader:
        assert place.table in reader.tables()
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)
        tree = {"all": [{"field": name, "is": "ends_with", "value": name} for name in AWKWARD]}
        where = statements.where(
            parsing.parse(tree, dict.fromkeys(AWKWARD, "text")), source, infos, now=NOW, zone=UTC_ZONE
        )
        assert reader.rows(statements.select(source, infos, AWKWARD, where), 5) == [row]


@pytest.mark.parametrize("slug", ["sqlite", "postgres", "mysql", "parquet", "duckdb"], indirect=True)
def test_shown_statement_can_be_run(place: Place) -> None:
    """Except for text files: their statements treat columns as text, but in a person's SQL they have inferred types."""
    tree = {
        "all": [
            {"field": "name", "is": "contains", "value": "%s :x \\"},
            {"field": "paid_at", "is": "after", "value": "2026-01-01"},
        ]
    }
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[place.slug].dialect, table=place.table)
        parsed = parsing.parse(tree, {name: info.type for name, info in infos.items()})
        where = statements.where(parsed, source, infos, now=NOW, zone=UTC_ZONE)
        shown = statements.literal_sql(statements.select(source, infos, ["id"], where), engines[place.slug].dialect)
        assert "'%s :x" in shown
        assert [int(row["id"]) for row in reader.rows(select_all(reader, place, shown), 5)] == [1]


@pytest.mark.parametrize(
    "query",
    [
        "select 1; drop table companies",
        "select 1) as described; commit; begin; drop table companies; select (select 1",
        "select 1) as model; drop table companies; select * from (select 1",
        "drop table companies",
        "delete from companies",
        "update companies set id = 9",
        "insert into companies (id) values (9)",
        "create table other (id int)",
        "with gone as (delete from companies returning id) select * from gone",
        "selec id from companies",
        "select * from no_such_table",
        "select no_such_column from companies",
        "",
        "-- nothing",
    ],
)
def test_anything_but_one_select_is_refused_and_changes_nothing(query: str, place: Place) -> None:
    info = ColumnInfo("id", ColumnType.INTEGER)
    source = statements.relation([info], engines[place.slug].dialect, sql=query or " ")
    with place.open() as reader:
        with pytest.raises(Misconfigured):
            reader.columns(sql=query or " ")
        with pytest.raises(Misconfigured):
            list(reader.batches(statements.select(source, {"id": info}, ["id"])))
        assert sum(batch.num_rows for batch in reader.batches(select_all(reader, place))) == 3


def test_missing_table_is_named_in_the_error(place: Place) -> None:
    with place.open() as reader, pytest.raises(Misconfigured, match="no table “nope”") as refused:
        reader.columns(table="nope")
    assert refused.value.code == "table_missing"


def test_columns_have_the_types_of_the_contract(place: Place) -> None:
    assert {name: info.type for name, info in place.columns().items()} == {
        "id": ColumnType.INTEGER,
        "name": ColumnType.TEXT,
        "mrr": ColumnType.NUMBER,
        "active": ColumnType.BOOLEAN,
        "signed_on": ColumnType.DATE,
        "seen_at": ColumnType.TIMESTAMP,
        "paid_at": ColumnType.TIMESTAMP,
    }
