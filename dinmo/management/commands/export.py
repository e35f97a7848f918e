"""`manage.py export [FILE]`: writes the workspace in the database to a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.audit import Verb, announce
from core.commands import ScriptedCommand
from core.errors import Problem
from dinmo.workspace import export, from_database

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(ScriptedCommand):
    help = (
        "Writes the workspace to a file that `apply` can read. Secrets are left out; applying the file keeps the "
        "stored ones."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="The file to write. Defaults to standard output.")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            text = export.text(from_database.read())
            if file == "-":
                self.stdout.write(text, ending="")
            else:
                Path(file).write_text(text, encoding="utf-8")
            announce(Verb.EXPORTED, "Workspace file")
        except Problem as problem:
            self._exit(problem.message)
        except OSError as error:
            self._exit(f"{file} can't be written: {error.strerror}.")

    def _exit(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(64)
