"""SQLite: bytes as keys, declared epochs, virtual tables, and bounded memory."""

from __future__ import annotations

import resource
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Misconfigured
from segments.contract import ColumnType
from segments.engines.sqlite.functions import ExactSum
from segments.models import DataModel, Source
from segments.reading import read
from segments.registry import engines
from segments.sources.discovery import refresh_columns
from segments.sources.key_check import examples, key_share
from segments.sql import statements
from tests.segments.places import Place, refusal, run_in_sqlite, values

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
UUIDS = ("a0eebc999c0b4ef8bb6d6bb9bd380ac8", "a0eebc999c0b4ef8bb6d6bb9bd380ac9")


def model(place: Place, key: str) -> DataModel:
    source = Source.objects.create(name="Shop", engine="sqlite", config=place.settings)
    model = DataModel.objects.create(name="Rows", source=source, table=place.table, primary_key=key)
    refresh_columns(model)
    return model


@pytest.fixture
def blobs(files: Path) -> Place:
    run_in_sqlite(
        files / "blobs.sqlite3",
        "drop table if exists c",
        "create table c (id blob primary key, name text)",
        f"insert into c values (x'{UUIDS[0]}', 'A'), (x'{UUIDS[1]}', 'B'), (x'', 'text'), ('text', x'00ff')",
    )
    return Place("sqlite", "c", {"path": "blobs.sqlite3"})


def test_bytes_are_read_in_hexadecimal(blobs: Place) -> None:
    assert [row["id"] for row in values(blobs)] == [f"\\x{UUIDS[0]}", f"\\x{UUIDS[1]}", "\\x", "text"]
    assert values(blobs)[3]["name"] == "\\x00ff"


@pytest.mark.parametrize(
    ("field", "operator", "value", "names"),
    [
        ("id", "equals", f"\\x{UUIDS[1]}", ["B"]),
        ("id", "one_of", [f"\\x{UUIDS[0]}", "text"], ["A", "\\x00ff"]),
        ("id", "starts_with", "\\xa0ee", ["A", "B"]),
        ("id", "ends_with", "ac9", ["B"]),
        ("id", "contains", "9c0b", ["A", "B"]),
        ("id", "not_contains", "9c0b", ["text", "\\x00ff"]),
        ("name", "equals", "\\x00ff", ["\\x00ff"]),
    ],
)
def test_bytes_are_found_as_they_are_read(
    blobs: Place, field: str, operator: str, value: Any, names: list[str]
) -> None:
    condition = {"field": field, "is": operator, "value": value}
    assert [row["name"] for row in values(blobs, **condition)] == names


def test_keys_of_bytes_are_counted_and_suggested_apart(blobs: Place) -> None:
    rows = model(blobs, "id")
    assert (key_share(rows).filled, key_share(rows).distinct) == (4, 4)
    assert examples(rows) == ""
    assert read.values(rows, "id", "AC9", limit=9) == [(f"\\x{UUIDS[1]}", 1)]


def test_texts_that_are_not_utf8_stay_different(files: Path) -> None:
    run_in_sqlite(
        files / "latin.sqlite3",
        "create table t (id text)",
        "insert into t values (cast(x'636166e9' as text)), (cast(x'636166e8' as text))",
    )
    rows = values(Place("sqlite", "t", {"path": "latin.sqlite3"}))
    assert [row["id"] for row in rows] == ["caf\\xe9", "caf\\xe8"]


@pytest.fixture
def epochs(files: Path) -> Place:
    run_in_sqlite(
        files / "epochs.sqlite3",
        "drop table if exists e",
        "create table e (id integer primary key, at integer, ms integer, plain integer, code integer)",
        "insert into e values (1, 1719792000, 1719792000500, 1719792000, 7), (2, null, null, null, 8)",
        "insert into e values (3, 'soon', -1, 5, 9)",
    )
    declared = {"e.at": "epoch_seconds", "ms": "epoch_milliseconds", "code": "text"}
    return Place("sqlite", "e", {"path": "epochs.sqlite3", "columns": declared})


def test_declared_epoch_is_a_time(epochs: Place) -> None:
    rows = values(epochs)
    assert rows[0]["at"] == datetime(2024, 7, 1, tzinfo=UTC)
    assert rows[0]["ms"] == datetime(2024, 7, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert (rows[0]["plain"], rows[0]["code"]) == (1719792000, "7")
    assert (rows[1]["at"], rows[2]["at"]) == (None, "soon")
    assert rows[2]["ms"] == datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    assert {name: info.type for name, info in epochs.columns().items()} == {
        "id": ColumnType.INTEGER,
        "at": ColumnType.TIMESTAMP,
        "ms": ColumnType.TIMESTAMP,
        "plain": ColumnType.INTEGER,
        "code": ColumnType.TEXT,
    }


@pytest.mark.parametrize("field", ["at", "ms"])
@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("on", "2024-07-01", True),
        ("before", "2024-07-02", True),
        ("after", "2024-07-01", False),
        ("more_than_ago", "1 day", True),
        ("empty", None, False),
        ("not_empty", None, True),
    ],
)
def test_conditions_on_a_declared_epoch(epochs: Place, field: str, operator: str, value: Any, found: bool) -> None:
    operand = {} if value is None else {"value": value}
    rows = values(epochs, **{"field": field, "is": operator, **operand})
    assert (1 in [row["id"] for row in rows]) is found


