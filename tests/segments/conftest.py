"""Fixtures for sources: a directory for files, a PostgreSQL schema and a MySQL database, used by these tests only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from tests.segments.places import (
    MYSQL_DATABASE,
    MYSQL_URL,
    POSTGRES_SCHEMA,
    POSTGRES_URL,
    SERVERS,
    SLUGS,
    mysql_answers,
    postgres_answers,
    run_in_mysql,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def staff(db: None) -> Client:
    """A browser session with every permission."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory for source files."""
    root = tmp_path_factory.mktemp("sources")
    with override_settings(SOURCE_FILES_ROOT=root):
        yield root


@pytest.fixture(scope="session")
def postgres() -> Iterator[None]:
    """A separate schema in a real PostgreSQL; the test is skipped if no server is available."""
    if not postgres_answers():
        pytest.skip(f"no PostgreSQL at {POSTGRES_URL}")
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'create schema if not exists "{POSTGRES_SCHEMA}"'.encode())
    yield
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'drop schema if exists "{POSTGRES_SCHEMA}" cascade'.encode())


@pytest.fixture(scope="session")
def mysql() -> Iterator[None]:
    """A separate database in a real MySQL or MariaDB; the test is skipped if no server is available."""
    if not mysql_answers():
        pytest.skip(f"no MySQL at {MYSQL_URL}")
    run_in_mysql(f"create database if not exists `{MYSQL_DATABASE}` character set utf8mb4", database="")
    yield
    run_in_mysql(f"drop database if exists `{MYSQL_DATABASE}`", database="")


@pytest.fixture(params=SLUGS)
def slug(request: pytest.FixtureRequest, files: Path) -> str:
    """Every engine in turn."""
    if request.param in SERVERS:
        request.getfixturevalue(request.param)
    return str(request.param)
