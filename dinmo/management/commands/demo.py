"""`manage.py demo`: starts from nothing, runs real activations against the simulators, prints what was sent."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.errors import Problem
from destinations.registry import platforms
from dinmo.demo import scenario, workspace
from dinmo.local import broker, programs
from dinmo.local.machine import HOST, exclusive_runtime, free_port

if TYPE_CHECKING:
    from pathlib import Path

HOME = "DEMO_HOME"
PORTS = "DEMO_PORTS"


class Command(BaseCommand):
    help = (
        "Runs real activations against the vendor simulators and prints which records were created, updated, "
        "skipped and rejected."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if HOME not in os.environ:
            self._restart_in(settings.BASE_DIR / "var" / "demo")
        ports = dict(zip(platforms.all, map(int, os.environ[PORTS].split(",")), strict=True))
        try:
            completed = scenario.run_demo(dict(os.environ), ports, self._write)
        except Problem as problem:
            raise CommandError(problem.message) from None
        sys.exit(0 if completed else 1)

    def _restart_in(self, home: Path) -> None:
        """Replaces this process with one whose settings point to the demo's own, empty state directory."""
        home.mkdir(parents=True, exist_ok=True)
        try:
            with exclusive_runtime(home):
                _empty(home)
        except Problem as problem:
            raise CommandError(problem.message) from None
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo"], _environment(home))  # noqa: S606

    def _write(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _environment(home: Path) -> dict[str, str]:
    ports = {slug: free_port() for slug in platforms.all}
    urls = {platforms[slug].url_variable: f"http://{HOST}:{port}" for slug, port in ports.items()}
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", *urls)}
    address = broker.url(broker.socket_path(home, os.environ))
    own = {
        **dict.fromkeys(workspace.secrets(), scenario.TOKEN),
        HOME: str(home),
        PORTS: ",".join(map(str, ports.values())),
        "VAR_DIR": str(home),
        "DATABASE_URL": f"sqlite:///{home / 'dinmo.sqlite3'}",
        "SOURCE_FILES_ROOT": str(settings.SOURCE_FILES_ROOT),
        "LOG_LEVEL": "WARNING",
    }
    return programs.environment({**inherited, **own}, settings.BASE_DIR, address, "", urls)


def _empty(home: Path) -> None:
    """Removes the files of a previous demo."""
    for path in home.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "runtime.lock":
            path.unlink()
