"""The command line of the chaos proof."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Problem
from destinations.registry import platforms
from dinmo.local import broker, programs
from dinmo.local.machine import HOST, exclusive_runtime, free_port
from dinmo.local.processes import spawn, stop
from tests.chaos import postgres, run
from tests.chaos.schedules import run as schedules

if TYPE_CHECKING:
    from pathlib import Path

HOME = "CHAOS_HOME"
PORTS = "CHAOS_PORTS"
DATABASE_PORT = "CHAOS_DATABASE_PORT"
TOKEN = "chaos-token"
SQLITE, POSTGRES, BOTH = "sqlite", "postgres", "both"
SECONDS_PER_KILL = 8
STOP_SECONDS = 30


class Command(BaseCommand):
    help = (
        "Kills workers, beat, broker and database again and again, "
        "and proves that the destinations match the source afterwards."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--schedules",
            action="store_true",
            help="prove instead that every slot of every schedule has exactly one run or a recorded reason",
        )
        parser.add_argument(
            "--minutes", type=float, default=10, metavar="N", help="how long to kill with --schedules (default: 10)"
        )
        parser.add_argument(
            "--kills", type=int, default=200, metavar="N", help="number of kills on each database (default: 200)"
        )
        parser.add_argument(
            "--seed",
            type=int,
            metavar="N",
            help="seed of the source, the faults and the kills (default: a random one)",
        )
        parser.add_argument(
            "--database",
            choices=(SQLITE, POSTGRES, BOTH),
            default=BOTH,
            help="where the baseline is stored (default: both)",
        )
        parser.add_argument(
            "--seconds",
            type=float,
            metavar="N",
            help=f"time limit for the kills (default: 60, plus {SECONDS_PER_KILL} for each kill)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Exits as after Ctrl-C, so that everything that was started is stopped.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        seed = random.SystemRandom().randrange(10**6) if options["seed"] is None else options["seed"]
        seconds = options["seconds"] or 60 + options["kills"] * SECONDS_PER_KILL
        if HOME in os.environ:
            self._prove(seed, options["minutes"] if options["schedules"] else 0, options["kills"], seconds)
        wanted = [SQLITE, POSTGRES] if options["database"] == BOTH else [options["database"]]
        if POSTGRES in wanted and postgres.binaries() is None:
            self.stdout.write("PostgreSQL is not installed on this machine (initdb was not found): skipping that part.")
            wanted.remove(POSTGRES)
        words = ["--seed", str(seed), "--kills", str(options["kills"]), "--seconds", str(seconds)]
        if options["schedules"]:
            words = ["--seed", str(seed), "--schedules", "--minutes", str(options["minutes"])]
        codes = [self._restart_in(settings.VAR_DIR / "chaos" / name, name, words) for name in wanted]
        sys.exit(max(codes, default=0))

    def _prove(self, seed: int, minutes: float, kills: int, seconds: float) -> None:
        """Runs one proof: that of schedules if there are `minutes`."""
        ports = dict(zip(platforms.all, map(int, os.environ[PORTS].split(",")), strict=True))
        try:
            port = int(os.environ[DATABASE_PORT])
            if minutes:
                passed = schedules.run(dict(os.environ), ports, minutes, seed, port, self._write)
            else:
                passed = run.run(dict(os.environ), ports, kills, seed, seconds, port, self._write)
        except Problem as problem:
            raise CommandError(problem.message) from None
        self._write("  All checks passed." if passed else "  The proof FAILED.")
        sys.exit(0 if passed else 1)

    def _restart_in(self, home: Path, database: str, words: list[str]) -> int:
        """Runs this command again, with settings that point to an empty state directory and database of its own."""
        home.mkdir(parents=True, exist_ok=True)
        try:
            with exclusive_runtime(home):
                empty(home)
        except Problem as problem:
            raise CommandError(problem.message) from None
        self._write(f"{database}: {' '.join(words)}. The logs are in {home}.")
        command = [sys.executable, "-m", "tests.chaos", *words]
        process = spawn(command, own_environment(home, database))
        try:
            return process.wait()
        finally:
            stop(process, STOP_SECONDS)

    def _write(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def own_environment(home: Path, database: str) -> dict[str, str]:
    """The environment of a proof: an empty state directory and database of its own."""
    ports = {slug: free_port() for slug in platforms.all}
    database_port = free_port() if database == POSTGRES else 0
    urls = {platforms[slug].url_variable: f"http://{HOST}:{port}" for slug, port in ports.items()}
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", *urls)
    }
    own = {
        HOME: str(home),
        PORTS: ",".join(map(str, ports.values())),
        DATABASE_PORT: str(database_port),
        "CHAOS_TOKEN": TOKEN,
        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
        "VAR_DIR": str(home),
        "DATABASE_URL": postgres.url(database_port) if database_port else f"sqlite:///{home / 'dinmo.sqlite3'}",
        "SOURCE_FILES_ROOT": str(home),
        "LOG_LEVEL": "WARNING",
    }
    address = broker.url(broker.socket_path(home, os.environ))
    return programs.environment({**inherited, **own}, settings.BASE_DIR, address, "", urls)


def empty(home: Path) -> None:
    """Removes the files of a previous proof."""
    for path in home.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "runtime.lock":
            path.unlink()
