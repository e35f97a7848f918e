"""`manage.py export [FILE]`: the workspace in the database as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.commands import ScriptedCommand
from core.errors import Problem
from dinmo.workspace import export, from_database

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(ScriptedCommand):
    help = (
        "Writes the workspace as a file that `apply` reads. Secrets are left out; applied again, they stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", default="-", help="Where to write; the standard output where it is left out."
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            text = export.text(from_database.read())
            if file == "-":
                self.stdout.write(text, ending="")
            else:
                Path(file).write_text(text, encoding="utf-8")
        except Problem as problem:
            self._end(problem.message)
        except OSError as error:
            self._end(f"{file} can't be written: {error.strerror}.")

    def _end(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(64)
