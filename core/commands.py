"""Commands that people script against: wrong usage ends with 64, so that it can be told from a command that failed."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

WRONG_USAGE = 64


class ScriptedCommand(BaseCommand):
    """A command whose wrong usage or configuration ends with 64 and one sentence."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = self.refuse  # type: ignore[method-assign]
        return parser

    def refuse(self, message: str) -> NoReturn:
        """Says what is wrong, and ends the process."""
        self.stderr.write(message)
        sys.exit(WRONG_USAGE)
