"""The processes that are killed. Each one is restarted when it is gone, and killed together with its children."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dinmo.local import broker, programs
from dinmo.local.processes import kill_session, spawn, stop

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

    from tests.chaos.postgres import Cluster

BROKER, BEAT, DATABASE = "broker", "beat", "database"
WORKERS = ("worker 1", "worker 2")
STOP_SECONDS = 5


@dataclass
class Installation:
    """The broker, two workers, beat, and the database server if there is one."""

    home: Path
    environment: Mapping[str, str]
    cluster: Cluster | None = None
    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        line, _ = broker.prepare(self.home, self.environment)
        self.commands[BROKER] = line
        for name in WORKERS:
            self.commands[name] = (*programs.worker().command, "--hostname", name.replace(" ", "") + "@%h")
        self.commands[BEAT] = programs.beat(self.home).command

    def keep_running(self) -> None:
        """Starts every process that is not running."""
        if self.cluster and not self.cluster.runs():
            self.cluster.start()
        for name, command in self.commands.items():
            process = self.running.get(name)
            if process is None or process.poll() is not None:
                if process is not None:
                    kill_session(process)
                with (self.home / f"{name.replace(' ', '-')}.log").open("ab") as log:
                    self.running[name] = spawn(command, self.environment, log)

    def kill(self, name: str) -> None:
        """Kills (-9) a program with its whole session, or the database server."""
        if name == DATABASE:
            assert self.cluster is not None
            self.cluster.kill()
        else:
            kill_session(self.running[name])

    def kill_group(self, group: int) -> None:
        """Kills the remaining processes of a program after one of them died at a failpoint."""
        if group in {process.pid for process in self.running.values()}:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def stop(self) -> None:
        """Stops all processes, the broker last."""
        for name in reversed(list(self.running)):
            stop(self.running[name], STOP_SECONDS)
