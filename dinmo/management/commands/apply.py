"""`manage.py apply FILE`: the workspace file into the database."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from core.commands import ScriptedCommand
from core.errors import Problem
from dinmo.workspace import plan, sources
from dinmo.workspace.apply import apply
from dinmo.workspace.problems import Refused

if TYPE_CHECKING:
    from argparse import ArgumentParser

WRONG = 64
"""The exit code for a wrong file or wrong usage (EX_USAGE of sysexits.h)."""


class Command(ScriptedCommand):
    help = "Applies a workspace file: creates and changes what it says, and leaves everything else alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The workspace file, YAML; - reads it from the standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be done.")
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Agree that activations send everything anew, where that is needed; confirm types of attributes that changed.",
        )

    def handle(self, *args: Any, file: str, dry_run: bool, yes: bool, **options: Any) -> None:
        try:
            made = apply(self._read(file), os.environ, sources.columns, dry_run=dry_run, yes=yes)
        except Refused as refused:
            for problem in refused.problems:
                self.stderr.write(f"{file}:{problem.line}: {problem.sentence}")
            sys.exit(WRONG)
        except Problem as problem:
            self._end(problem.message)
        self._say(made, dry_run, yes)

    def _say(self, made: plan.Plan, dry_run: bool, yes: bool) -> None:
        for line in made.lines():
            self.stdout.write(line)
        for reset in made.resets:
            self.stdout.write(
                f"! {reset}"
                if not yes
                else f"! activation {reset.activation.name}: its sync history is reset, and its next run sends every record"
            )
        for name, sentences in made.retyped.items():
            for line in ["its attributes' types are confirmed"] if yes and not dry_run else sentences:
                self.stdout.write(f"! activation {name}: {line}")
        if dry_run and made.steps:
            self.stdout.write("Dry run: nothing was applied.")

    def _read(self, file: str) -> str:
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self._end(f"{file}:{line}: This is no UTF-8 text. Save the file as UTF-8.")
        except (OSError, ValueError) as error:
            self._end(f"{file} can't be read: {getattr(error, 'strerror', None) or error}.")

    def _end(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(WRONG)
