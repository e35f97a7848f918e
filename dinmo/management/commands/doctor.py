"""`manage.py doctor`: checks every part of the installation, and prints what to do about each problem."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from core.commands import ScriptedCommand
from dinmo.celery import app
from dinmo.management import checks
from dinmo.management.checks import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.core.management.base import CommandParser

PROCESSES = ("database", "broker", "worker", "beat")


class Command(ScriptedCommand):
    help = (
        "Checks database, broker, worker, beat, keys, connections and everything that needs attention. "
        "Exits with 0 if everything works, and with 1 if something does not."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--live", action="store_true", help="check each connection at the vendor instead of showing its last check"
        )
        parser.add_argument("--only", choices=PROCESSES, help="report on this part only, for health checks")

    def handle(self, *args: Any, **options: Any) -> None:
        styles = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        found = findings(timezone.now(), options["live"])
        # Nothing after the part that is asked for is checked.
        reported = [next(each for each in found if each.subject == options["only"])] if options["only"] else list(found)
        for finding in reported:
            self.stdout.write(f"{styles[finding.level](f'{finding.level:<4}')}  {line(finding)}")
        if any(finding.level == Level.FAIL for finding in reported):
            sys.exit(1)


def findings(now: datetime, live: bool) -> Iterator[Finding]:
    """Every check in order. Checks that need the database or the broker run only if that one works."""
    database = checks.database()
    broker = checks.message_broker(settings.CELERY_BROKER_URL)
    keys = checks.encryption_keys()
    yield from (database, broker)
    yield checks.worker(app) if broker.level == Level.OK else checks.blocked("worker", "broker")
    if database.level == Level.OK:
        yield checks.beat(now, settings.RUN_SWEEP_SECONDS)
    else:
        yield checks.blocked("beat", "database")
    yield from (checks.secret_key(), keys, checks.source_files())
    if database.level == Level.OK:
        yield from _secret_checks(keys, now, live)


def _secret_checks(keys: Finding, now: datetime, live: bool) -> Iterator[Finding]:
    readable = keys.level != Level.FAIL
    if readable:
        yield checks.stored_secrets()
    yield from checks.connections(now, live and readable)
    yield from checks.problems(now)
    yield from checks.conflicting_activations()


def line(finding: Finding) -> str:
    """A finding as one line of text."""
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    return f"{finding.subject}: {finding.message}{remedy}"