def test_declared_epoch_of_a_query_is_a_time_and_limits_sort_by_it(epochs: Place) -> None:
    assert values(epochs, "select id, ms from e where id = 1")[0]["ms"].date() == date(2024, 7, 1)
    rows = model(epochs, "id")
    first = read.Selection(rows, {}, {"rows": 1, "order_by": "at"})
    assert [row["id"] for row in read.preview(first, now=datetime(2026, 3, 31, tzinfo=UTC))] == [1]


VIRTUAL = [
    "create virtual table docs using fts5(name, body)",
    "insert into docs values ('Acme', 'makes anvils'), ('Globex', 'makes plans')",
    "create virtual table old using fts4(name)",
    "insert into old values ('Acme')",
    "create virtual table boxes using rtree(id, least, most)",
    "insert into boxes values (1, 0, 2)",
    "create virtual table terms using fts5vocab(docs, row)",
]


@pytest.fixture
def virtual(files: Path) -> Place:
    path = files / "virtual.sqlite3"
    if not path.exists():
        run_in_sqlite(path, *VIRTUAL)
    return Place("sqlite", "docs", {"path": path.name})


def test_virtual_tables_are_listed_without_their_own_data(virtual: Place) -> None:
    with virtual.open() as reader:
        assert reader.tables() == ["boxes", "docs", "old", "terms"]
        assert [info.name for info in reader.columns(table="docs")] == ["name", "body"]
        assert [info.name for info in reader.columns(table="boxes")] == ["id", "least", "most"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select name from docs where docs match 'anvils'", [{"name": "Acme"}]),
        ("select name from docs order by rank", [{"name": "Acme"}, {"name": "Globex"}]),
        ("select highlight(docs, 0, '[', ']') as x from docs where name match 'acme'", [{"x": "[Acme]"}]),
        ("select name from old where old match 'acme'", [{"name": "Acme"}]),
        ("select id, most from boxes where least < 1", [{"id": 1, "most": 2.0}]),
        ("select count(*) as n from terms", [{"n": 5}]),
        ("select value from json_each('[1, 2]')", [{"value": 1}, {"value": 2}]),
        ("select key from json_tree('{\"a\": 1}') where key is not null", [{"key": "a"}]),
    ],
)
def test_virtual_tables_can_be_read(virtual: Place, query: str, rows: list[dict[str, Any]]) -> None:
    assert values(virtual, query) == rows


@pytest.mark.parametrize("table", ["docs", "old", "boxes"])
def test_virtual_table_is_read_as_a_model(virtual: Place, table: str) -> None:
    assert values(Place("sqlite", table, virtual.settings))


@pytest.mark.parametrize(
    "query",
    [
        "insert into docs (docs) values ('rebuild')",
        "insert into boxes values (2, 0, 1)",
        "select * from pragma_database_list",
        "pragma data_version = 3",
        "pragma journal_mode",
        "create virtual table more using fts5(x)",
    ],
)
def test_nothing_else_is_allowed_for_their_sake(virtual: Place, query: str) -> None:
    assert refusal(virtual, query).code in ("source_read_only", "source_refused")


@pytest.mark.parametrize(
    "query",
    [
        "select hex(zeroblob(49000000)) as x",
        "select zeroblob(900000000) as x",
        "select replace(hex(zeroblob(8000000)), '00', '0000000000') as x",
        "select " + ", ".join(f"hex(zeroblob({7_500_000 + place})) as c{place}" for place in range(60)),
        "select group_concat(hex(zeroblob(1000000))) as x from json_each('[1,2,3,4,5,6,7,8,9,10]')",
    ],
)
def test_value_or_row_that_is_too_large_is_refused(virtual: Place, query: str) -> None:
    problem = refusal(virtual, query)
    assert isinstance(problem, Misconfigured)
    assert problem.code == "source_too_large"


def test_rows_of_large_values_are_read_in_bounded_memory(virtual: Place) -> None:
    """300 rows of 7.5 MB each, of which few are in memory at a time."""
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) "
    query = f"{numbers} select i, case when i > 50 then hex(zeroblob(3750000)) end as x from n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with virtual.open(60) as reader:
        infos = {info.name: info for info in reader.columns(sql=query)}
        source = statements.relation(list(infos.values()), engines["sqlite"].dialect, sql=query)
        rows = sum(batch.num_rows for batch in reader.batches(statements.select(source, infos, list(infos))))
    assert rows == 300
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


@given(st.lists(st.floats(-1e12, 1e12)))
def test_sum_is_exact_in_constant_memory(numbers: list[float]) -> None:
    total = ExactSum()
    for number in numbers:
        total.step(number)
    assert len(total.partials) < 60
    if numbers:
        assert total.finalize() == round(float(sum(map(Fraction, numbers))), 6)


def test_sum_of_many_rows_keeps_few_numbers() -> None:
    total = ExactSum()
    for number in range(200_000):
        total.step(number / 7)
    assert len(total.partials) < 10
