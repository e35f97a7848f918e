"""PostgreSQL behind PgBouncer in transaction mode: sessions are shared, so nothing may outlive a transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from core.errors import Misconfigured, Unavailable
from segments.contract import ColumnInfo, ColumnType
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.test_tls import free_port
from tests.segments.places import POSTGRES_SCHEMA, Place, postgres_settings, refusal, run_in_postgres, values

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
CONFIG = """
[databases]
{database} = host={host} port={port} dbname={database} user={user} password={password}
gone = host={host} port={port} dbname=no_such_database user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
"""


@pytest.fixture(scope="module")
def pooled(postgres: None) -> Iterator[dict[str, Any]]:
    """The settings of a source that reads through a pooler with a single connection to the server."""
    if PROGRAM is None:
        pytest.skip("PgBouncer is not installed here")
    server, listen = postgres_settings(), free_port()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        config = Path(folder) / "pgbouncer.ini"
        config.write_text(CONFIG.format(**{**server, "password": server["password"] or "none"}, listen=listen))
        command = [PROGRAM, str(config)]
        if os.geteuid() == 0:
            # The program refuses to run as root.
            shutil.chown(folder, "nobody")
            command[1:1] = ["-u", "nobody"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        settings = {**server, "host": "127.0.0.1", "port": listen}
        try:
            wait_until_ready(settings)
            yield settings
        finally:
            process.terminate()
            process.wait()


def wait_until_ready(settings: dict[str, Any]) -> None:
    for _ in range(100):
        try:
            psycopg.connect(
                host="127.0.0.1", port=settings["port"], dbname=settings["database"], user=settings["user"]
            ).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("PgBouncer did not start")


def place(pooled: dict[str, Any], table: str = "") -> Place:
    return Place("postgres", table, pooled)


SESSION = """
    select current_setting('transaction_read_only') as read_only, current_setting('statement_timeout') as timeout,
           current_setting('TimeZone') as zone, current_setting('search_path') as path, 0.1::float4 as single
"""


def test_source_is_read_through_a_pooler(pooled: dict[str, Any]) -> None:
    run_in_postgres(
        "create table if not exists pooled (id int primary key, name text)",
        "truncate pooled",
        "insert into pooled select n, 'row ' || n from generate_series(1, 5000) n",
    )
    with place(pooled).open() as reader:
        assert f"{POSTGRES_SCHEMA}.pooled" in reader.tables()
        assert [info.name for info in reader.columns(table="pooled")] == ["id", "name"]
        assert any(table.name == f"{POSTGRES_SCHEMA}.pooled" for table in reader.catalog())
        assert reader.foreign_keys("pooled") == []
    condition: dict[str, Any] = {"field": "id", "is": "at_most", "value": 700}
    assert len(values(place(pooled, "pooled"), **condition)) == 700


def test_session_keeps_its_settings_through_a_pooler(pooled: dict[str, Any]) -> None:
    expected = {
        "read_only": "on",
        "timeout": "20s",
        "zone": "UTC",
        "path": f'"{POSTGRES_SCHEMA}", "public"',
        "single": 0.1,
    }
    assert values(place(pooled), SESSION) == [expected]


def test_settings_hold_again_after_a_statement_has_failed(pooled: dict[str, Any]) -> None:
    with place(pooled).open() as reader:
        with pytest.raises(Misconfigured):
            reader.columns(sql="select no_such_column")
        assert reader.columns(sql="select id from pooled")
        for query, setting in (("show statement_timeout", "20s"), ("show transaction_read_only", "on")):
            assert reader._fetch_all(query) == [(setting,)]  # type: ignore[attr-defined]


def test_settings_do_not_leak_into_other_sessions_of_the_pooler(pooled: dict[str, Any]) -> None:
    values(place(pooled), SESSION)
    with psycopg.connect(
        host="127.0.0.1", port=pooled["port"], dbname=pooled["database"], user=pooled["user"], autocommit=True
    ) as other:
        found = other.execute("select current_setting('statement_timeout'), current_setting('search_path')").fetchone()
        assert found == ("0", '"$user", public')
        other.execute("create temporary table written (id int)")


def test_repeated_statements_are_not_prepared(pooled: dict[str, Any]) -> None:
    """The driver prepares a statement the sixth time, but the pooler may run it where it is not prepared."""
    with place(pooled).open() as reader:
        for _ in range(12):
            reader.columns(table="pooled")
        assert reader._fetch_all("select count(*) from pg_prepared_statements") == [(0,)]  # type: ignore[attr-defined]


def test_statement_times_out_through_a_pooler(pooled: dict[str, Any]) -> None:
    query = "select count(*) as n from generate_series(1, 100000000) a, generate_series(1, 100) b"
    infos = [ColumnInfo("n", ColumnType.INTEGER, "bigint")]
    rows = statements.relation(infos, engines["postgres"].dialect, sql=query)
    with place(pooled).open(0.3) as reader, pytest.raises(Unavailable) as caught:
        reader.rows(statements.select(rows, {"n": infos[0]}, ["n"]), 1)
    assert caught.value.code == "source_timeout"
    assert values(place(pooled), "select 1 as x") == [{"x": 1}]


def test_database_that_only_the_pooler_knows_is_named_as_the_reason(pooled: dict[str, Any]) -> None:
    assert refusal(place({**pooled, "database": "gone"})).code == "source_database"
