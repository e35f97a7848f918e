"""Runs the tests whose outcome may depend on the servers on PostgreSQL and Redis: `make test-postgres`.

All other runs of the tests use SQLite and the embedded broker. Both servers need to be there already. Each test process
has a database of its own on the PostgreSQL server, which is removed at the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import redis

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PARTS = (
    "tests/dinmo/accounts",
    "tests/dinmo/permissions",
    "tests/dinmo/audit",
    "tests/dinmo/monitoring",
    "tests/dinmo/reporting",
    "tests/activations/runs",
    "tests/activations/delivery",
    "tests/activations/scheduling",
    "tests/activations/storage",
    "tests/activations/guards",
    "tests/activations/pauses",
    "tests/activations/alerts",
)
POSTGRES, REDIS = "postgresql://root@127.0.0.1:5432/test", "redis://127.0.0.1:6379/15"
ONLY_CHECK = "--check"


def servers(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of an installation on the servers: those of the environment, or the usual ports of this machine."""
    return {
        "DATABASE_URL": environment.get("TEST_POSTGRES_URL") or POSTGRES,
        "REDIS_URL": environment.get("REDIS_URL") or REDIS,
    }


def unreachable(settings: Mapping[str, str]) -> Iterator[str]:
    """A sentence about each server that does not answer."""
    try:
        psycopg.connect(settings["DATABASE_URL"], connect_timeout=3).close()
    except psycopg.OperationalError:
        yield f"PostgreSQL does not answer at {_place(settings['DATABASE_URL'])}. Set TEST_POSTGRES_URL."
    try:
        redis.Redis.from_url(settings["REDIS_URL"], socket_connect_timeout=3, socket_timeout=3).ping()
    except redis.RedisError:
        yield f"Redis does not answer at {_place(settings['REDIS_URL'])}. Set REDIS_URL."


def main(words: Sequence[str]) -> int:
    """Runs the tests, and returns their exit code; 1 if a server is missing.

    Args:
        words: options for pytest, or only `--check`: nothing is run.
    """
    settings = servers(os.environ)
    if missing := list(unreachable(settings)):
        print(*missing, sep="\n", file=sys.stderr)
        return 1
    if list(words) == [ONLY_CHECK]:
        return 0
    command = [sys.executable, "-m", "pytest", *PARTS, *words]
    return subprocess.run(command, env={**os.environ, **settings}, check=False).returncode


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or ''}".rstrip(":")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
