"""MySQL and MariaDB: sessions, errors, and streams that are interrupted."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
import pytest

from core.errors import Misconfigured, Problem, Unavailable
from segments.engines.mysql import failures
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import Place, mysql_connection, mysql_settings, refusal, run_in_mysql, values

pytestmark = pytest.mark.usefixtures("mysql")
PARIS = ZoneInfo("Europe/Paris")


def place(table: str = "", **settings: Any) -> Place:
    return Place("mysql", table, {**mysql_settings(), **settings})


def test_session_is_read_only_in_utc_and_without_sql_modes() -> None:
    query = "select @@session.time_zone as zone, @@session.sql_mode as mode, @@session.tx_read_only as locked"
    assert values(place(), query) == [{"zone": "+00:00", "mode": "", "locked": 1}]


def test_function_that_writes_is_refused() -> None:
    run_in_mysql(
        "create or replace table kept (id int)",
        "create or replace function wipe() returns int begin delete from kept; return 1; end",
    )
    assert refusal(place(), "select wipe() as x").code == "source_read_only"


def test_problem_contains_no_value_of_a_row() -> None:
    for query in (
        "select 9223372036854775807 + 1 as `Mrs Secret`",
        "select date_add(date 'Mrs Secret', interval 1 day) as x",
    ):
        problem = refusal(place(), query)
        assert "Secret" not in problem.message + problem.detail


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
def test_problem_explains_why_no_session_could_be_opened(
    settings: dict[str, Any], kind: type[Problem], code: str
) -> None:
    problem = refusal(place(**{"password": "hush-hush", **settings}))
    assert isinstance(problem, kind)
    assert problem.code == code
    assert "hush" not in problem.message + problem.detail


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
def test_error_numbers_of_failed_connections_are_recognized(number: int, kind: type[Problem], code: str) -> None:
    problem = failures.connecting(pymysql.OperationalError(number, "message"), "db", 3306)
    assert isinstance(problem, kind)
    assert problem.code == code


@pytest.mark.parametrize("command", ["KILL CONNECTION", "KILL QUERY"])
def test_session_killed_in_mid_stream_is_a_problem_and_the_next_one_works(command: str) -> None:
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
            other.cursor().execute(f"{command} {reader.connection.thread_id()}")  # type: ignore[attr-defined]
        with pytest.raises(Unavailable) as lost:
            for _ in batches:
                pass
    assert lost.value.code == ("source_lost" if "CONNECTION" in command else "source_timeout")
    assert values(place(), "select 1 as x") == [{"x": 1}]


def test_abandoned_stream_leaves_no_statement_running() -> None:
    run_in_mysql("create or replace table many (n int)", "insert into many select seq from seq_1_to_100000")
    infos = place("many").columns()
    with place().open() as reader:
        source = statements.relation(
            list(infos.values()), engines["mysql"].dialect, sql="select a.n from many as a, many as b"
        )
        batches = reader.batches(statements.select(source, infos, ["n"]))
        next(batches)
        thread = reader.connection.thread_id()  # type: ignore[attr-defined]
        batches.close()  # type: ignore[attr-defined]
    with mysql_connection() as other, other.cursor() as cursor:
        for _ in range(50):
            if not cursor.execute(
                "select 1 from information_schema.processlist where id = %s and sleep(0.1) = 0", (thread,)
            ):
                return
    pytest.fail("The server is still sending rows.")


def test_row_of_many_megabytes_is_read_or_refused() -> None:
    query = "select repeat('x', {}) as x"
    assert len(values(place(), query.format(10_000_000))[0]["x"]) == 10_000_000
    with mysql_connection() as connection, connection.cursor() as cursor:
        cursor.execute("select @@max_allowed_packet")
        largest = cursor.fetchone()[0]
    if largest > 17_000_000:
        assert re.search("more than 16 MB", refusal(place(), query.format(16_900_000)).message)
