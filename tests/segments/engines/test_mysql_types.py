"""MySQL and MariaDB: single-precision numbers, keys, and privileges on single columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.segments.places import MYSQL_DATABASE, Place, mysql_connection, mysql_settings, run_in_mysql, values

pytestmark = pytest.mark.usefixtures("mysql")
FLOATS = [123456.78, 1234567.5, 0.1, -0.1, 16777216, 9999999, 0.33333334, 0, 1e-30, 1.5e38, 1.1754944e-38]
IN_CONDITIONS = FLOATS[:8]


def place(table: str = "", **settings: Any) -> Place:
    return Place("mysql", table, {**mysql_settings(), **settings})


def store(numbers: list[float]) -> None:
    rows = ", ".join(f"({place}, {float(number)!r})" for place, number in enumerate(numbers))
    run_in_mysql(
        "create table if not exists floats (id int primary key, f float, g float(10,2), key (f))",
        "delete from floats",
        f"insert into floats (id, f) values {rows}",
    )


def test_single_precision_number_is_read_with_its_shortest_spelling() -> None:
    store(FLOATS)
    run_in_mysql("update floats set g = 123456.78 where id = 0")
    rows = values(place("floats"))
    assert [row["f"] for row in rows] == FLOATS
    assert rows[0]["g"] == 123456.78


@pytest.mark.parametrize("number", IN_CONDITIONS)
def test_single_precision_number_is_found_by_its_shortest_spelling(number: float) -> None:
    store(FLOATS)
    place_of = FLOATS.index(number)
    for operator in ("equals", "at_least", "at_most"):
        condition: dict[str, Any] = {"field": "f", "is": operator, "value": number}
        assert place_of in [row["id"] for row in values(place("floats"), **condition)], operator
    for operator in ("not_equals", "greater_than", "less_than"):
        condition = {"field": "f", "is": operator, "value": number}
        assert place_of not in [row["id"] for row in values(place("floats"), **condition)], operator


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.floats(-(2.0**120), 2.0**120, width=32, allow_subnormal=False), min_size=50))
def test_different_numbers_stay_different(numbers: list[float]) -> None:
    singles = [np.float32(number) for number in numbers]
    store([float(str(single)) for single in singles])
    read = [row["f"] for row in values(place("floats"))]
    assert [np.float32(number) for number in read] == singles


def test_query_of_a_person_gets_the_same_numbers() -> None:
    store([123456.78])
    assert values(place(), "select f from floats") == [{"f": 123456.78}]


def test_table_is_read_with_the_columns_that_the_user_may_read() -> None:
    run_in_mysql(
        "create or replace table granted (id int primary key, name text, ssn text)",
        "insert into granted values (1, 'P', 'secret')",
        "create or replace user granted_reader@'127.0.0.1' identified by 'ro'",
        f"grant select (id, name), update (ssn) on `{MYSQL_DATABASE}`.granted to granted_reader@'127.0.0.1'",
    )
    try:
        limited = place("granted", user="granted_reader", password="ro")
        try:
            pymysql.connect(host=mysql_settings()["host"], user="granted_reader", password="ro").close()
        except pymysql.MySQLError:
            pytest.skip("the server sees this machine at a different address")
        with limited.open() as reader:
            assert [info.name for info in reader.columns(table="granted")] == ["id", "name"]
            assert [[info.name for info in table.columns] for table in reader.catalog()] == [["id", "name"]]
        assert values(limited) == [{"id": 1, "name": "P"}]
    finally:
        with mysql_connection() as connection, connection.cursor() as cursor:
            cursor.execute("drop user granted_reader@'127.0.0.1'")


def test_bytes_that_are_not_utf8_stay_different() -> None:
    query = "select convert(x'e961' using utf8mb4) as a, convert(x'e8' using latin1) as b, x'e9' as c, x'e8' as d"
    (row,) = values(place(), query)
    assert (row["c"], row["d"], row["b"]) == ("\\xe9", "\\xe8", "è")
