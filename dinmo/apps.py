"""What the roof registers with Django."""

import os
from typing import Any

from celery.signals import beat_init, worker_process_init
from django.apps import AppConfig, apps
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate

from dinmo import keys
from dinmo.backup.uploads import AGAIN, UNFINISHED, is_unfinished
from dinmo.monitoring import tracing
from dinmo.reporting import installed
from dinmo.security import startup


class DinmoConfig(AppConfig):
    name = "dinmo"

    def ready(self) -> None:
        # On one machine, they are a part of its state. A volume of their own is easily forgotten.
        if os.environ.get("KEYS_DIR"):
            keys.announce_created()
        checks.register(unfinished_restore)
        checks.register(unsafe_start, checks.Tags.security, deploy=True)
        # Once for each `migrate`: the signals are sent for every app that has models.
        sender = apps.get_app_config("activations")
        pre_migrate.connect(installed.before_migrations, sender=sender)
        post_migrate.connect(installed.after_migrations, sender=sender)
        # In each process that executes tasks: the thread that sends traces does not outlive a fork.
        worker_process_init.connect(tracing.begin)
        beat_init.connect(tracing.begin)


def unfinished_restore(**_: Any) -> list[checks.CheckMessage]:
    """The system check that reports an interrupted restore with every command."""
    return [checks.Error(UNFINISHED.capitalize(), hint=AGAIN, id="dinmo.E001")] if is_unfinished() else []


def unsafe_start(**_: Any) -> list[checks.CheckMessage]:
    """The reasons why web, worker and beat would not start, for `manage.py check --deploy`."""
    return [checks.Error(sentence, id=f"dinmo.{code}") for code, sentence in startup.unsafe()]
