"""PostgreSQL: native types, schemas and errors."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from core.errors import Misconfigured, Problem, Unavailable
from core.pg_copy import copy_out
from segments.engines.batches import LARGEST_ROW
from segments.engines.postgres import failures
from segments.engines.watchdog import hang_up
from segments.registry import engines
from segments.sql import statements
from tests.segments.places import (
    POSTGRES_SCHEMA,
    POSTGRES_URL,
    Place,
    postgres_settings,
    refusal,
    run_in_postgres,
    values,
)

pytestmark = pytest.mark.usefixtures("postgres")
PARIS = ZoneInfo("Europe/Paris")


def place(table: str = "", **settings: Any) -> Place:
    return Place("postgres", table, {**postgres_settings(), **settings})


NATIVE = """
    select 2::smallint as small, 12345678901234567.89::numeric(20, 2) as money, 'NaN'::numeric as nothing,
           0.1::real as single, 'Infinity'::float8 as endless, array['a', null] as tags, array[[1, 2]] as grid,
           '{"b": [1]}'::jsonb as info, '"x"'::json as word, 'FR '::char(3) as padded,
           'a1b2c3d4-0000-0000-0000-000000000000'::uuid as guid, '\\x00ff'::bytea as raw,
           interval '1 day 2 hours' as length, time '09:30' as clock, 'infinity'::date as never,
           '0044-03-15 BC'::date as ides, timestamptz '2026-01-31 09:30+01' as zoned, 12.5::money::text as cash
