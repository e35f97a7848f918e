"""The command line of the soak test."""

from __future__ import annotations

import os
import random
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Problem
from destinations.registry import platforms
from dinmo.local.machine import exclusive_runtime
from dinmo.local.processes import spawn, stop
from tests.chaos import postgres
from tests.chaos.command import DATABASE_PORT, HOME, PORTS, POSTGRES, STOP_SECONDS, empty, own_environment
from tests.soak import run
from tests.soak.source import COMPANIES, PERCENT


class Command(BaseCommand):
    help = (
        "Runs ten activations on schedules while the source changes, the vendors fail and processes are killed, "
        "and verifies that the destinations equal the source at the end. Needs the programs of PostgreSQL."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minutes", type=float, default=30, metavar="N", help="duration (default: 30)")
        parser.add_argument(
            "--companies", type=int, default=COMPANIES, metavar="N", help=f"rows of the source (default: {COMPANIES})"
        )
        parser.add_argument(
            "--percent",
            type=float,
            default=PERCENT,
            metavar="N",
            help="how much of it changes each minute (default: 1)",
        )
        parser.add_argument("--seed", type=int, metavar="N", help="seed of changes, faults and kills (default: random)")

    def handle(self, *args: Any, **options: Any) -> None:
        # Exits as after Ctrl-C, so that everything that was started is stopped.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        seed = random.SystemRandom().randrange(10**6) if options["seed"] is None else options["seed"]
        if HOME in os.environ:
            self._prove(seed, options["minutes"], (options["companies"], options["percent"]))
        if postgres.binaries() is None:
            raise CommandError("PostgreSQL is not installed on this machine (initdb was not found).")
        words = [f"--{name}={options[name]}" for name in ("minutes", "companies", "percent")]
        sys.exit(self._restart([*words, f"--seed={seed}"]))

    def _prove(self, seed: int, minutes: float, source_size: tuple[int, float]) -> None:
        ports = dict(zip(platforms.all, map(int, os.environ[PORTS].split(",")), strict=True))
        try:
            passed = run.run(
                dict(os.environ), ports, int(os.environ[DATABASE_PORT]), minutes, source_size, seed, self._write
            )
        except Problem as problem:
            raise CommandError(problem.message) from None
        self._write("  All checks passed." if passed else "  The soak test FAILED.")
        sys.exit(0 if passed else 1)

    def _restart(self, words: list[str]) -> int:
        """Runs this command again, with settings that point to an empty state directory and database of its own."""
        home = settings.VAR_DIR / "soak"
        home.mkdir(parents=True, exist_ok=True)
        try:
            with exclusive_runtime(home):
                empty(home)
        except Problem as problem:
            raise CommandError(problem.message) from None
        self._write(f"{' '.join(words)}. The logs are in {home}.")
        process = spawn([sys.executable, "-m", "tests.soak", *words], own_environment(home, POSTGRES))
        try:
            return process.wait()
        finally:
            stop(process, STOP_SECONDS)

    def _write(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
