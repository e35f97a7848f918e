"""A directory for source files and a schema in PostgreSQL, for these tests alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.test import override_settings

from tests.segments.places import POSTGRES_SCHEMA, POSTGRES_URL, SLUGS, postgres_answers


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory for source files."""
    root = tmp_path_factory.mktemp("sources")
    with override_settings(SOURCE_FILES_ROOT=root):
        yield root


@pytest.fixture(scope="session")
def postgres() -> Iterator[None]:
    """A schema of our own in a real PostgreSQL; skipped where none answers."""
    if not postgres_answers():
        pytest.skip(f"no PostgreSQL at {POSTGRES_URL}")
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'create schema "{POSTGRES_SCHEMA}"'.encode())
    yield
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'drop schema "{POSTGRES_SCHEMA}" cascade'.encode())


@pytest.fixture(params=SLUGS)
def slug(request: pytest.FixtureRequest, files: Path) -> str:
    """Every engine in turn."""
    if request.param == "postgres":
        request.getfixturevalue("postgres")
    return str(request.param)
