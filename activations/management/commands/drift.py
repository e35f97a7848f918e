"""`manage.py drift NAME`: what the destination holds differently than it was sent, and what to do about it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from activations.delivery.drift import attribution
from activations.management.commands.activate import EXIT_CODES, wait
from activations.models import Activation, Run
from activations.runs import drift_checks, restores
from activations.screens.drift import report
from activations.screens.plain_values import in_words
from core.commands import ScriptedCommand
from core.errors import Misconfigured
from core.text.listing import counted
from destinations.registry import services

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

ALL = "all"


class Command(ScriptedCommand):
    """Checks for drift in this process. Nothing is sent, unless --restore says so."""

    help = (
        "Checks what the destination holds differently although the source did not change. Exit codes: 0 nothing is "
        "left to decide, 1 something is, 2 failed, 3 the run that restores waits for approval, 4 cancelled. Exit code "
        "64: incorrect usage or configuration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the activation's name")
        parser.add_argument("--last", action="store_true", help="use the last check instead of a new one")
        parser.add_argument(
            "--leave", metavar="FIELD", default="", help=f"leave what the destination holds; {ALL} for every field"
        )
        parser.add_argument(
            "--restore", metavar="FIELD", default="", help=f"send our values again; {ALL} for every field"
        )
        parser.add_argument("--json", action="store_true", help="print what was found as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        activation = Activation.objects.filter(name=options["name"]).first()
        if activation is None:
            self.refuse(f"There is no activation named {options['name']!r}.")
        try:
            checked = self._check(activation, last=options["last"])
            started = self._decide(checked, options["leave"], options["restore"])
        except Misconfigured as problem:
            self.refuse(problem.message)
        words = json.dumps(report.as_json(checked), indent=2) if options["json"] else sentence(checked)
        self.stdout.write(words)
        if started:
            self.stderr.write(f"{started.title}: {started.get_state_display()}, {started.accepted:,} restored.")
        sys.exit(_exit_code(checked, started))

    def _check(self, activation: Activation, *, last: bool) -> Run:
        if not last:
            return wait(drift_checks.check(activation, Run.Trigger.CLI, enqueue=False))
        checked = drift_checks.latest(activation)
        if checked is None:
            self.refuse(f"{activation.name!r} was never checked for drift. Leave out --last.")
        return checked

    def _decide(self, checked: Run, leave: str, restored: str) -> Run | None:
        """Leaves and restores what was asked for. Returns the run that restores."""
        if checked.state not in drift_checks.ENDED:
            return None
        if leave:
            number = restores.leave(restores.selected(checked, "" if leave == ALL else leave), checked)
            self.stderr.write(f"Left {number:,} values as they are.")
        if not restored:
            return None
        chosen = restores.selected(checked, "" if restored == ALL else restored)
        return wait(restores.restore(chosen, checked, Run.Trigger.CLI, enqueue=False)) if chosen.exists() else None


def sentence(checked: Run) -> str:
    """What was found, in a few lines."""
    if checked.state not in drift_checks.ENDED:
        return f"{checked.title} of {checked.activation.name!r}: {checked.get_state_display()}. {checked.error_message}"
    vendor = services[checked.activation.destination.service].platform.label
    lines = [
        f"{checked.title} of {checked.activation.name!r}: {counted(checked.planned, 'record')} compared with "
        f"{counted(checked.lookup_requests, 'request')}, {checked.updates:,} edited, {checked.skipped:,} gone."
    ]
    for field in report.of(checked):
        lines.append(f"{field.name}: {field.open:,} to decide, {field.left:,} left, {field.restoring:,} restored.")
        for example in field.examples:
            held = in_words(example.held) if example.is_kept else "no longer stored"
            who = attribution.in_words(example.writer, vendor)
            lines.append(f"  {example.change.key}: sent {in_words(example.sent)}, held {held}. Changed by: {who}.")
    return "\n".join(lines)


def _exit_code(checked: Run, started: Run | None) -> int:
    if checked.state not in drift_checks.ENDED:
        return EXIT_CODES[Run.State(checked.state)]
    if started and EXIT_CODES[Run.State(started.state)] > 1:
        return EXIT_CODES[Run.State(started.state)]
    return int(restores.selected(checked).exists())
