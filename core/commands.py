"""The base of commands that people script against: exit code 64 sets wrong usage apart from a command that failed."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from core.audit import Actor, Kind, acting_as
from core.secrets import redact

WRONG_USAGE = 64
INTERRUPTED = 130


class ScriptedCommand(BaseCommand):
    """A command that exits with code 64 and one sentence if its usage or configuration is wrong."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = self.refuse  # type: ignore[method-assign]
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            with acting_as(actor(type(self).__module__.rpartition(".")[2])):
                return super().execute(*args, **options)
        except DatabaseError as error:
            details = redact(str(error).strip())
            self.refuse(
                "The database can't be used. Run `manage.py migrate`, or check DATABASE_URL. "
                f"The database reported: {details}"
            )
        except KeyboardInterrupt:
            self.stderr.write(
                "Stopped. If a run was in progress, it continues once its lease has ended: "
                "in a worker, or when you run this command again."
            )
            sys.exit(INTERRUPTED)

    def refuse(self, message: str) -> NoReturn:
        """Prints what is wrong and exits. If the command was called from code, raises CommandError instead."""
        if not getattr(self, "_called_from_command_line", False):
            raise CommandError(message, returncode=WRONG_USAGE)
        self.stderr.write(message)
        sys.exit(WRONG_USAGE)


def actor(command: str) -> Actor:
    """Who acts in a command, for the audit log: the command, and the user of the operating system."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run with an ID that has no name.
        user = f"user {os.getuid()}"
    return Actor(Kind.COMMAND, f"{user} (manage.py {command})")
