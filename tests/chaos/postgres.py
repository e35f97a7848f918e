"""A throw-away PostgreSQL cluster that may be killed."""

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
PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt")


def binaries() -> Path | None:
    """The directory of `initdb` and `pg_ctl`, the newest where there are several; None where PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    found = [path.parent for place in PLACES for path in Path(place).glob("**/bin/initdb")]
    return Path(on_path).parent if on_path else max(found, default=None)


def url(port: int) -> str:
    """The address of the cluster's only database."""
    return f"postgres://{USER}@{HOST}:{port}/{USER}"


@contextmanager
def cluster(port: int) -> Iterator[Cluster]:
    """A new cluster on a port of this machine, removed at the end.

    Raises:
        Unavailable: PostgreSQL did not start.
    """
    folder = binaries()
    assert folder is not None
    home = Path(tempfile.mkdtemp(prefix="dinmo-chaos-"))
    made = Cluster(folder, home, port)
    try:
        made.create()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class Cluster:
    """PostgreSQL below `home`. It runs as the user postgres where we are root, since it refuses root."""

    folder: Path
    home: Path
    port: int

    def create(self) -> None:
        if _as():
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
            raise Unavailable("postgres_start", "The throw-away PostgreSQL did not start.", detail=self._log())

    def start(self) -> bool:
        """Whether it runs. Refused as long as the processes of a killed one are still there."""
        # A killed process loses nothing that it gave to the operating system, so that waiting for the disk proves no more.
        options = f"-p {self.port} -h {HOST} -k '' -c fsync=off -c shared_buffers=64MB"
        words = ("-D", str(self.home / "data"), "-l", str(self.home / "log"), "-o", options, "-w", "-t", "20", "start")
        return self._call("pg_ctl", *words).returncode == 0

    def kill(self) -> None:
        """Kills the postmaster (-9); its processes end by themselves."""
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
        """The postmaster's, by its own file."""
        return int((self.home / "data" / "postmaster.pid").read_text().split()[0])

    def _call(self, program: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.folder / program), *words],
            user=_as(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    def _log(self) -> str:
        log = self.home / "log"
        return log.read_text()[-500:] if log.exists() else "initdb failed"


def _as() -> str | None:
    if os.geteuid() != 0:
        return None
    pwd.getpwnam(USER)
    return USER
