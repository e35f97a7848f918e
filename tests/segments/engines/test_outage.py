"""A database that stops in mid-stream: the failure has the right code, and reading works again once it is back."""

from __future__ import annotations

import io
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from core.errors import Unavailable
from segments.engines.postgres import engine as postgres_engine
from segments.models import DataModel, Source
from segments.reading import read
from segments.session import engine, opened, reading_here
from segments.sources.discovery import probe, refresh_columns
from segments.sql import statements
from tests.chaos.postgres import Cluster, binaries, cluster
from tests.segments.places import mysql_connection, mysql_settings, run_in_mysql

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, tzinfo=UTC)
ROWS = 400_000
ENDLESS = (
    "with recursive endless(id) as (select 1::bigint union all select id + 1 from endless) "
    "select max(id) as id from endless"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """Our own PostgreSQL server, which may be killed."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed here")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with cluster(port) as server:
        with psycopg.connect(
            host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute("create table companies (id int primary key, name text)")
            connection.execute(
                f"insert into companies select n, repeat('x', 200) from generate_series(1, {ROWS}) as n".encode()
            )
        yield server


@pytest.fixture
def companies(server: Cluster) -> DataModel:
    config = {
        "host": "127.0.0.1",
        "port": server.port,
        "database": "postgres",
        "user": "postgres",
        "sslmode": "disable",
    }
    source = Source.objects.create(name="Db", engine="postgres", config=config)
    model = DataModel.objects.create(name="Companies", source=source, table="public.companies", primary_key="id")
    refresh_columns(model)
    return model


def restart(server: Cluster) -> None:
    """Starts the server again as soon as the processes of the killed one are gone."""
    for _ in range(100):
        if not server.runs() and server.start():
            return
        time.sleep(0.2)
    pytest.fail("PostgreSQL did not start again")


def test_killed_postgres_is_lost_and_the_next_run_works(server: Cluster, companies: DataModel) -> None:
    with pytest.raises(Unavailable) as lost, read.stream(read.selection(companies), ["id", "name"], now=NOW) as stream:
        next(stream.batches)
        server.kill()
        for _ in stream.batches:
            pass
    assert lost.value.code == "source_lost"
    with pytest.raises(Unavailable):
        read.preview(read.selection(companies), now=NOW)
    restart(server)
    with read.stream(read.selection(companies), ["id"], now=NOW) as stream:
        assert sum(batch.num_rows for batch in stream.batches) == ROWS


def test_killed_postgres_with_a_leftover_process_is_lost_and_not_timed_out(
    server: Cluster, companies: DataModel, settings: Any
) -> None:
    settings.SOURCE_PREVIEW_SECONDS = 2
    busy = DataModel(name="Busy", source=companies.source, sql=ENDLESS, primary_key="id")
    with pytest.raises(Unavailable) as slow:
        read.count(read.selection(busy), now=NOW)
    assert slow.value.code == "source_timeout"
    threading.Timer(0.7, server.kill).start()
    with pytest.raises(Unavailable) as lost:
        read.count(read.selection(busy), now=NOW)
    assert lost.value.code == "source_lost"
    restart(server)


def test_stopped_postgres_is_lost_and_the_next_preview_works(server: Cluster, companies: DataModel) -> None:
    slow = DataModel(
        name="Slow",
        source=companies.source,
        sql="select a.id from companies a, companies b where a.name < b.name",
        primary_key="id",
    )
    threading.Timer(0.7, server.stop).start()
    began = time.monotonic()
    with pytest.raises(Unavailable) as lost:
        read.count(read.selection(slow), now=NOW)
    assert lost.value.code == "source_lost"
    assert time.monotonic() - began < 10
    result = probe(companies.source)
    assert result.problem
    assert result.problem.code in ("source_unreachable", "source_lost", "source_busy")
    restart(server)
    assert len(read.preview(read.selection(companies), now=NOW, limit=5)) == 5
    assert probe(companies.source).problem is None


def signal_all(server: Cluster, signal: str) -> None:
    """Suspends or resumes all processes of the server."""
    pid = str(server.pid())
    subprocess.run(["pkill", f"-{signal}", "-P", pid], check=False)
    subprocess.run(["kill", f"-{signal}", pid], check=False)


@pytest.fixture
def frozen_soon(server: Cluster) -> Iterator[None]:
    """Suspends the server after half a second."""
    timer = threading.Timer(0.5, signal_all, [server, "STOP"])
    timer.start()
    yield
    timer.cancel()
    signal_all(server, "CONT")


@pytest.fixture
def as_a_run() -> Iterator[None]:
    """Reads sources in this process, as runs do."""
    with reading_here():
        yield


@pytest.mark.usefixtures("as_a_run", "frozen_soon")
def test_frozen_postgres_is_reported_as_lost(
    companies: DataModel, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOURCE_PREVIEW_SECONDS = 2
    monkeypatch.setattr(postgres_engine, "GRACE_SECONDS", 1)
    busy = DataModel(name="Busy", source=companies.source, sql=ENDLESS, primary_key="id")
    began = time.monotonic()
    with pytest.raises(Unavailable) as lost:
        read.count(read.selection(busy), now=NOW)
    assert lost.value.code == "source_lost"
    assert time.monotonic() - began < 15


@pytest.mark.usefixtures("frozen_soon")
def test_caller_can_stop_waiting_for_a_frozen_postgres(companies: DataModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_engine, "CONNECT_SECONDS", 1)
    busy = DataModel(name="Busy", source=companies.source, sql=ENDLESS, primary_key="id")
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() - began > 1:
            raise KeyError("cancelled")

    with pytest.raises(KeyError):
        read.preview(read.selection(busy), now=NOW, check=check)
    assert time.monotonic() - began < 15


@pytest.mark.usefixtures("as_a_run")
def test_killed_mysql_connection_is_lost_and_the_next_run_works(mysql: None) -> None:
    run_in_mysql("create or replace table outage (id int primary key, name text)")
    run_in_mysql("insert into outage select seq, repeat('x', 200) from seq_1_to_200000")
    settings: dict[str, Any] = mysql_settings()
    source = Source.objects.create(name="My", engine="mysql", config=settings)
    model = DataModel.objects.create(name="Outage", source=source, table="outage", primary_key="id")
    refresh_columns(model)
    with pytest.raises(Unavailable) as lost, read.stream(read.selection(model), ["id", "name"], now=NOW) as stream:
        next(stream.batches)
        with mysql_connection() as other, other.cursor() as cursor:
            cursor.execute(
                "select id from information_schema.processlist where info like '%outage%' and id <> connection_id()"
            )
            for (thread,) in cursor.fetchall():
                cursor.execute(f"kill connection {thread}")
        for _ in stream.batches:
            pass
    assert lost.value.code == "source_lost"
    with read.stream(read.selection(model), ["id"], now=NOW) as stream:
        assert sum(batch.num_rows for batch in stream.batches) == 200_000


@pytest.mark.usefixtures("as_a_run")
def test_truncated_mysql_stream_is_never_taken_for_complete(mysql: None) -> None:
    """The bytes on the wire end in the middle of a row."""
    run_in_mysql("create or replace table outage (id int primary key, name text)")
    run_in_mysql("insert into outage select seq, repeat('x', 200) from seq_1_to_100000")
    source = Source.objects.create(name="My", engine="mysql", config=mysql_settings())
    model = DataModel.objects.create(name="Outage", source=source, table="outage", primary_key="id")
    refresh_columns(model)
    with pytest.raises(Unavailable) as lost, opened(source, 20) as reader:
        connection = reader.connection  # type: ignore[attr-defined]
        infos = {info.name: info for info in reader.columns(table="outage")}
        relation = statements.relation(list(infos.values()), engine(source).dialect, table="outage")
        batches = reader.batches(statements.select(relation, infos, ["id", "name"]))
        next(batches)
        with connection._rfile as wire:
            connection._rfile = io.BytesIO(wire.read(1000))
        for _ in batches:
            pass
    assert lost.value.code == "source_lost"
