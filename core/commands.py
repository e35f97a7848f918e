"""Commands that people script against: wrong usage ends with 64, so that it can be told from a command that failed."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from core.secrets import redact

WRONG_USAGE = 64
INTERRUPTED = 130


class ScriptedCommand(BaseCommand):
    """A command whose wrong usage or configuration ends with 64 and one sentence."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = self.refuse  # type: ignore[method-assign]
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            words = redact(str(error).strip())
            self.refuse(f"The database can't be used. Run `manage.py migrate`, or check DATABASE_URL. It said: {words}")
        except KeyboardInterrupt:
            self.stderr.write(
                "Stopped. A run that was being executed goes on once its lease has ended, by a worker or the same command."
            )
            sys.exit(INTERRUPTED)

    def refuse(self, message: str) -> NoReturn:
        """Says what is wrong, and ends the process; to a caller in this process it raises CommandError instead."""
        if not getattr(self, "_called_from_command_line", False):
            raise CommandError(message, returncode=WRONG_USAGE)
        self.stderr.write(message)
        sys.exit(WRONG_USAGE)
