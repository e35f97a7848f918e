"""Throw-away databases, empty or copied from one another."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def databases(kind: str, directory: Path, server: str) -> Iterator[Databases]:
    """Throw-away databases of one kind ("sqlite" or "postgres"), dropped at the end."""
    made = Databases(kind, directory, server)
    try:
        yield made
    finally:
        made.drop()


class Databases:
    """Makes databases, empty or as copies of others, by name.

    Args:
        server: a PostgreSQL address, whose user may create databases.
    """

    def __init__(self, kind: str, directory: Path, server: str) -> None:
        self.kind = kind
        self.directory = directory
        self.server = server
        self.names: list[str] = []

    def url(self, name: str) -> str:
        """What `DATABASE_URL` says for it."""
        if self.kind == "sqlite":
            return f"sqlite:///{self._file(name)}"
        return re.sub(r"/[^/?]*(\?|$)", rf"/{self._name(name)}\1", self.server)

    def make(self, name: str, template: str = "") -> str:
        """A new database in the place of any other of that name; its address."""
        if self.kind == "sqlite":
            self._copy_file(name, template)
        else:
            source = f' TEMPLATE "{self._name(template)}" STRATEGY file_copy' if template else ""
            self._administer(
                [f'DROP DATABASE IF EXISTS "{self._name(name)}" WITH (FORCE)', f'CREATE DATABASE "{self._name(name)}"{source}']
            )
        self.names.append(name)
        return self.url(name)

    def drop(self) -> None:
        """Removes every database that was made here."""
        for name in set(self.names):
            if self.kind == "sqlite":
                self._remove_file(name)
            else:
                self._administer([f'DROP DATABASE IF EXISTS "{self._name(name)}" WITH (FORCE)'])
        self.names.clear()

    def _name(self, name: str) -> str:
        return f"dinmo_bench_{os.getpid()}_{name}"

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.sqlite3"

    def _copy_file(self, name: str, template: str) -> None:
        self._remove_file(name)
        if template:
            subprocess.run(["cp", str(self._file(template)), str(self._file(name))], check=True)  # noqa: S603, S607

    def _remove_file(self, name: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file(name)}{suffix}").unlink(missing_ok=True)

    def _administer(self, statements: Sequence[str]) -> None:
        with psycopg.connect(self.server, autocommit=True) as database:
            for statement in statements:
                database.execute(statement.encode())
