"""A separate installation for crash tests: its own state, source, simulator, and commands in real processes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from destinations.sandbox.base import Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_IN_FLIGHT = 128
PATIENCE_SECONDS = 120


class Installation:
    """A separate installation: state directory, source, simulator, and commands in real processes."""

    def __init__(self, home: Path, sandbox: Sandbox, url: str) -> None:
        self.sandbox = sandbox
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "VAR_DIR": str(home),
            "SOURCE_FILES_ROOT": str(home),
            "ATTIO_API_URL": url,
            "TOKEN": "t",
            "RUN_LEASE_SECONDS": "2",
            "LOG_LEVEL": "WARNING",
        }

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def created(self) -> Counter[str]:
        """How often each company was sent successfully to Attio."""
        sent = (entry for entry in self.sandbox.log if entry["method"] == "PUT" and entry["status"] == 200)
        return Counter(entry["body"]["data"]["values"]["name"] for entry in sent)

    def store(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Creates a table in the source.

        Args:
            columns: as in the statement that creates it, such as `id integer primary key, name text`.
        """
        marks = ", ".join("?" for _ in columns.split(","))
        with closing(sqlite3.connect(self.home / "shop.sqlite3")) as connection, connection:
            connection.execute(f"create table {table} ({columns})")
            connection.executemany(f"insert into {table} values ({marks})", rows)

    def apply(self, workspace: str) -> None:
        """Creates the database, and stores a workspace file in it."""
        (self.home / "workspace.yaml").write_text(workspace)
        for words in (("migrate", "--verbosity", "0"), ("apply", str(self.home / "workspace.yaml"))):
            done = self.manage(*words)
            assert done.returncode == 0, done.stderr + done.stdout

    def activate(self, name: str) -> dict[str, Any]:
        """Runs an activation to its end, and returns what the command prints."""
        done = self.manage("activate", name, "--wait", "--json")
        result: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == 0, done.stdout
        return result

    def kill_once(self, name: str, sent: Callable[[], int], number: int) -> None:
        """Starts a worker on an activation, and kills it once the destination has received that number of writes."""
        process = self.start("activate", name, "--wait")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sent() < number:
            assert time.monotonic() < deadline, "the run did not send enough in time"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
