"""`manage.py restore FILE`: replaces an installation with a backup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db import connection

from core.audit import Verb, announce
from core.commands import ScriptedCommand
from core.errors import Problem
from dinmo.backup import installation_keys, passphrase, restore

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from dinmo.backup.archive import Contents

ASK = ""


class Command(ScriptedCommand):
    help = (
        "Restores a backup into this installation, even into a different kind of database. Stop web, worker and "
        "beat first. The whole file is checked before anything is changed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="A file created by `backup`.")
        parser.add_argument(
            "--replace",
            nargs="?",
            const=ASK,
            metavar="DATABASE",
            help="replace everything in the database; prompts for its name unless given",
        )
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--check", action="store_true", help="check the file, print a summary, and stop")
        only.add_argument("--keys-to", type=Path, metavar="KEYS", help="write its keys to a .env file, and stop")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with file.open("rb") as opened:
                self._handle(opened, **options)
        except Problem as problem:
            self.refuse(problem.message)
        except OSError as error:
            self.refuse(f"{error.filename or file} can't be used: {error.strerror}.")

    def _handle(self, file: BinaryIO, *, check: bool, keys_to: Path | None, replace: str | None, **_: Any) -> None:
        secret = passphrase.enter()
        found = restore.inspect(file, secret)
        self.stdout.write(_sentence(found))
        if keys_to:
            installation_keys.write(found.keys, keys_to)
            self.stdout.write(f"Wrote its keys to {keys_to}. Delete this file once they are in your environment.")
        elif not check:
            was_empty = restore.is_empty()
            if not was_empty:
                self._agree(replace)
            done = restore.restore(file, secret, found)
            announce(Verb.RESTORED, "Backup")
            self._report(done, was_empty)

    def _agree(self, replace: str | None) -> None:
        """Continues only if the user has confirmed the name of the database to replace."""
        name = Path(str(connection.settings_dict["NAME"])).name
        if replace is None:
            self.refuse(f"The database {name} is not empty. To replace everything in it, add --replace.")
        if replace == ASK and sys.stdin.isatty():
            replace = input(f"This replaces everything in the database. Type its name, {name}, to continue: ")
        if replace != name:
            self.refuse(f"The name of the database is {name}. Nothing was changed.")

    def _report(self, done: restore.Done, was_empty: bool) -> None:
        self.stdout.write(f"Restored {done.rows:,} rows and {done.uploads} uploads.")
        if done.forgotten:
            self.stdout.write(f"{done.forgotten:,} records were sent after the backup and will be sent again.")
        if was_empty:
            self.stdout.write(
                "If the original installation kept running after the backup was created, start a full sync of each "
                "activation: manage.py activate NAME --full"
            )
        self.stdout.write("Start web, worker and beat again: they read the keys when they start.")


def _sentence(found: Contents) -> str:
    made = f"{found.manifest.created_at:%Y-%m-%d %H:%M} UTC"
    return f"The backup from {made} is complete: {sum(found.rows.values()):,} rows, {found.uploads} uploads."