"""


def test_native_values_are_read_exactly(postgres: None) -> None:
    assert values(place(), NATIVE) == [
        {
            "small": 2,
            "money": Decimal("12345678901234567.89"),
            "nothing": None,
            "single": 0.1,
            "endless": None,
            "tags": ["a", None],
            "grid": [[1, 2]],
            "info": {"b": [1]},
            "word": "x",
            "padded": "FR",
            "guid": "a1b2c3d4-0000-0000-0000-000000000000",
            "raw": "\\x00ff",
            "length": "P1DT2H",
            "clock": "09:30:00",
            "never": "infinity",
            "ides": "0044-03-15 BC",
            "zoned": datetime(2026, 1, 31, 8, 30, tzinfo=UTC),
            "cash": "$12.50",
        }
    ]


def test_columns_have_their_type_and_their_native_type() -> None:
    with place().open() as reader:
        types = {info.name: (str(info.type), info.native) for info in reader.columns(sql=NATIVE)}
    assert types["small"] == ("integer", "smallint")
    assert types["money"] == ("number", "numeric")
    assert types["tags"] == ("list", "text[]")
    assert types["info"] == ("object", "jsonb")
    assert types["guid"] == ("text", "uuid")
    assert types["zoned"] == ("timestamp", "timestamp with time zone")


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ({"field": "guid", "is": "starts_with", "value": "a1b2"}, True),
        ({"field": "guid", "is": "equals", "value": "no uuid"}, False),
        ({"field": "padded", "is": "equals", "value": "FR"}, True),
        ({"field": "single", "is": "equals", "value": 0.1}, True),
        ({"field": "nothing", "is": "empty"}, True),
        ({"field": "nothing", "is": "greater_than", "value": 1}, False),
        ({"field": "endless", "is": "greater_than", "value": 1}, False),
        ({"field": "endless", "is": "not_equals", "value": 1}, True),
        ({"field": "never", "is": "after", "value": "2026-01-01"}, False),
        ({"field": "ides", "is": "before", "value": "2026-01-01"}, False),
        ({"field": "never", "is": "not_empty"}, True),
        ({"field": "tags", "is": "not_empty"}, True),
        ({"field": "info", "is": "empty"}, False),
    ],
)
def test_conditions_on_native_types(condition: dict[str, Any], matches: bool) -> None:
    assert bool(values(place(), NATIVE, **condition)) is matches


def test_empty_lists_and_objects_are_empty() -> None:
    query = "select array[]::text[] as tags, '{ }'::json as info, 'null'::jsonb as nothing"
    for field in ("tags", "info", "nothing"):
        assert values(place(), query, field=field, **{"is": "empty"})
        assert not values(place(), query, field=field, **{"is": "not_empty"})


def test_tables_are_listed_with_their_schema() -> None:
    run_in_postgres('create table if not exists "od.d" (id int)', "create or replace view seen as select 1 as id")
    with place().open() as reader:
        names = reader.tables()
        assert f'{POSTGRES_SCHEMA}."od.d"' in names
        assert f"{POSTGRES_SCHEMA}.seen" in names
        for name in ("seen", f"{POSTGRES_SCHEMA}.seen", '"od.d"', f'{POSTGRES_SCHEMA}."od.d"'):
            assert [info.name for info in reader.columns(table=name)] == ["id"]


def test_columns_have_their_nullability() -> None:
    run_in_postgres("create table if not exists strict (id int primary key, note text)")
    assert {name: info.nullable for name, info in place("strict").columns().items()} == {"id": False, "note": True}


def test_session_is_read_only_and_refuses_volatile_functions() -> None:
    query = "select current_setting('transaction_read_only') as locked, current_setting('application_name') as name"
    assert values(place(), query) == [{"locked": "on", "name": "dinmo"}]
    problem = refusal(place(), "select nextval('nope') as x")
    assert problem.code == "source_function"
    run_in_postgres("create or replace function wipe() returns int language sql as 'delete from strict returning 1'")
    assert refusal(place(), "select wipe() as x").code == "source_function"
    run_in_postgres("create or replace function calm() returns int language sql stable as 'select 7'")
    assert values(place(), "select calm() as x") == [{"x": 7}]
    assert (
        refusal(place(), "select set_config('transaction_read_only', 'off', false) as x, 1 as y").code
        == "source_function"
    )


def test_problem_contains_no_value_of_a_row() -> None:
    problem = refusal(place(), "select 'Mrs Secret'::text::int as x")
    assert "invalid input syntax" in problem.message
    assert "Secret" not in problem.message + problem.detail


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"host": "127.0.0.1", "port": 1}, Unavailable, "source_unreachable"),
        ({"host": "no-such-host.invalid"}, Unavailable, "source_unreachable"),
        ({"database": "no_such_database"}, Misconfigured, "source_database"),
        ({"user": "no_such_user"}, Misconfigured, "source_login"),
    ],
)
def test_problem_explains_why_no_session_could_be_opened(
    settings: dict[str, Any], kind: type[Problem], code: str
) -> None:
    problem = refusal(place(**settings, password="hush-hush"))
    assert isinstance(problem, kind)
    assert problem.code == code
    assert "hush" not in problem.message + problem.detail


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        (
            'failed: FATAL:  password authentication failed for user "x"',
            Misconfigured,
            "source_login",
        ),
        (
            'connection to server at "db", port 5432 failed: fe_sendauth: no password supplied',
            Misconfigured,
            "source_login",
        ),
        (
            'failed: FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x", database "d", SSL off',
            Misconfigured,
            "source_login",
        ),
        ("failed: server does not support SSL, but SSL was required", Misconfigured, "source_ssl"),
        ('failed: FATAL:  permission denied for database "d"', Misconfigured, "source_login"),
        ("failed: FATAL:  sorry, too many clients already", Unavailable, "source_busy"),
        ("failed: FATAL:  the database system is starting up", Unavailable, "source_busy"),
        (
            'failed: FATAL:  database "shop" is not currently accepting connections',
            Unavailable,
            "source_busy",
        ),
        ("failed: timeout expired", Unavailable, "source_unreachable"),
    ],
)
def test_error_messages_of_failed_connections_are_recognized(message: str, kind: type[Problem], code: str) -> None:
    problem = failures.connecting(psycopg.OperationalError(message), "db", 5432)
    assert isinstance(problem, kind)
    assert problem.code == code


def test_connection_lost_in_mid_stream_is_a_problem() -> None:
    with place().open() as reader:
        infos = {info.name: info for info in reader.columns(sql="select 1 as x")}
        query = "select generate_series(1, 100000000) as x"
        source = statements.relation(list(infos.values()), engines["postgres"].dialect, sql=query)
        batches = reader.batches(statements.select(source, infos, ["x"]))
        next(batches)
        with psycopg.connect(POSTGRES_URL, autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", [reader.connection.info.backend_pid])  # type: ignore[attr-defined]
        with pytest.raises(Unavailable) as lost:
            for _ in batches:
                pass
    assert lost.value.code == "source_lost"


def test_dates_and_timestamps_are_read_in_the_sources_time_zone() -> None:
    assert values(place(), "select date '2026-01-31' as d, timestamp '2026-01-31 09:30' as t") == [
        {"d": date(2026, 1, 31), "t": datetime(2026, 1, 31, 9, 30, tzinfo=PARIS)}
    ]


@pytest.mark.parametrize(
    "query",
    [
        "select repeat('x', 100000000) as big union all select 'y'",
        "select 'y' as big union all select repeat('x', 100000000)",
        "select case n when 200 then repeat('x', 100000000) else 'y' || n end as big from generate_series(1, 300) n",
        "select case n when 60 then repeat('x', 100000000) else repeat('y', 30000) end from generate_series(1, 90) n",
    ],
    ids=["first", "second", "after small ones", "after large ones"],
)
def test_row_that_is_too_large_is_refused_before_it_fills_the_memory(query: str) -> None:
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        pytest.skip("The peak of this process's memory can only be read on Linux.")
    reset.write_text("5")
    before = memory(status)
    problem = refusal(place(), query)
    assert (problem.code, isinstance(problem, Misconfigured)) == ("source_too_large", True)
    assert memory(status) - before < 100_000_000


def test_connection_that_is_ended_between_two_blocks_stays_ended() -> None:
    statement = b"COPY (select repeat('x', 100000) from generate_series(1, 1000)) TO STDOUT (FORMAT csv)"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        copied = copy_out(connection.pgconn, statement, lambda: None, LARGEST_ROW)
        assert next(copied)
        hang_up(connection.fileno())
        copied.close()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_large_rows_are_read_between_small_ones() -> None:
    query = "select repeat('x', case when n % 3 = 0 then 300000 else 5 end) || n as text from generate_series(1, 40) n"
    expected = ["x" * (300_000 if n % 3 == 0 else 5) + str(n) for n in range(1, 41)]
    assert [row["text"] for row in values(place(), query)] == expected


def test_row_that_is_not_too_large_is_read() -> None:
    (row,) = values(place(), "select repeat('x', 20000000) as big")
    assert len(row["big"]) == 20_000_000


def memory(status: Path) -> int:
    """The peak of this process's memory since the last reset, in bytes."""
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
