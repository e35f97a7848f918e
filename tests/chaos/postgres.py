"""A disposable PostgreSQL cluster that may be killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Unavailable
from dinmo.local.machine import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "postgres"
SEARCH_PATHS = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt")


def binaries() -> Path | None:
    """The directory of `initdb` and `pg_ctl`: the newest if there are several, None if PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    candidates = [path.parent for place in SEARCH_PATHS for path in Path(place).glob("**/bin/initdb")]
    return Path(on_path).parent if on_path else max(candidates, default=None)


def url(port: int) -> str:
    """The URL of the cluster's only database."""
    return f"postgres://{USER}@{HOST}:{port}/{USER}"


@contextmanager
def cluster(port: int) -> Iterator[Cluster]:
    """A new cluster that listens on a port of this machine, and is removed at the end.

    Raises:
        Unavailable: PostgreSQL did not start.
    """
    folder = binaries()
    assert folder is not None
    home = Path(tempfile.mkdtemp(prefix="dinmo-chaos-"))
    server = Cluster(folder, home, port)
    try:
        server.create()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class Cluster:
    """PostgreSQL below `home`. If this process runs as root, the server runs as postgres, since it refuses root."""

    folder: Path
    home: Path
    port: int

    def create(self) -> None:
        if _server_user():
            shutil.chown(self.home, USER)
        self._call(
            "initdb",
            "--no-sync",
            "--auth",
            "trust",
            "--username",
            USER,
            "--encoding",
            "UTF8",
            "-D",
            str(self.home / "data"),
        )
        if not self.start():
            raise Unavailable("postgres_start", "The temporary PostgreSQL server did not start.", detail=self._log())

    def start(self) -> bool:
        """Starts the server, and returns whether it runs. Fails while processes of a killed server are still alive."""
        # A killed process loses nothing that it handed to the operating system, so fsync would prove nothing more.
        options = f"-p {self.port} -h {HOST} -k '' -c fsync=off -c shared_buffers=64MB"
        words = ("-D", str(self.home / "data"), "-l", str(self.home / "log"), "-o", options, "-w", "-t", "20", "start")
        return self._call("pg_ctl", *words).returncode == 0

    def kill(self) -> None:
        """Kills the postmaster (-9). Its child processes end on their own."""
        with suppress(ProcessLookupError, FileNotFoundError):
            os.kill(self.pid(), signal.SIGKILL)

    def runs(self) -> bool:
        try:
            os.kill(self.pid(), 0)
        except (ProcessLookupError, FileNotFoundError):
            return False
        return True

    def stop(self) -> None:
        self._call("pg_ctl", "-D", str(self.home / "data"), "-m", "immediate", "stop")

    def pid(self) -> int:
        """The process ID of the postmaster, from its PID file."""
        return int((self.home / "data" / "postmaster.pid").read_text().split()[0])

    def _call(self, program: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.folder / program), *words],
            user=_server_user(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    def _log(self) -> str:
        log = self.home / "log"
        return log.read_text()[-500:] if log.exists() else "initdb failed"


def _server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    pwd.getpwnam(USER)
    return USER
