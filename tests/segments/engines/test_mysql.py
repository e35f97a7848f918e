"""MySQL and MariaDB: native types, databases, refusals, and a server that hangs up."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
import pytest

from core.errors import Misconfigured, Problem, Unavailable
from segments.conditions import parsing
from segments.engines.mysql import failures
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import MYSQL_DATABASE, Place, mysql_connection, mysql_settings, refusal, run_in_mysql, values

pytestmark = pytest.mark.usefixtures("mysql")
PARIS = ZoneInfo("Europe/Paris")


def place(table: str = "", **settings: Any) -> Place:
    return Place("mysql", table, {**mysql_settings(), **settings})


@pytest.fixture(scope="module")
def native(mysql: None) -> Place:
    """One row of every type, and what its values are."""
    run_in_mysql(
        "drop table if exists native",
        """create table native (
            small smallint not null, huge bigint unsigned, year year, money decimal(20,2), single float, twice double, flag boolean,
            bit bit(1), bits bit(12), day date not null, at datetime(6), moment timestamp(3) null, clock time, info json,
            word enum('a','b'), words set('a','b'), raw varbinary(10), latin varchar(20) character set latin1, padded char(5),
            place point, long_text longtext) default character set utf8mb4""",
        """insert into native values (
            -2, 18446744073709551615, 2026, 12345678901234567.89, 0.1, 1e-5, true, b'1', b'101', '2026-01-31', '2026-01-31 09:30:00.5',
            '2026-01-31 08:30:00', '09:30', '{"b": [1]}', 'b', 'a,b', x'00ff', 'Zoë', 'FR', point(1, 2), repeat('x', 70000))""",
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
    "moment": ("timestamp", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
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


def test_native_types_come_through_exactly(native: Place) -> None:
    assert {name: str(info.type) for name, info in native.columns().items()} == {
        name: type for name, (type, _) in NATIVE.items()
    }
    assert values(native) == [{name: value for name, (_, value) in NATIVE.items()}]


def test_a_query_has_the_same_values_as_its_table(native: Place) -> None:
    found = values(native, "select * from native")[0]
    # A query of MariaDB can't tell JSON from text.
    assert found | {"info": {"b": [1]}} == {name: value for name, (_, value) in NATIVE.items()}


@pytest.mark.parametrize(
    ("condition", "met"),
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
        ({"field": "moment", "is": "between", "value": ["2026-01-31 09:30", "2026-01-31 09:30"]}, True),
        ({"field": "at", "is": "between", "value": ["2026-01-31 09:30:00.5", "2026-01-31 09:30:00.5"]}, True),
        ({"field": "info", "is": "empty"}, False),
    ],
)
def test_conditions_on_native_types(condition: dict[str, Any], met: bool, native: Place) -> None:
    assert bool(values(native, **condition)) is met


def test_what_is_no_date_is_not_empty_and_lies_in_no_span() -> None:
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


def test_tables_of_other_databases_are_listed_where_they_are_named() -> None:
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


def test_columns_say_whether_they_may_be_null(native: Place) -> None:
    found = native.columns()
    assert (found["small"].nullable, found["huge"].nullable) == (False, True)


def test_a_session_is_read_only_in_utc_and_without_modes() -> None:
    query = "select @@session.time_zone as zone, @@session.sql_mode as mode, @@session.tx_read_only as locked"
    assert values(place(), query) == [{"zone": "+00:00", "mode": "", "locked": 1}]


def test_a_function_that_writes_is_refused() -> None:
    run_in_mysql(
        "create or replace table kept (id int)",
        "create or replace function wipe() returns int begin delete from kept; return 1; end",
    )
    assert refusal(place(), "select wipe() as x").code == "source_read_only"


def test_no_value_of_a_row_is_told_in_a_problem() -> None:
    for query in (
        "select 9223372036854775807 + 1 as `Mrs Secret`",
        "select date_add(date 'Mrs Secret', interval 1 day) as x",
    ):
        found = refusal(place(), query)
        assert "Secret" not in found.message + found.detail


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"port": 1}, Unavailable, "source_unreachable"),
        ({"host": "no-such-host.invalid"}, Unavailable, "source_unreachable"),
        ({"database": "no_such_database", "password": ""}, Misconfigured, "source_database"),
        ({"user": "no_such_user"}, Misconfigured, "source_login"),
        ({"sslmode": "verify-full", "ssl_ca": "hello"}, Misconfigured, "source_ssl"),
        ({"sslmode": "verify-full", "ssl_cert": "-----BEGIN CERTIFICATE-----"}, Misconfigured, "source_ssl"),
        (
            {"sslmode": "verify-ca", "ssl_ca": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"},
            Misconfigured,
            "source_ssl",
        ),
    ],
)
def test_what_keeps_a_session_from_opening_is_said(settings: dict[str, Any], kind: type[Problem], code: str) -> None:
    found = refusal(place(**{"password": "hush-hush", **settings}))
    assert isinstance(found, kind)
    assert found.code == code
    assert "hush" not in found.message + found.detail


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (1040, Unavailable, "source_busy"),
        (1044, Misconfigured, "source_login"),
        (1130, Misconfigured, "source_login"),
        (3159, Misconfigured, "source_ssl"),
        (2003, Unavailable, "source_unreachable"),
    ],
)
def test_the_numbers_of_a_refused_session_are_understood(number: int, kind: type[Problem], code: str) -> None:
    found = failures.connecting(pymysql.OperationalError(number, "words"), "db", 3306)
    assert isinstance(found, kind)
    assert found.code == code


@pytest.mark.parametrize("how", ["KILL CONNECTION", "KILL QUERY"])
def test_a_session_that_is_ended_in_mid_stream_is_a_problem_and_the_next_one_works(how: str) -> None:
    run_in_mysql("create or replace table many (n int)", "insert into many select seq from seq_1_to_100000")
    query = "select a.n as x, repeat('x', 500) as y from many as a, many as b"
    with place().open() as reader:
        infos = {info.name: info for info in reader.columns(sql=query)}
        batches = reader.batches(
            statements.select(
                statements.relation(list(infos.values()), engines["mysql"].dialect, sql=query), infos, ["x", "y"]
            )
        )
        next(batches)
        with mysql_connection() as other:
            other.cursor().execute(f"{how} {reader.connection.thread_id()}")  # type: ignore[attr-defined]
        with pytest.raises(Unavailable) as lost:
            for _ in batches:
                pass
    assert lost.value.code == ("source_lost" if "CONNECTION" in how else "source_timeout")
    assert values(place(), "select 1 as x") == [{"x": 1}]


def test_an_abandoned_stream_leaves_no_statement_behind() -> None:
    run_in_mysql("create or replace table many (n int)", "insert into many select seq from seq_1_to_100000")
    info = place("many").columns()
    with place().open() as reader:
        source = statements.relation(
            list(info.values()), engines["mysql"].dialect, sql="select a.n from many as a, many as b"
        )
        batches = reader.batches(statements.select(source, info, ["n"]))
        next(batches)
        thread = reader.connection.thread_id()  # type: ignore[attr-defined]
        batches.close()  # type: ignore[attr-defined]
    with mysql_connection() as other, other.cursor() as cursor:
        for _ in range(50):
            if not cursor.execute(
                "select 1 from information_schema.processlist where id = %s and sleep(0.1) = 0", (thread,)
            ):
                return
    pytest.fail("the server goes on sending")


def test_a_row_of_many_megabytes_is_read_or_refused_in_words() -> None:
    query = "select repeat('x', {}) as x"
    assert len(values(place(), query.format(10_000_000))[0]["x"]) == 10_000_000
    with mysql_connection() as connection, connection.cursor() as cursor:
        cursor.execute("select @@max_allowed_packet")
        largest = cursor.fetchone()[0]
    if largest > 17_000_000:
        assert re.search("more than 16 MB", refusal(place(), query.format(16_900_000)).message)


@pytest.mark.parametrize(
    ("operator", "wanted", "found"),
    [
        ("contains_any", ["red"], [1]),
        ("contains_any", ["3", "true"], [2]),
        ("contains_any", ["Red", "re", "O'Hara"], [3]),
        ("contains_all", ["red", "blue"], [1]),
        ("contains_none", ["red", "3"], [3, 4, 5]),
    ],
)
def test_lists_are_asked_for_what_they_hold(operator: str, wanted: list[str], found: list[int]) -> None:
    run_in_mysql(
        "drop table if exists tagged",
        "create table tagged (id int, tags json)",
        """insert into tagged values (1, '["red", "blue"]'), (2, '[3, true]'), (3, '["O''Hara"]'), (4, '{"red": 1}'), (5, null)""",
    )
    condition: dict[str, Any] = {"field": "tags", "is": operator, "value": wanted}
    rows = values(place("tagged"), **condition)
    assert [row["id"] for row in rows] == found


def test_text_is_found_by_an_index_and_byte_by_byte_all_the_same() -> None:
    run_in_mysql(
        "create or replace table indexed (id int primary key, country varchar(20) character set latin1, key by_country (country))",
        "insert into indexed select seq, if(seq % 1000 = 0, 'FR', concat('X', seq)) from seq_1_to_20000",
        "insert into indexed values (0, 'fr'), (-1, 'FR '), (-2, null)",
    )
    where = place("indexed")
    infos = where.columns()
    source = statements.relation(list(infos.values()), engines["mysql"].dialect, table="indexed")
    asked = [
        ("equals", "FR", 20, "ref"),
        ("one_of", ["FR", "FR "], 21, "ref range"),
        ("one_of", ["FR", "日本"], 20, "index"),
    ]
    for operator, value, rows, way in [*asked, ("not_equals", "FR", 19_983, "index")]:
        tree = parsing.parse(
            {"field": "country", "is": operator, "value": value}, {name: info.type for name, info in infos.items()}
        )
        met = statements.where(tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=PARIS)
        statement = statements.literal_sql(statements.count(source, met), engines["mysql"].dialect)
        with mysql_connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            assert cursor.fetchall() == ((rows,),)
            cursor.execute(f"explain {statement}")
            assert cursor.fetchall()[0][3] in way.split(), value
