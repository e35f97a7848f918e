"""`manage.py backup FILE`: writes database, keys and uploads to one encrypted file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from core.audit import Verb, announce
from core.commands import ScriptedCommand
from core.errors import Problem
from dinmo.backup import passphrase
from dinmo.backup.create import create

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(ScriptedCommand):
    help = (
        "Writes the database, the keys and the uploads to one file, encrypted with a passphrase from BACKUP_PASSPHRASE "
        "or the terminal. Runs can be in progress."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="The file to write. An existing one is replaced.")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            written = create(file, passphrase.choose(), timezone.now())
        except Problem as problem:
            self.refuse(problem.message)
        except OSError as error:
            self.refuse(f"{file} can't be written: {error.strerror}.")
        announce(Verb.EXPORTED, "Backup")
        rows, tables = sum(written.rows.values()), len(written.rows)
        self.stdout.write(f"Wrote {file}: {rows:,} rows from {tables} tables, {written.uploads} uploads, and the keys.")
