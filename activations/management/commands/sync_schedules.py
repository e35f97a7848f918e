"""`manage.py sync_schedules`: makes the periodic tasks of beat match the schedules again."""

from __future__ import annotations

from typing import Any

from activations.scheduling import periodic_tasks
from core.commands import ScriptedCommand


class Command(ScriptedCommand):
    """Heals missing, extra and altered periodic tasks."""

    help = "Creates, corrects and removes the periodic tasks of beat until they match the schedules. Prints each step."

    def handle(self, *args: Any, **options: Any) -> None:
        done = list(periodic_tasks.heal())
        for line in done:
            self.stdout.write(line)
        if not done:
            self.stdout.write("Every schedule has its periodic task.")
