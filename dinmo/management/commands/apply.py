"""`manage.py apply FILE`: writes a workspace file into the database."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from django.utils import timezone

from core.commands import ScriptedCommand
from core.errors import Problem
from dinmo.workspace import from_database, plan, sources, vendors
from dinmo.workspace.apply import apply
from dinmo.workspace.kinds import writers
from dinmo.workspace.problems import Refused

if TYPE_CHECKING:
    from argparse import ArgumentParser

USAGE_ERROR = 64
"""The exit code for an invalid file or invalid usage (EX_USAGE of sysexits.h)."""


class Command(ScriptedCommand):
    help = "Applies a workspace file: creates and changes what the file describes, and leaves everything else alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The workspace file (YAML). Use - to read from standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Show what would be done without doing it.")
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Agree to a full sync of activations that need one, and confirm changed attribute types.",
        )

        parser.add_argument(
            "--no-test",
            action="store_true",
            help="Don't test the sources and connections that were created or changed.",
        )

    def handle(self, *args: Any, file: str, dry_run: bool, yes: bool, no_test: bool, **options: Any) -> None:
        try:
            applied = apply(self._read(file), os.environ, sources.columns, dry_run=dry_run, yes=yes)
        except Refused as refused:
            for problem in refused.problems:
                self.stderr.write(f"{file}:{problem.line}: {problem.sentence}")
            sys.exit(USAGE_ERROR)
        except Problem as problem:
            self._exit(problem.message)
        self._report(applied, dry_run, yes)
        if not dry_run and not no_test:
            for line in vendors.connection_reports(applied.steps, timezone.now()):
                self.stdout.write(line)
        # Read again: a new connection's workspace is known once it was tested.
        after = applied.after if dry_run else from_database.read()
        for line in writers.lines(after, applied.activations()):
            self.stdout.write(line)
        if dry_run and applied.steps:
            self.stdout.write("Dry run: nothing was applied.")

    def _report(self, applied: plan.Plan, dry_run: bool, yes: bool) -> None:
        for line in applied.lines():
            self.stdout.write(line)
        for reset in applied.resets:
            agreed = "its sync history is reset, and its next run sends every record"
            self.stdout.write(f"! activation {reset.activation.name}: {agreed}" if yes else f"! {reset}")
        for name, sentences in applied.retyped.items():
            for line in ["attribute types confirmed"] if yes and not dry_run else sentences:
                self.stdout.write(f"! activation {name}: {line}")

    def _read(self, file: str) -> str:
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self._exit(f"{file}:{line}: This is not valid UTF-8 text. Save the file as UTF-8.")
        except (OSError, ValueError) as error:
            self._exit(f"{file} can't be read: {getattr(error, 'strerror', None) or error}.")

    def _exit(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(USAGE_ERROR)
