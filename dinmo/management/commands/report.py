"""`manage.py report --to DIR`: writes runs, changes and outcomes to Parquet files."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.audit import Verb, announce
from core.commands import ScriptedCommand
from dinmo.reporting.export import export

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(ScriptedCommand):
    help = "Writes each reporting view to a Parquet file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="The directory for the files.")
        parser.add_argument(
            "--since", type=_date, metavar="DATE", help="Only runs requested since this day (UTC), and their changes."
        )
        parser.add_argument(
            "--with-values",
            action="store_true",
            help="Adds the key, name and values of each record to the changes. Treat the file as personal data.",
        )

    def handle(self, *args: Any, to: Path, since: datetime | None, with_values: bool, **options: Any) -> None:
        try:
            written = export(to, since, with_values=with_values)
        except OSError as error:
            self.refuse(f"{error.filename or to} can't be written: {error.strerror}.")
        announce(Verb.EXPORTED, "Report", {"With values": ("", "Yes")} if with_values else {})
        for name, rows in written.items():
            self.stdout.write(f"{to / name}: {rows:,} rows")


def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(f"{text} is not a date, such as 2026-01-31.") from None
