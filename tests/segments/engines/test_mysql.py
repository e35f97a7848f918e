"""MySQL and MariaDB: native types, databases and conditions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from segments.conditions import parsing
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import MYSQL_DATABASE, Place, mysql_connection, mysql_settings, run_in_mysql, values

pytestmark = pytest.mark.usefixtures("mysql")
PARIS = ZoneInfo("Europe/Paris")


def place(table: str = "", **settings: Any) -> Place:
    return Place("mysql", table, {**mysql_settings(), **settings})


@pytest.fixture(scope="module")
def native(mysql: None) -> Place:
    """A table with a column of every type and one row."""
    run_in_mysql(
        "drop table if exists native",
        """create table native (
            small smallint not null, huge bigint unsigned, year year, money decimal(20,2), single float, twice double,
            flag boolean, bit bit(1), bits bit(12), day date not null, at datetime(6), instant timestamp(3) null,
            clock time, info json, word enum('a','b'), words set('a','b'), raw varbinary(10),
            latin varchar(20) character set latin1, padded char(5), place point, long_text longtext
            ) default character set utf8mb4""",
        """insert into native values (
            -2, 18446744073709551615, 2026, 12345678901234567.89, 0.1, 1e-5, true, b'1', b'101', '2026-01-31',
            '2026-01-31 09:30:00.5', '2026-01-31 08:30:00', '09:30', '{"b": [1]}', 'b', 'a,b', x'00ff', 'Zoë', 'FR',
            point(1, 2), repeat('x', 70000))""",
    )
    return place("native")


NATIVE: dict[str, tuple[str, Any]] = {
    "small": ("integer", -2),
    "huge": ("integer", 2**64 - 1),
    "year": ("integer", 2026),
    "money": ("number", Decimal("12345678901234567.89")),
    "single": ("number", 0.1),
    "twice": ("number", 1e-5),
    "flag": ("boolean", True),
    "bit": ("boolean", True),
    "bits": ("integer", 5),
    "day": ("date", date(2026, 1, 31)),
    "at": ("timestamp", datetime(2026, 1, 31, 9, 30, 0, 500_000, tzinfo=PARIS)),
    "instant": ("timestamp", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
    "clock": ("text", "09:30:00"),
    "info": ("object", {"b": [1]}),
    "word": ("text", "b"),
    "words": ("text", "a,b"),
    "raw": ("text", "\\x00ff"),
    "latin": ("text", "Zoë"),
    "padded": ("text", "FR"),
    "place": ("text", "POINT(1 2)"),
    "long_text": ("text", "x" * 70_000),
}


def test_native_values_are_read_exactly(native: Place) -> None:
    assert {name: str(info.type) for name, info in native.columns().items()} == {
        name: type for name, (type, _) in NATIVE.items()
    }
    assert values(native) == [{name: value for name, (_, value) in NATIVE.items()}]


def test_query_has_the_same_values_as_its_table(native: Place) -> None:
    row = values(native, "select * from native")[0]
    # In the result of a query, MariaDB can't distinguish JSON from text.
    assert row | {"info": {"b": [1]}} == {name: value for name, (_, value) in NATIVE.items()}


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ({"field": "single", "is": "equals", "value": 0.1}, True),
        ({"field": "huge", "is": "equals", "value": 10**17}, False),
        ({"field": "money", "is": "equals", "value": 12345678901234567}, False),
        ({"field": "bits", "is": "between", "value": [5, 5]}, True),
        ({"field": "bit", "is": "equals", "value": True}, True),
        ({"field": "raw", "is": "starts_with", "value": "\\x00"}, True),
        ({"field": "latin", "is": "ends_with", "value": "ë"}, True),
        ({"field": "latin", "is": "equals", "value": "zoë"}, False),
        ({"field": "latin", "is": "equals", "value": "Zoë "}, False),
        ({"field": "latin", "is": "contains", "value": "日本"}, False),
        ({"field": "word", "is": "one_of", "value": ["B", "b "]}, False),
        ({"field": "instant", "is": "between", "value": ["2026-01-31 09:30", "2026-01-31 09:30"]}, True),
        ({"field": "at", "is": "between", "value": ["2026-01-31 09:30:00.5", "2026-01-31 09:30:00.5"]}, True),
        ({"field": "info", "is": "empty"}, False),
    ],
)
def test_conditions_on_native_types(condition: dict[str, Any], matches: bool, native: Place) -> None:
    assert bool(values(native, **condition)) is matches


def test_zero_date_is_not_empty_and_matches_no_span() -> None:
    run_in_mysql(
        "drop table if exists zero",
        "create table zero (d date not null, f tinyint(1))",
        "set sql_mode = ''",
        "insert into zero values (0, 2)",
    )
    assert values(place("zero")) == [{"d": "0000-00-00", "f": "2"}]
    assert not values(place("zero"), field="d", **{"is": "empty"})
    assert not values(place("zero"), field="d", value="2026-01-01", **{"is": "before"})
    assert not values(place("zero"), field="f", value=True, **{"is": "equals"})


def test_empty_lists_and_objects_are_empty() -> None:
    run_in_mysql(
        "drop table if exists bags",
        "create table bags (bag json)",
        "insert into bags values ('[]'), ('{ }'), ('null'), (null)",
    )
    assert len(values(place("bags"), field="bag", **{"is": "empty"})) == 4


def test_tables_of_other_databases_are_listed_if_configured() -> None:
    other = f"{MYSQL_DATABASE}.more"
    run_in_mysql(f"create database `{other}`", f"create table `{other}`.there (id int)")
    try:
        with place(schemas=f" {other} ,mysql").open() as reader:
            assert f'"{other}".there' in reader.tables()
            assert "mysql.user" in reader.tables()
            assert [info.name for info in reader.columns(table=f'"{other}".there')] == ["id"]
        with place().open() as reader:
            assert not [name for name in reader.tables() if "there" in name or "mysql" in name]
    finally:
        run_in_mysql(f"drop database `{other}`")


def test_columns_have_their_nullability(native: Place) -> None:
    columns = native.columns()
    assert (columns["small"].nullable, columns["huge"].nullable) == (False, True)


@pytest.mark.parametrize(
    ("operator", "wanted", "matches"),
    [
        ("contains_any", ["red"], [1]),
        ("contains_any", ["3", "true"], [2]),
        ("contains_any", ["Red", "re", "O'Hara"], [3]),
        ("contains_all", ["red", "blue"], [1]),
        ("contains_none", ["red", "3"], [3, 4, 5]),
    ],
)
def test_lists_match_by_their_elements(operator: str, wanted: list[str], matches: list[int]) -> None:
    run_in_mysql(
        "drop table if exists tagged",
        "create table tagged (id int, tags json)",
        """insert into tagged values
            (1, '["red", "blue"]'), (2, '[3, true]'), (3, '["O''Hara"]'), (4, '{"red": 1}'), (5, null)""",
    )
    condition: dict[str, Any] = {"field": "tags", "is": operator, "value": wanted}
    rows = values(place("tagged"), **condition)
    assert [row["id"] for row in rows] == matches


def test_text_conditions_use_an_index_and_still_compare_bytes() -> None:
    run_in_mysql(
        """create or replace table indexed (
            id int primary key, country varchar(20) character set latin1, key by_country (country))""",
        "insert into indexed select seq, if(seq % 1000 = 0, 'FR', concat('X', seq)) from seq_1_to_20000",
        "insert into indexed values (0, 'fr'), (-1, 'FR '), (-2, null)",
    )
    infos = place("indexed").columns()
    source = statements.relation(list(infos.values()), engines["mysql"].dialect, table="indexed")
    cases = [
        ("equals", "FR", 20, "ref"),
        ("one_of", ["FR", "FR "], 21, "ref range"),
        ("one_of", ["FR", "日本"], 20, "index"),
        ("not_equals", "FR", 19_983, "index"),
    ]
    for operator, value, rows, access_types in cases:
        tree = parsing.parse(
            {"field": "country", "is": operator, "value": value}, {name: info.type for name, info in infos.items()}
        )
        where = statements.where(tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=PARIS)
        statement = statements.literal_sql(statements.count(source, where), engines["mysql"].dialect)
        with mysql_connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            assert cursor.fetchall() == ((rows,),)
            cursor.execute(f"explain {statement}")
            assert cursor.fetchall()[0][3] in access_types.split(), value
