"""An installation with a broker and workers, for tests that stop, replace and add them."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from dinmo.local import broker
from dinmo.local.processes import kill_session, spawn
from tests.crash.installation import PATIENCE_SECONDS, ROOT, Installation

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from destinations.sandbox.wire import Reply, Request
    from dinmo.local.supervisor import Program

COLUMNS = "id integer primary key, name text, domain text"
CONNECTIONS = """
connections: [{name: Attio, platform: attio, token: "${TOKEN}"}]
destinations: [{name: Attio companies, connection: Attio, service: attio.companies}]
"""
ACTIVATION = """
  - name: %s
    model: %s
    destination: Attio companies
    guards: {max_size_change_percent: none, max_change_percent: none}
    warnings: {enabled: false}
    match: {from: domain, to: domains}
    fields: [{from: name, to: name}]
"""
WORKSPACE = f"""
sources: [{{name: Shop, engine: sqlite, path: shop.sqlite3}}]
models: [{{name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}}]
{CONNECTIONS}
activations:
{ACTIVATION % ("All", "Companies")}
"""
"""One activation over all companies."""
REQUEST_ALL = """
from activations.models import Activation, Run
from activations.runs import requests
for activation in Activation.objects.order_by("pk"):
    requests.request(activation, Run.Trigger.SCHEDULE)
"""
RUNS = (
    "select r.* from activations_run r join activations_activation a on a.id = r.activation_id "
    "where a.name = %s order by r.id"
)


class Workers:
    """The processes of an installation. Each is killed at the end, if it is still running."""

    def __init__(self, installation: Installation, address: str) -> None:
        self.installation = installation
        self.installation.environment |= {
            "CELERY_BROKER_URL": address,
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "text",
            # Nothing but a hand-over continues a run: no lease ends, and no sweep runs.
            "RUN_LEASE_SECONDS": "600",
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, program: Program, name: str = "", *options: str, ready: str = " ready.") -> subprocess.Popen[bytes]:
        """Starts a program, and waits until it says that it is ready.

        Args:
            name: of this process, if several run the same program.
            options: further options of the command.
            ready: what its log contains once it is ready.
        """
        name = name or program.name
        command = (*program.command, "--hostname", f"{name}@%h") if name != program.name else program.command
        command = (*command, *options)
        path = self.installation.home / f"{name}-{len(self.running)}.log"
        with path.open("wb") as log:
            process = spawn(command, self.installation.environment, log)
        self.running.append(process)
        wait_until(lambda: ready in path.read_text(), f"the start of {name}")
        return process

    def request(self, activation: str) -> None:
        """Requests a run, and leaves it to the workers."""
        done = self.installation.manage("activate", activation)
        assert done.returncode == 0, done.stderr

    def request_all(self) -> None:
        """Requests a run of every activation, in one process, so that they begin together."""
        done = self.installation.manage("shell", "-c", REQUEST_ALL)
        assert done.returncode == 0, done.stderr

    def insert(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Adds companies to the source."""
        with closing(sqlite3.connect(self.installation.home / "shop.sqlite3")) as connection, connection:
            connection.executemany("insert into companies values (?, ?, ?)", rows)

    def runs(self, activation: str) -> list[dict[str, Any]]:
        """The runs of an activation, oldest first."""
        if url := self.installation.environment.get("DATABASE_URL", ""):
            with closing(psycopg.connect(url, row_factory=dict_row)) as server:
                return list(server.execute(RUNS % "%s", [activation]))
        with closing(sqlite3.connect(self.installation.home / "dinmo.sqlite3")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(RUNS % "?", [activation])]

    def state(self, activation: str) -> str:
        """The state of its latest run, or "" if there is none."""
        return next((str(run["state"]) for run in reversed(self.runs(activation))), "")

    def stop(self, process: subprocess.Popen[bytes]) -> float:
        """Sends SIGTERM to a process, and returns the seconds until it has ended."""
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
        return time.monotonic() - started


@contextmanager
def running(
    home: Path,
    rows: Sequence[tuple[int, str, str]],
    workspace: str,
    respond: Callable[[Request], Reply] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Workers]:
    """An installation with these companies and this workspace, and a broker. Workers are to be started.

    Args:
        respond: answers requests to the vendor instead of the simulator.
        environment: further variables of all processes, such as DATABASE_URL.
    """
    with ExitStack() as stack:
        server = stack.enter_context(Server(sandboxes["attio"]("t"), respond=respond))
        server.sandbox.latency_seconds = 0.05
        installation = Installation(home, server.sandbox, server.url)
        installation.environment |= environment or {}
        installation.store("companies", COLUMNS, rows)
        installation.apply(workspace)
        workers = Workers(installation, stack.enter_context(broker.running(home, {})))
        installation.environment |= environment or {}
        try:
            yield workers
        finally:
            for process in workers.running:
                kill_session(process)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Fails the test unless `condition` becomes true in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} took too long"
        time.sleep(0.05)


def companies(count: int, begin: int = 0) -> list[tuple[int, str, str]]:
    """That many rows of the source.

    Args:
        begin: the number of the first one.
    """
    return [(number, f"Company {number}", f"company{number}.com") for number in range(begin, begin + count)]
