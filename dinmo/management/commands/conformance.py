"""`manage.py conformance`: runs the conformance suite of destination services, and prints what each has to change."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from core.commands import ScriptedCommand
from core.errors import Misconfigured
from destinations.conformance.suite import CHECKS, Suite, served
from destinations.registry import samples, services
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from destinations.conformance import Sample
    from destinations.contract import Service
    from destinations.sandbox.base import Sandbox


class Command(ScriptedCommand):
    help = (
        "Runs the conformance suite against the simulators, and prints what each service has to change. "
        "Exits with 0 if every check passes, and with 1 if one does not."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("services", nargs="*", metavar="SERVICE", help="such as attio.companies (default: all)")
        parser.add_argument("--first", action="store_true", help="stop each service at its first finding")

    def handle(self, *args: Any, **options: Any) -> None:
        suites = {slug: self._parts(slug) for slug in options["services"] or sorted(services.all)}
        passed = [self._passes(slug, parts, first=options["first"]) for slug, parts in suites.items()]
        if not all(passed):
            sys.exit(1)

    def _parts(self, slug: str) -> tuple[Service, Sample, type[Sandbox]]:
        try:
            return services[slug], samples[slug], sandboxes[slug.partition(".")[0]]
        except Misconfigured as problem:
            self.refuse(problem.message)

    def _passes(self, slug: str, parts: tuple[Service, Sample, type[Sandbox]], *, first: bool) -> bool:
        service, sample, simulator = parts
        passed = True
        with served(simulator) as server:
            for finding in Suite(service, sample, server).findings():
                self.stdout.write(f"{self.style.ERROR(f'{slug} {finding.check}')}\n  {finding.message}")
                passed = False
                if first:
                    return False
        if passed:
            self.stdout.write(self.style.SUCCESS(f"{slug} passes {len(CHECKS)} checks."))
        return passed
