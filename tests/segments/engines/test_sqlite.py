"""SQLite: values of any type in any column, and read-only access to one file only."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import Misconfigured, Unavailable
from segments.conditions import parsing
from segments.registry import engines
from segments.sql import statements
from segments.values import natural
from tests.segments.places import Place, run_in_sqlite

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def database(files: Path, request: pytest.FixtureRequest) -> Place:
    path = files / f"{abs(hash(request.node.name))}.sqlite3"
    path.unlink(missing_ok=True)
    return run_in_sqlite(
        path,
        "create table t (id integer primary key, n integer, m numeric, b boolean, d date, at timestamp, s text, x)",
    )


def fill(place: Place, *rows: tuple[Any, ...]) -> None:
    with sqlite3.connect(place.settings["path"]) as connection:
        connection.executemany("insert into t values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()


def values(place: Place, query: str = "", **condition: Any) -> list[dict[str, Any]]:
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(**({"sql": query} if query else {"table": "t"}))}
        source = statements.relation(
            list(infos.values()), engines["sqlite"].dialect, table="" if query else "t", sql=query
        )
        tree = parsing.parse(
            {"all": [condition]} if condition else {}, {name: info.type for name, info in infos.items()}
        )
        where = statements.where(tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=PARIS)
        rows = reader.rows(statements.select(source, infos, list(infos), where), 1000)
    return [{name: natural(value, infos[name].type, PARIS) for name, value in row.items()} for row in rows]


def ids(place: Place, **condition: Any) -> list[int]:
    return [row["id"] for row in values(place, **condition)]


def test_mixed_values_in_one_column_do_not_stop_a_stream(database: Place) -> None:
    odd = ["abc", 5, 5.5, b"\xff\x00", None, 2**62, float("inf"), ""]
    fill(database, *((number, value, value, value, value, value, value, value) for number, value in enumerate(odd)))
    rows = values(database)
    assert [row["n"] for row in rows] == ["abc", 5, 5.5, "\\xff00", None, 2**62, None, ""]
    assert [row["s"] for row in rows] == ["abc", "5", "5.5", "\\xff00", None, str(2**62), "Inf", ""]


def test_odd_value_matches_only_negative_operators_and_not_empty(database: Place) -> None:
    fill(
        database,
        (1, "abc", "abc", "abc", "abc", "abc", None, None),
        (2, 5, 5.5, 1, "2026-01-31", "2026-01-31", None, None),
    )
    for field in ("n", "m"):
        assert ids(database, field=field, **{"is": "greater_than", "value": 1}) == [2]
        assert ids(database, field=field, **{"is": "not_equals", "value": 1}) == [1, 2]
    assert ids(database, field="b", **{"is": "equals", "value": True}) == [2]
    for field in ("d", "at"):
        assert ids(database, field=field, **{"is": "after", "value": "2000-01-01"}) == [2]
        assert ids(database, field=field, **{"is": "empty"}) == []


def test_times_in_text_match_in_any_format(database: Place) -> None:
    spellings = [
        "2026-01-31 09:30",
        "2026-01-31T09:30:00.000",
        "2026-01-31 08:30:00Z",
        "2026-01-31 08:30:00+00",
        "2026-01-31 03:30:00-0500",
    ]
    fill(database, *((number, None, None, None, None, text, None, None) for number, text in enumerate(spellings)))
    assert ids(database, field="at", **{"is": "between", "value": ["2026-01-31 09:30", "2026-01-31 09:30"]}) == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert ids(database, field="at", **{"is": "after", "value": "2026-01-31 09:30"}) == []


def test_text_is_compared_case_sensitively_in_a_nocase_column(files: Path, database: Place) -> None:
    with sqlite3.connect(database.settings["path"]) as connection:
        connection.execute("create table if not exists c (id integer, s text collate nocase)")
        connection.executemany("insert into c values (?, ?)", [(1, "FR"), (2, "fr")])
    connection.close()
    with database.open() as reader:
        infos = {info.name: info for info in reader.columns(table="c")}
        source = statements.relation(list(infos.values()), engines["sqlite"].dialect, table="c")
        tree = parsing.parse({"all": [{"field": "s", "is": "one_of", "value": ["FR"]}]}, {"s": "text", "id": "integer"})
        where = statements.where(tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=PARIS)
        assert reader.rows(statements.select(source, infos, ["id"], where), 9) == [{"id": "1"}]


def test_types_come_from_declarations_or_else_from_the_first_values(database: Place) -> None:
    fill(database, (1, 1, 1, 1, "2026-01-31", "2026-01-31", "a", 1.5), (2, 1, 1, 1, "2026-01-31", "2026-01-31", "a", 2))
    query = (
        "select id, b, d, x, n + 1 as n1, n * 1.5 as n2, date(d) as d2, datetime(d) as at2, s || 'x' as s2, "
        "null as none from t"
    )
    with database.open() as reader:
        types = {info.name: str(info.type) for info in reader.columns(sql=query)}
    assert types == {
        "id": "integer",
        "b": "boolean",
        "d": "date",
        "x": "number",
        "n1": "integer",
        "n2": "number",
        "d2": "date",
        "at2": "timestamp",
        "s2": "text",
        "none": "text",
    }


@pytest.mark.parametrize(
    "query",
    [
        "select load_extension('x')",
        "attach '{path}' as other",
        "pragma journal_mode = delete",
        "select * from pragma_database_list",
        "vacuum into '{path}.copy'",
        "select zeroblob(500000000)",
    ],
)
def test_query_of_a_database_reaches_nothing_else(query: str, database: Place) -> None:
    path = database.settings["path"]
    with pytest.raises(Misconfigured):
        values(database, query.format(path=path))
    assert not Path(f"{path}.copy").exists()


def test_nothing_is_written_even_without_the_authorizer(database: Place) -> None:
    with database.open() as reader:
        reader.connection.set_authorizer(None)  # type: ignore[attr-defined]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.connection.execute("delete from t")  # type: ignore[attr-defined]


def test_locked_database_is_reported_as_busy(database: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segments.engines.sqlite.session.LOCK_SECONDS", 0.1)
    writer = sqlite3.connect(database.settings["path"])
    writer.execute("begin exclusive")
    with pytest.raises(Unavailable) as busy:
        values(database)
    writer.close()
    assert busy.value.code == "source_busy"
