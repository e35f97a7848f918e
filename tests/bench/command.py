"""The command line of the benchmarks."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tests.bench import adoption, planning, reading, report, suite
from tests.bench.pages.measure import Wanted
from tests.bench.planning import Size
from tests.bench.setup.home import MeasurementFailed

DOCUMENT = settings.BASE_DIR / "docs" / "benchmarks.md"
MANY = 5_000_000
PARTS = ("plan", "delivery", "adopt", "read", "pages")


class Command(BaseCommand):
    help = (
        "Measures planning, delivery, adoption, reading and pages side by side with bare reads and other approaches, "
        "and prints the ratios."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rows",
            type=int,
            default=1_000_000,
            help="companies in the source, a multiple of 1,000 (default: 1,000,000)",
        )
        parser.add_argument("--only", choices=PARTS, help="measure only this part")
        parser.add_argument(
            "--database",
            choices=("sqlite", "postgres"),
            help="where the baseline is stored (default: each one that is available)",
        )
        parser.add_argument(
            "--source",
            choices=reading.SOURCES,
            action="append",
            help="a source to plan from or read; can be repeated (default: all)",
        )
        parser.add_argument(
            "--repeat",
            type=int,
            default=0,
            metavar="N",
            help="repetitions of each plan (default: 3, or 1 from five million rows)",
        )
        parser.add_argument(
            "--seconds", type=float, default=70, help="duration of a delivery at the allowed rate (default: 70)"
        )
        parser.add_argument(
            "--sample", type=int, default=20_000, help="rows to look up one at a time (default: 20,000)"
        )
        parser.add_argument("--times", type=int, default=20, help="requests of each page (default: 20)")
        parser.add_argument("--page", default="", metavar="TEXT", help="measure only pages whose names contain this")
        parser.add_argument(
            "--keep", action="store_true", help="keep the filled databases of the pages, and use those kept before"
        )
        parser.add_argument("--write", action="store_true", help="write the results to docs/benchmarks.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rows"] < 2_000 or options["rows"] % 1_000:
            raise CommandError("--rows must be a multiple of 1,000 and at least 2,000.")
        server = suite.postgres_server()
        if not server and "postgres" in (options["database"], *(options["source"] or ())):
            raise CommandError(
                "No PostgreSQL server is available. Set TEST_POSTGRES_URL to a server whose user may create databases."
            )
        wanted = _wanted(options, server)
        results = suite.Results(wanted.size.rows)
        # Raises an exception, so that processes, directories and databases are cleaned up.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            sections = self._measure(wanted, server, results, options["only"])
            sections |= self._pages(server, results, options)
        except MeasurementFailed as broken:
            raise CommandError(f"A measurement failed:\n{broken}") from None
        text = "\n\n".join(f"## {title}\n\n{body}" for title, body in sections.items())
        self.stdout.write(f"\n{text}\n\n{report.summary(results)}")
        if options["write"]:
            before = DOCUMENT.read_text() if DOCUMENT.exists() else ""
            DOCUMENT.write_text(report.written(before, sections))
        if missed := [page.asked.page for page in results.pages if not page.is_good]:
            raise CommandError(f"{len(missed)} of {len(results.pages)} pages miss their goals: {', '.join(missed)}.")

    def _measure(self, wanted: suite.Wanted, server: str, results: suite.Results, only: str | None) -> dict[str, str]:
        machine = report.machine(server)
        sections = {}
        if not server:
            self._show("No PostgreSQL server is available. Set TEST_POSTGRES_URL to include PostgreSQL.")
        if only in (None, "delivery"):
            suite.deliver(wanted, server, results, self._show)
            title = f"Delivering, {wanted.seconds:g} seconds each, answers after 50 ms"
            sections[title] = f"{machine}\n\n{report.delivering(results)}"
        if only in (None, "adopt"):
            suite.adopt(wanted, server, results, self._show)
            rows = min(wanted.size.rows, adoption.MOST_ROWS)
            title = f"Adopting {rows:,} companies that Attio has already, answers after 50 ms"
            sections[title] = f"{machine}\n\n{adoption.table(results.adopted, results.idle)}"
        if only in (None, "plan"):
            suite.plan(_sources(wanted, planning.SOURCES), server, results, self._show)
            title = f"Planning {wanted.size.rows:,} rows of ten columns"
            sections[title] = f"{machine} Repetitions: {wanted.size.repetitions}.\n\n{report.planning(results)}"
        if only in (None, "read"):
            suite.read(wanted, server, results, self._show)
            title = f"Reading {wanted.size.rows:,} rows of ten columns"
            sections[title] = f"{machine} Repetitions: {wanted.size.repetitions}.\n\n{report.reading(results)}"
        return sections

    def _pages(self, server: str, results: suite.Results, options: dict[str, Any]) -> dict[str, str]:
        if options["only"] not in (None, "pages"):
            return {}
        if not server:
            self._show("The pages were skipped: they are measured on PostgreSQL.")
            return {}
        wanted = Wanted(options["rows"], options["times"], options["page"], options["keep"])
        suite.pages(wanted, server, results, self._show)
        title = f"Pages of a large installation, {options['times']} requests each"
        return {title: f"{report.machine(server)}\n\n{report.pages(results.pages)}"}

    def _show(self, text: str) -> None:
        self.stderr.write(text)
        self.stderr.flush()


def _wanted(options: dict[str, Any], server: str) -> suite.Wanted:
    repetitions = options["repeat"] or (1 if options["rows"] >= MANY else 3)
    reachable = ("sqlite", "postgres") if server else ("sqlite",)
    servers = {"postgres": server, "mysql": reading.mysql_server()}
    sources = options["source"] or [source for source in reading.SOURCES if servers.get(source, "file")]
    kinds = (options["database"],) if options["database"] else reachable
    return suite.Wanted(Size(options["rows"], repetitions, options["sample"]), sources, kinds, options["seconds"])


def _sources(wanted: suite.Wanted, known: tuple[str, ...]) -> suite.Wanted:
    return replace(wanted, sources=[source for source in known if source in wanted.sources])
