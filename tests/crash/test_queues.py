"""A planning that waits for a slow source delays no delivery, because each has a queue and workers of its own."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from dinmo.local import programs
from tests.crash.workers import ACTIVATION, CONNECTIONS, companies, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test")
SCHEMA = "slow_planning"
SLOW_SECONDS = 20
COUNT = 250
"""At 25 requests a second, they take twice as long as the slice in which a run is planned."""

pytestmark = [pytest.mark.crash, pytest.mark.slow]


@pytest.fixture
def slow_source() -> Iterator[str]:
    """A source in the form of a workspace file. Each reading of its view takes `SLOW_SECONDS`."""
    try:
        connection = psycopg.connect(POSTGRES_URL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("needs PostgreSQL, see TEST_POSTGRES_URL")
    with closing(connection):
        connection.execute(f"drop schema if exists {SCHEMA} cascade")
        connection.execute(f"create schema {SCHEMA}")
        connection.execute(
            f"create view {SCHEMA}.slow as select 1 as id, 'Slow'::text as name, 'slow.com'::text as domain "
            f"from pg_sleep({SLOW_SECONDS})"
        )
        where = urlsplit(POSTGRES_URL)
        yield (
            f"{{name: Slow, engine: postgres, host: {where.hostname}, port: {where.port or 5432}, "
            f"database: {where.path.strip('/')}, user: {where.username}, password: {where.password or 'none'}}}"
        )
        connection.execute(f"drop schema {SCHEMA} cascade")


def workspace(slow_source: str) -> str:
    return f"""
sources: [{{name: Shop, engine: sqlite, path: shop.sqlite3}}, {slow_source}]
models:
  - {{name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}}
  - {{name: Slow rows, source: Slow, kind: custom, table: {SCHEMA}.slow, primary_key: id}}
{CONNECTIONS}
activations:
{ACTIVATION % ("All", "Companies")}
{ACTIVATION % ("Slow 1", "Slow rows")}
{ACTIVATION % ("Slow 2", "Slow rows")}
"""


def test_slow_planning_does_not_delay_a_delivery(tmp_path: Path, slow_source: str) -> None:
    with running(tmp_path, companies(COUNT), workspace(slow_source)) as workers:
        workers.start(programs.planner())
        workers.start(programs.deliverer())
        workers.request("All")
        wait_until(lambda: workers.installation.created().total() > 5, "the first write")
        # These occupy every process of the planner, before the delivery of the other run is handed over.
        for name in ("Slow 1", "Slow 2"):
            workers.request(name)
        wait_until(lambda: workers.state("All") == "succeeded", "the delivery")
        assert [workers.state(name) for name in ("Slow 1", "Slow 2")] == ["planning", "planning"]
        assert workers.installation.created().total() == COUNT


def test_planner_that_is_stopped_leaves_its_run_to_the_next_at_once(tmp_path: Path, slow_source: str) -> None:
    with running(tmp_path, companies(1), workspace(slow_source)) as workers:
        first = workers.start(programs.planner(), "first")
        workers.request("Slow 1")
        wait_until(lambda: workers.state("Slow 1") == "planning", "the planning")
        assert workers.stop(first) < SLOW_SECONDS / 2
        assert workers.runs("Slow 1")[0]["owner"] == ""
        workers.start(programs.worker(), "second")
        wait_until(lambda: workers.state("Slow 1") == "succeeded", "the second planning")
        (run,) = workers.runs("Slow 1")
        assert (run["epoch"] >= 2, run["takeovers"], run["accepted"]) == (True, 0, 1)
