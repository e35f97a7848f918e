"""Servers for installations: an empty database of PostgreSQL, and the Redis of the compose file."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from core.errors import Problem
from dinmo.local import broker
from dinmo.local.machine import HOST, free_port
from dinmo.local.processes import kill_session, spawn
from tests.dinmo.live_processes import wait_for
from tests.dinmo.packaging.written import compose
from tests.segments.places import POSTGRES_URL, postgres_answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database() -> Iterator[str]:
    """The DATABASE_URL of a new database."""
    if not postgres_answers():
        pytest.skip(f"no PostgreSQL at {POSTGRES_URL}")
    name = f"packaging_{os.getpid()}"
    with closing(psycopg.connect(POSTGRES_URL, autocommit=True)) as server:
        server.execute(SQL("create database {}").format(Identifier(name)))
        try:
            yield f"{POSTGRES_URL.rpartition('/')[0]}/{name}"
        finally:
            server.execute(SQL("drop database {} with (force)").format(Identifier(name)))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The REDIS_URL of a server that runs with the command of the compose file."""
    port = free_port()
    program, *options = compose()["services"]["redis"]["command"]
    assert program in broker.ON_PATH
    (tmp_path / "redis").mkdir()
    where = ("--port", str(port), "--bind", HOST, "--dir", str(tmp_path / "redis"))
    with (tmp_path / "redis.log").open("wb") as log:
        process = spawn((broker.find_binary().path, *options, *where), os.environ, log)
    try:
        url = f"redis://{HOST}:{port}/0"
        wait_for(lambda: _answers(url), 20, "the start of Redis")
        yield url
    finally:
        kill_session(process)


def _answers(url: str) -> bool:
    try:
        broker.check_connection(url)
    except Problem:
        return False
    return True
