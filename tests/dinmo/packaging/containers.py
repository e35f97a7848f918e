"""Containers without containers: processes that find the files, volumes and servers of one under different names."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dinmo.local.machine import free_port
from dinmo.local.processes import kill_session, spawn
from tests.dinmo.live_processes import environment
from tests.dinmo.packaging.written import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START_SECONDS = 180
CHECK_SECONDS = 60


@dataclass
class Host:
    """A machine that runs containers of the image.

    Args:
        home: a directory of its own.
        names: what commands and settings call something, and what it is called here.
    """

    home: Path
    names: dict[str, str]
    image: Image = field(default_factory=Image)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.image.copy_files(self.app)
        self.before = self.files()
        self.port = free_port()

    @property
    def app(self) -> Path:
        return self.home / "app"

    def files(self) -> set[Path]:
        """The files of the image. In a container, its user can write none of them."""
        return {path for path in self.app.rglob("*") if "__pycache__" not in path.parts}

    def here(self, text: str, container: str) -> str:
        """A word of a command, or a setting, as it is on this machine."""
        state = {"/var/lib/dinmo": str(self.home / container), ":8000": f":{self.port}", ", 8000": f", {self.port}"}
        for name, real in {**self.names, **state}.items():
            text = text.replace(name, real)
        return text

    def environment(self, container: str, settings: Mapping[str, str]) -> dict[str, str]:
        """The complete environment of a container."""
        theirs = {**self.image.environment, **settings}
        mapped = {name: self.here(value, container) for name, value in theirs.items() if name != "PATH"}
        mapped["HOME"] = str(self.home / container)
        mapped["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return environment(self.home / container, **mapped)

    def run(
        self, container: str, command: Sequence[str], settings: Mapping[str, str], seconds: float = START_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in a container to its end."""
        words = [self.here(word, container) for word in command]
        return subprocess.run(
            words,
            cwd=self.app,
            env=self.environment(container, settings),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, container: str, command: Sequence[str], settings: Mapping[str, str]) -> None:
        """Starts a container."""
        words = [self.here(word, container) for word in command]
        with self.log(container).open("wb") as log:
            # The only way to start it elsewhere with the protection of `spawn`.
            at = ("sh", "-c", f"cd {shlex.quote(str(self.app))} && exec {shlex.join(words)}")
            self.running[container] = spawn(at, self.environment(container, settings), log)

    def log(self, container: str) -> Path:
        return self.home / f"{container}.log"

    def wait_until_healthy(self, container: str, check: Sequence[str], settings: Mapping[str, str]) -> None:
        """Repeats the health check of a container, until it succeeds. Fails the test if it does not."""
        deadline = time.monotonic() + START_SECONDS
        while (done := self.run(container, check, settings, CHECK_SECONDS)).returncode:
            shown = f"{done.stdout}{done.stderr}\n{self.log(container).read_text()[-2000:]}"
            assert self.running[container].poll() is None, f"{container} ended: {shown}"
            assert time.monotonic() < deadline, f"{container} is not healthy: {shown}"

    def stop(self, container: str, grace_seconds: float) -> int:
        """Sends SIGTERM to a container, as `docker stop` and Kubernetes do, and returns its exit code."""
        process = self.running[container]
        process.send_signal(signal.SIGTERM)
        return process.wait(grace_seconds)

    def close(self) -> None:
        for process in self.running.values():
            kill_session(process)
