"""`manage.py pauses`: what the system paused, and why; checks a cause now, or resumes an activation without a check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from activations.models import Activation, SystemPause
from activations.pauses import act, check
from activations.setup import holds
from core.commands import ScriptedCommand

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(ScriptedCommand):
    """Lists the pauses by the system, checks their causes, or resumes activations."""

    help = (
        "Lists the activations that the system paused, with the cause. --check checks the causes now, and resumes what "
        "works again; the exit code is 1 if something still does not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--check", action="store_true", help="check every cause now, whenever it is due")
        action.add_argument(
            "--resume", metavar="NAME", default="", help="resume this activation without a check, whoever paused it"
        )
        parser.add_argument("--json", action="store_true", help="print the pauses as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["resume"]:
            self._resume(options["resume"])
        if options["check"]:
            for found in {check.culprit(pause) for pause in check.current()}:
                check.check(found, timezone.now())
        left = list(SystemPause.objects.select_related(*check.RELATED))
        if options["json"]:
            self.stdout.write(json.dumps([as_json(pause) for pause in left], indent=2))
        else:
            self.stdout.write("\n".join(map(sentence, left)) or "The system has paused no activation.")
        if options["check"] and left:
            raise SystemExit(1)

    def _resume(self, name: str) -> None:
        activation = Activation.objects.filter(name=name).first()
        if activation is None:
            self.refuse(f"There is no activation named {name!r}.")
        act.resume_by_person(activation, timezone.now())
        self.stderr.write(f"Resumed {name!r}. Its schedules start runs again.")


def sentence(pause: SystemPause) -> str:
    """A pause in one line."""
    return (
        f"{pause.activation} (since {pause.since:%Y-%m-%d %H:%M} UTC, next check {pause.next_check_at:%H:%M}): "
        f"{holds.words(pause)}"
    )


def as_json(pause: SystemPause) -> dict[str, Any]:
    """A pause for scripts."""
    return {
        "activation": pause.activation.name,
        "cause": pause.cause,
        "code": pause.code,
        "message": holds.words(pause),
        "since": pause.since.isoformat(),
        "checks": pause.checks,
        "next_check_at": pause.next_check_at.isoformat(),
    }
