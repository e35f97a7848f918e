"""What every engine must do, asked of each in turn."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from core.errors import Misconfigured, Unavailable
from segments.conditions import parsing
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.reading.prefetch import ahead
from segments.registry import engines
from segments.sql import statements
from segments.values import natural
from tests.segments.places import Place, make, run_in_mysql

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Select

UTC_ZONE = ZoneInfo("UTC")
FILES = ("csv", "parquet", "jsonl", "duckdb")
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
NASTY = ['we"ird', "per%cent %s", "co:lon :x", "spa ce", "ünï日本", "select", "q'uote", "a.b", "$1", "?", "(x)s"]


@pytest.fixture(scope="module")
def made() -> dict[str, Place]:
    """The places made so far; no test can change one."""
    return {}


@pytest.fixture
def place(slug: str, files: Path, made: dict[str, Place]) -> Place:
    if slug not in made:
        made[slug] = make(slug, files, "companies", COLUMNS, ROWS)
    return made[slug]


def whole(reader: Reader, place: Place, query: str = "") -> Select[Any]:
    infos = {info.name: info for info in reader.columns(**({"sql": query} if query else {"table": place.table}))}
    source = statements.relation(
        list(infos.values()), engines[place.slug].dialect, table="" if query else place.table, sql=query
    )
    return statements.select(source, infos, list(infos))


def read_naturally(place: Place, query: str = "") -> list[dict[str, Any]]:
    with place.open() as reader:
        columns = {"sql": query} if query else {"table": place.table}
        types = {info.name: info.type for info in reader.columns(**columns)}
        rows = [row for batch in reader.batches(whole(reader, place, query)) for row in batch.to_pylist()]
    return [{name: natural(value, types[name], UTC_ZONE) for name, value in row.items()} for row in rows]


def test_values_come_through_unchanged_and_null_is_not_empty(place: Place) -> None:
    expected = [{**row, "seen_at": row["seen_at"] and row["seen_at"].replace(tzinfo=UTC)} for row in ROWS]
    assert read_naturally(place) == expected


def test_its_table_is_listed(place: Place) -> None:
    with place.open() as reader:
        assert place.table in reader.tables()


def test_a_query_is_a_model_too(place: Place) -> None:
    query = "select id, name as \"the %name\", '09:30 %s :y' as said from companies where id < 3 -- 1% of :all;"
    rows = read_naturally(place, query)
    assert [(row["id"], row["said"]) for row in sorted(rows, key=lambda row: row["id"])] == [
        (1, "09:30 %s :y"),
        (2, "09:30 %s :y"),
    ]
    assert {row["the %name"] for row in rows} == {ROWS[0]["name"], ""}


def test_a_query_may_end_in_a_semicolon(place: Place) -> None:
    assert len(read_naturally(place, "select id from companies;\n ; ")) == 3


def test_a_query_is_filtered_like_a_table(place: Place) -> None:
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


def test_rows_ends_at_its_limit_and_a_stream_keeps_the_order_asked(place: Place) -> None:
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[place.slug].dialect, table=place.table)
        query = statements.select(source, infos, ["mrr", "id"])
        assert len(reader.rows(query, 2)) == 2
        assert [batch.schema.names for batch in reader.batches(query)] == [["mrr", "id"]]


def test_nasty_names_of_tables_and_columns_work(slug: str, files: Path) -> None:
    table = 'na\'sty "%s" ünï :x' if slug != "postgres" else "na'sty %s ünï :x"
    row = {name: f"value of {name}" for name in NASTY}
    place = make(slug, files, table, dict.fromkeys(NASTY, "text"), [row])
    with place.open() as reader:
        assert place.table in reader.tables()
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)
        tree = {"all": [{"field": name, "is": "ends_with", "value": name} for name in NASTY]}
        where = statements.where(
            parsing.parse(tree, dict.fromkeys(NASTY, "text")), source, infos, now=NOW, zone=UTC_ZONE
        )
        assert reader.rows(statements.select(source, infos, NASTY, where), 5) == [row]


@pytest.mark.parametrize("slug", ["sqlite", "postgres", "mysql", "parquet", "duckdb"], indirect=True)
def test_the_statement_shown_for_reading_runs_as_it_is(place: Place) -> None:
    """All but that of a file of text, which speaks of text while a person's SQL has the types of its values."""
    tree = {
        "all": [
            {"field": "name", "is": "contains", "value": "%s :x \\"},
            {"field": "paid_at", "is": "after", "value": "2026-01-01"},
        ]
    }
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[place.slug].dialect, table=place.table)
        tree_read = parsing.parse(tree, {name: info.type for name, info in infos.items()})
        where = statements.where(tree_read, source, infos, now=NOW, zone=UTC_ZONE)
        shown = statements.literal_sql(statements.select(source, infos, ["id"], where), engines[place.slug].dialect)
        assert "'%s :x" in shown
        assert [int(row["id"]) for row in reader.rows(whole(reader, place, shown), 5)] == [1]


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
def test_what_is_no_single_select_is_refused_and_changes_nothing(query: str, place: Place) -> None:
    info = ColumnInfo("id", ColumnType.INTEGER)
    source = statements.relation([info], engines[place.slug].dialect, sql=query or " ")
    with place.open() as reader:
        with pytest.raises(Misconfigured):
            reader.columns(sql=query or " ")
        with pytest.raises(Misconfigured):
            list(reader.batches(statements.select(source, {"id": info}, ["id"])))
        assert sum(batch.num_rows for batch in reader.batches(whole(reader, place))) == 3


