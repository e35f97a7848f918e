"""Temporary databases, created empty or as copies of one another."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pymysql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def databases(kind: str, directory: Path, server: str) -> Iterator[Databases]:
    """Temporary databases of one kind ("sqlite" or "postgres"), dropped at the end."""
    scratch = Databases(kind, directory, server)
    try:
        yield scratch
    finally:
        scratch.drop()


@contextmanager
def mysql_database(server: str) -> Iterator[str]:
    """The URL of a temporary database on a MySQL or MariaDB server, dropped at the end."""
    name = f"dinmo_bench_{os.getpid()}"
    settings = {key: value for key, value in connection_settings(server).items() if key != "database"}
    with pymysql.connect(**settings) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} DEFAULT CHARACTER SET utf8mb4")
        try:
            yield re.sub(r"(//[^/]*).*", rf"\1/{name}", server)
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def connection_settings(url: str) -> dict[str, Any]:
    """PURE. The parts of a database URL: host, port, database, user, password."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname or unquote(parse_qs(parts.query).get("host", ["127.0.0.1"])[0]),
        "port": parts.port or {"mysql": 3306}.get(parts.scheme, 5432),
        "database": parts.path.strip("/"),
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
    }


class Databases:
    """Creates databases by name, empty or as copies of others.

    Args:
        server: the URL of a PostgreSQL server whose user may create databases.
        owner: tells the databases on a server apart. By default, they are those of this process.
    """

    def __init__(self, kind: str, directory: Path, server: str, owner: str = "") -> None:
        self.kind = kind
        self.directory = directory
        self.server = server
        self.owner = owner or str(os.getpid())
        self.names: list[str] = []

    def url(self, name: str) -> str:
        """The value of `DATABASE_URL` for a database."""
        if self.kind == "sqlite":
            return f"sqlite:///{self._file(name)}"
        return re.sub(r"/[^/?]*(\?|$)", rf"/{self._name(name)}\1", self.server)

    def create(self, name: str, template: str = "") -> str:
        """Creates a database, replacing any existing one of that name. Returns its URL."""
        if self.kind == "sqlite":
            self._copy_file(name, template)
        else:
            source = f' TEMPLATE "{self._name(template)}" STRATEGY file_copy' if template else ""
            self._administer(
                [
                    f'DROP DATABASE IF EXISTS "{self._name(name)}" WITH (FORCE)',
                    f'CREATE DATABASE "{self._name(name)}"{source}',
                ]
            )
        self.names.append(name)
        return self.url(name)

    def drop(self) -> None:
        """Drops every database that was created."""
        for name in set(self.names):
            if self.kind == "sqlite":
                self._remove_file(name)
            else:
                self._administer([f'DROP DATABASE IF EXISTS "{self._name(name)}" WITH (FORCE)'])
        self.names.clear()

    def _name(self, name: str) -> str:
        return f"dinmo_bench_{self.owner}_{name}"

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.sqlite3"

    def _copy_file(self, name: str, template: str) -> None:
        self._remove_file(name)
        if template:
            subprocess.run(["cp", str(self._file(template)), str(self._file(name))], check=True)

    def _remove_file(self, name: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file(name)}{suffix}").unlink(missing_ok=True)

    def _administer(self, statements: Sequence[str]) -> None:
        with psycopg.connect(self.server, autocommit=True) as database:
            for statement in statements:
                database.execute(statement.encode())
