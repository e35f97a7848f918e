"""Backups between real processes: moving to PostgreSQL and back, and a restore that is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest

from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from tests.crash.installation import MAX_IN_FLIGHT, Installation
from tests.crash.test_killed_worker import WORKSPACE
from tests.segments.places import POSTGRES_URL, postgres_answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from destinations.sandbox.base import Sandbox

COUNT = 60
ODD_NAMES = {
    1: 'Quoted "and", comma',
    2: "Two\nlines\r\n",
    3: "\\.",
    4: "NULL",
    5: "Łódź 北海 🚀",
    6: "\\x00ff",
}
SCHEMA = f"backup_{os.getpid()}"

pytestmark = [pytest.mark.crash, pytest.mark.slow]


class Home:
    """A directory with the source, in which installations with different databases can be made."""

    def __init__(self, path: Path, server: Server) -> None:
        self.path, self.sandbox, self.url = path, server.sandbox, server.url
        self.backup = path / "one.backup"

    def installation(self, name: str, **environment: str) -> Installation:
        """An installation with a state directory of its own."""
        made = Installation(self.path, self.sandbox, self.url)
        (self.path / name).mkdir(exist_ok=True)
        passphrase = {"BACKUP_PASSPHRASE": "correct horse battery staple"}
        made.environment.update({"VAR_DIR": str(self.path / name), **passphrase, **environment})
        return made

    def move(self, old: Installation, new: Installation, *words: str) -> None:
        """Makes a backup of an installation, and restores it in a different one."""
        for done in (old.manage("backup", str(self.backup)), new.manage("restore", str(self.backup), *words)):
            assert done.returncode == 0, done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Server(sandboxes["attio"]("t")) as server:
        yield Home(tmp_path, server)


@pytest.fixture
def shop(home: Home) -> Installation:
    """An installation on SQLite, ready to run."""
    made = home.installation("shop")
    named = ((n, ODD_NAMES.get(n, f"Company {n}"), f"company{n}.com") for n in range(COUNT))
    made.store("companies", "id integer primary key, name text, domain text", named)
    made.apply(WORKSPACE)
    return made


@pytest.fixture
def postgres() -> Iterator[str]:
    """The DATABASE_URL of an empty schema."""
    if not postgres_answers():
        pytest.skip("no PostgreSQL server")
    with psycopg.connect(POSTGRES_URL, autocommit=True) as server:
        server.execute(f"create schema {SCHEMA}")
        separator = "&" if "?" in POSTGRES_URL else "?"
        yield f"{POSTGRES_URL}{separator}options={quote(f'-csearch_path={SCHEMA}')}"
        server.execute(f"drop schema {SCHEMA} cascade")


def writes(sandbox: Sandbox) -> int:
    return sum(entry["method"] == "PUT" for entry in sandbox.log)


def test_moved_installation_finishes_its_run_and_then_sends_nothing(
    home: Home, shop: Installation, postgres: str
) -> None:
    home.sandbox.latency_seconds = 0.05
    shop.kill_once("All", lambda: sum(shop.created().values()), 20)
    server = home.installation("server", DATABASE_URL=postgres)
    home.move(shop, server)
    laptop = home.installation("laptop")
    home.move(server, laptop)
    assert rows(laptop) == rows(shop)
    assert server.activate("All")["state"] == "succeeded"
    sent = shop.created()
    assert len(sent) == COUNT
    assert sent.total() - COUNT <= MAX_IN_FLIGHT
    before = writes(home.sandbox)
    assert server.activate("All")["counts"]["unchanged"] == COUNT
    home.move(server, laptop, "--replace", "dinmo.sqlite3")
    assert laptop.activate("All")["counts"]["unchanged"] == COUNT
    assert writes(home.sandbox) == before


NOT_COMPARED = {
    "audit_auditentry",  # each command adds an entry
    "django_migrations",
    "django_session",
    "django_celery_beat_periodictasks",
    "sqlite_sequence",
}
LEASE = {"owner", "lease_until"}


def rows(installation: Installation) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table of its SQLite database, without what a restore leaves out."""
    with closing(sqlite3.connect(f"{installation.environment['VAR_DIR']}/dinmo.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            table: [
                {name: plain(row[name]) for name in row.keys() if name not in LEASE}  # noqa: SIM118
                for row in database.execute(f"SELECT * FROM {table} ORDER BY 1")
            ]
            for table in tables - NOT_COMPARED
        }


def plain(value: Any) -> Any:
    """A value without what the databases write in their own ways: the layout of JSON, and the zone of moments."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        return json.loads(value)
    return value.removesuffix("+00:00") if isinstance(value, str) else value


def sources(installation: Installation) -> list[str]:
    """The names of the sources in its SQLite database."""
    path = f"{installation.environment['VAR_DIR']}/dinmo.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        return [name for (name,) in database.execute("SELECT name FROM segments_source")]


def change(installation: Installation, name: str, upload: str) -> None:
    """Renames the source, and replaces the file that was uploaded for it."""
    path = f"{installation.environment['VAR_DIR']}/dinmo.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE segments_source SET name = ?, uploaded_path = 'uploads/list.csv'", [name])
    (installation.home / "uploads").mkdir(exist_ok=True)
    (installation.home / "uploads/list.csv").write_text(upload)


def test_killed_restore_leaves_the_old_installation_or_is_finished_by_the_next(home: Home, shop: Installation) -> None:
    change(shop, "Then", "then")
    assert shop.manage("backup", str(home.backup)).returncode == 0
    order = home.path / "order"
    again = ("restore", str(home.backup), "--replace", "dinmo.sqlite3")
    upload = home.path / "uploads/list.csv"
    for point, name in (("restore-rows", "Now"), ("restore-before-commit", "Now"), ("restore-after-commit", "Then")):
        change(shop, "Now", "now")
        order.write_text(point)
        shop.environment["CHAOS_AT"] = str(order)
        assert shop.manage(*again).returncode == -signal.SIGKILL
        assert (sources(shop), upload.read_text()) == ([name], "now")
        reported = shop.manage("export")
        assert ("a restore was interrupted" in reported.stderr.lower()) == (point != "restore-rows")
        assert shop.manage(*again).returncode == 0
        assert (sources(shop), upload.read_text()) == (["Then"], "then")
        assert shop.manage("export").returncode == 0


def test_backup_of_an_older_version_is_migrated(home: Home, shop: Installation) -> None:
    assert shop.activate("All")["counts"]["accepted"] == COUNT
    older = shop.manage("migrate", "activations", "0039", "--verbosity", "0")
    assert older.returncode == 0, older.stderr
    assert shop.manage("backup", str(home.backup)).returncode == 0
    assert shop.manage("migrate", "--verbosity", "0").returncode == 0
    done = shop.manage("restore", str(home.backup), "--replace", "dinmo.sqlite3")
    assert done.returncode == 0, done.stderr
    assert shop.activate("All")["counts"]["unchanged"] == COUNT