def test_a_missing_table_is_named(place: Place) -> None:
    with place.open() as reader, pytest.raises(Misconfigured, match="no table 'nope'") as refused:
        reader.columns(table="nope")
    assert refused.value.code == "table_missing"


ENDLESS = {
    "sqlite": "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) as x from n",
    "mysql": "select count(*) as x from big as a, big as b, big as c, big as d where concat(a.n, b.n, c.n, d.n) = 'x'",
    "postgres": "select count(*) as x from generate_series(1, 100000000000) as n",
    **dict.fromkeys(FILES, "select count(*) as x from range(1000000000000) as numbers where hash(numbers.range) = 5"),
}


@pytest.fixture
def numbers(slug: str) -> None:
    """MySQL has no rows from nowhere."""
    if slug == "mysql":
        values = ", ".join(f"({number})" for number in range(1000))
        run_in_mysql("create table if not exists big (n int)", f"insert into big values {values}")


@pytest.mark.usefixtures("numbers")
def test_an_endless_statement_ends_after_the_time_out(place: Place) -> None:
    with place.open(timeout_seconds=0.3) as reader, pytest.raises(Unavailable) as ended:
        list(reader.batches(whole(reader, place, ENDLESS[place.slug])))
    assert ended.value.code == "source_timeout"
    assert "0.3 seconds" in ended.value.message


@pytest.mark.usefixtures("numbers")
def test_an_endless_statement_is_left_as_soon_as_nobody_wants_it(place: Place) -> None:
    begun = time.monotonic()

    def look() -> None:
        if time.monotonic() - begun > 0.3:
            raise KeyError("not wanted any more")

    info = ColumnInfo("x", ColumnType.INTEGER)
    endless = statements.select(
        statements.relation([info], engines[place.slug].dialect, sql=ENDLESS[place.slug]), {"x": info}, ["x"]
    )
    with place.open(timeout_seconds=60) as reader:
        batches = ahead(reader.batches(endless), look=look, interrupt=reader.interrupt)
        with pytest.raises(KeyError):
            next(batches)
    assert time.monotonic() - begun < 5


def test_an_abandoned_stream_lets_its_source_go(place: Place) -> None:
    with place.open() as reader:
        batches = reader.batches(whole(reader, place))
        next(batches)
        batches.close()  # type: ignore[attr-defined]


def test_a_stream_over_no_rows_is_empty(slug: str, files: Path) -> None:
    place = make(slug, files, "nobody", COLUMNS, [])
    if slug == "jsonl":
        # Nothing names its fields.
        with pytest.raises(Misconfigured, match="no objects"):
            read_naturally(place)
        return
    assert read_naturally(place) == []
    with place.open() as reader:
        assert [info.name for info in reader.columns(table=place.table)] == list(COLUMNS)


def test_a_row_of_a_single_null_is_a_row(slug: str, files: Path) -> None:
    place = make(
        slug,
        files,
        "single",
        {"name": "text", "id": "integer"},
        [{"name": name, "id": 1} for name in ("a", None, "", None)],
    )
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)
        rows = reader.rows(statements.select(source, infos, ["name"]), 10)
    assert [row["name"] for row in rows] == ["a", None, "", None]


MANY = 200_000


@pytest.fixture(scope="module")
def many() -> list[dict[str, Any]]:
    return [{"id": number, "text": f"{number:x}".ljust(100, "é")} for number in range(MANY)]


def test_a_long_table_is_read_in_batches_and_not_held(slug: str, files: Path, many: list[dict[str, Any]]) -> None:
    """Held at once, its characters would take 40 MB."""
    place = make(slug, files, "many", {"id": "integer", "text": "text"}, many)
    with place.open(timeout_seconds=60) as reader:
        query = whole(reader, place)
        before = pa.total_allocated_bytes()
        peak, batches, total = 0, 0, 0
        for batch in reader.batches(query):
            batches, total = batches + 1, total + batch.num_rows
            peak = max(peak, pa.total_allocated_bytes() - before, batch.nbytes)
    assert total == MANY
    assert batches >= 5
    assert peak < 15_000_000


def test_types_are_told_in_our_words(place: Place) -> None:
    assert {name: info.type for name, info in place.columns().items()} == {
        "id": ColumnType.INTEGER,
        "name": ColumnType.TEXT,
        "mrr": ColumnType.NUMBER,
        "active": ColumnType.BOOLEAN,
        "signed_on": ColumnType.DATE,
        "seen_at": ColumnType.TIMESTAMP,
        "paid_at": ColumnType.TIMESTAMP,
    }
